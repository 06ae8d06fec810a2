// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan attach, sockloan detach: sockets of a running process
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockloan.h>

#include "target.h"

/**
 * struct verb - attach or detach
 * @request: the ioctl
 * @done: "attached"
 * @no_change: errno of a socket that is so already
 * @unchanged: how to call that
 */
struct verb {
	unsigned long request;
	const char *done;
	int no_change;
	const char *unchanged;
};

/**
 * struct tally - what became of the sockets
 * @done: attached, or detached
 * @unchanged: were so already
 * @skipped: nothing that could be, or closed meanwhile
 * @failed: each told the user why
 */
struct tally {
	unsigned int done;
	unsigned int unchanged;
	unsigned int skipped;
	unsigned int failed;
};

/* Returns 0 or an errno value. */
static int apply_to_fd(int device, const struct verb *verb,
		       const struct target *target, int fd)
{
	struct sockloan_attach arg = { .size = sizeof(arg) };
	int error = 0;

	arg.fd = target_borrow(target, fd);
	if (arg.fd < 0)
		return errno;
	if (ioctl(device, verb->request, &arg))
		error = errno;
	close(arg.fd);
	return error;
}

static int skippable(int error)
{
	return error == EOPNOTSUPP || error == ENOTSOCK || error == EBADF;
}

static void apply(int device, const struct verb *verb,
		  const struct target *target, struct tally *tally)
{
	size_t i;
	int error;

	for (i = 0; i < target->nr; i++) {
		error = apply_to_fd(device, verb, target, target->fds[i].fd);
		if (!error) {
			tally->done++;
		} else if (error == verb->no_change) {
			tally->unchanged++;
		} else if (!target->named && skippable(error)) {
			tally->skipped++;
		} else {
			tally->failed++;
			warnx("process %d, descriptor %d: %s", target->pid,
			      target->fds[i].fd, device_strerror(error));
		}
	}
}

static void report(const struct verb *verb, const struct target *target,
		   const struct tally *tally)
{
	printf("process %d: %s %u TCP or UDP socket%s", target->pid, verb->done,
	       tally->done, tally->done == 1 ? "" : "s");
	if (tally->unchanged)
		printf(", %u %s", tally->unchanged, verb->unchanged);
	if (tally->skipped)
		printf(", skipped %u of another kind", tally->skipped);
	putchar('\n');
}

static int change(const struct command *self, const struct verb *verb, int argc,
		  char **argv)
{
	struct tally tally = {};
	struct target target;
	int status, device;

	status = parse_help_only(self, argc, argv);
	if (status != PARSE_ON)
		return status;
	if (optind == argc)
		return usage_error(self, "no process number");
	status = target_parse(self, &target, argv[optind], argc - optind - 1,
			      argv + optind + 1);
	if (status != STATUS_OK)
		return status;

	status = STATUS_FAILURE;
	device = device_open();
	if (device < 0)
		goto out;
	if (target_open(&target))
		goto out_device;
	apply(device, verb, &target, &tally);
	report(verb, &target, &tally);
	if (!tally.failed && tally.done + tally.unchanged)
		status = STATUS_OK;
out_device:
	close(device);
out:
	target_close(&target);
	return status;
}

static int attach(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {
		.request = SOCKLOAN_IOC_ATTACH,
		.done = "attached",
		.no_change = EALREADY,
		.unchanged = "attached already",
	};

	return change(self, &verb, argc, argv);
}

static int detach(const struct command *self, int argc, char **argv)
{
	static const struct verb verb = {
		.request = SOCKLOAN_IOC_DETACH,
		.done = "detached",
		.no_change = ENOENT,
		.unchanged = "not attached",
	};

	return change(self, &verb, argc, argv);
}

const struct command cmd_attach = {
	.name = "attach",
	.summary = "attach TCP and UDP sockets of a running process",
	.usage =
		"Usage: sockloan attach PID [FD...]\n\n"
		"Lend the large sends of these sockets of process PID from now on.\n"
		"Without FD: of every TCP and UDP socket that the process has open now.\n"
		"Sockets accepted later from an attached listener are attached too.\n\n"
		"  -h, --help  this text\n",
	.main = attach,
};

const struct command cmd_detach = {
	.name = "detach",
	.summary = "make them copy again",
	.usage =
		"Usage: sockloan detach PID [FD...]\n\n"
		"Copy every send of these sockets of process PID again.\n"
		"Without FD: of every TCP and UDP socket that the process has open now.\n"
		"The module stays in use until the sockets are closed.\n\n"
		"  -h, --help  this text\n",
	.main = detach,
};
