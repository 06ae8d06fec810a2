// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan status: the module and its settings in this network namespace
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "counters.h"

#define MODULE_PATH "/sys/module/sockloan"
#define SYSCTL_PATH "/proc/sys/net/sockloan/"

static void print_row(const char *name, const char *value, const char *text)
{
	printf("%-10s %s%s\n", name, value, text);
}

static void print_module(void)
{
	char version[64], state[32];

	if (read_line(MODULE_PATH "/version", version, sizeof(version)))
		snprintf(version, sizeof(version), "unknown");
	if (read_line(MODULE_PATH "/initstate", state, sizeof(state)) ||
	    !strcmp(state, "live"))
		snprintf(state, sizeof(state), "loaded");
	printf("%-10s %s, version %s\n", "module", state, version);
}

/* Returns 0, or -1 after telling the user why it is not known. */
static int print_setting(const char *name, const char *text)
{
	char path[64], value[32];

	snprintf(path, sizeof(path), SYSCTL_PATH "%s", name);
	if (!read_line(path, value, sizeof(value))) {
		print_row(name, value, text);
		return 0;
	}
	warn("%s", path);
	print_row(name, "unknown", "");
	return -1;
}

static int print_settings(void)
{
	int ret = 0;

	ret |= print_setting("auto",
			     " (1: every new TCP and UDP socket is attached)");
	ret |= print_setting("threshold", " bytes (smaller sends are copied)");
	ret |= print_setting("chunk", " bytes (lent at a time)");
	ret |= print_setting("adapt", " (0: lend rewritten buffers, too)");
	ret |= print_setting("file",
			     " (files: 0 never, 1 without a writer, 2 always)");
	return ret;
}

static int print_sockets(void)
{
	static struct counters now;

	if (counters_read(&now, COUNTERS_PATH)) {
		print_row("sockets", "unknown", "");
		return -1;
	}
	printf("%-10s %llu attached in this network namespace\n", "sockets",
	       counters_get(&now, "Sockets"));
	return 0;
}

static int status_main(const struct command *self, int argc, char **argv)
{
	int status = parse_help_only(self, argc, argv);

	if (status != PARSE_ON)
		return status;
	if (optind < argc)
		return usage_error(self, "'%s' not expected here",
				   argv[optind]);
	if (access(MODULE_PATH, F_OK)) {
		print_row("module", "not loaded", " (modprobe sockloan)");
		return STATUS_FAILURE;
	}
	print_module();
	status = print_settings() ? STATUS_FAILURE : STATUS_OK;
	return print_sockets() ? STATUS_FAILURE : status;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "show whether the module is loaded, and its settings",
	.usage =
		"Usage: sockloan status\n\n"
		"Show whether the module is loaded, its version, its settings in this\n"
		"network namespace, and how many sockets are attached.\n\n"
		"  -h, --help  this text\n\n"
		"Exit status: 0 if the module is loaded, 1 if not, or if something of\n"
		"this cannot be read.\n",
	.main = status_main,
};
