// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan run: a command whose sockets are attached as it creates them
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockloan.h>

#include "common.h"

static int attach_new_sockets(void)
{
	struct sockloan_run arg = { .size = sizeof(arg) };
	int device = device_open();
	int ret;

	if (device < 0)
		return -1;
	ret = ioctl(device, SOCKLOAN_IOC_RUN, &arg);
	if (ret && errno == EOPNOTSUPP)
		warnx("no return probes in this kernel: use 'sockloan attach' instead");
	else if (ret)
		warnx("cannot attach new sockets: %s", device_strerror(errno));
	close(device);
	return ret;
}

static int run_main(const struct command *self, int argc, char **argv)
{
	int status = parse_help_only(self, argc, argv);
	int error;

	if (status != PARSE_ON)
		return status;
	if (optind == argc)
		return usage_error(self, "no command to run");
	if (attach_new_sockets())
		return STATUS_FAILURE;

	execvp(argv[optind], argv + optind);
	error = errno;
	warn("%s", argv[optind]);
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}

const struct command cmd_run = {
	.name = "run",
	.summary =
		"run a command, attach every TCP and UDP socket that it creates",
	.usage =
		"Usage: sockloan run [--] CMD [ARGUMENTS...]\n\n"
		"Run CMD, and attach every TCP and UDP socket that it and its child\n"
		"processes create.  Sockets that CMD is given from outside stay as they\n"
		"are.\n\n"
		"  -h, --help  this text\n\n"
		"Exit status: that of CMD; 127 if there is no CMD, 126 if it cannot be\n"
		"run; 1 if sockets cannot be attached; 2 for wrong usage.\n",
	.main = run_main,
};
