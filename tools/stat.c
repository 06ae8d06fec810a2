// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan stat: counters, of a network namespace or of single sockets
 */
#include <getopt.h>

#include "counters.h"
#include "sockstat.h"
#include "target.h"

/**
 * struct stat_options - the command line
 * @path: file to read counters from, NULL for this namespace's
 * @pid: process whose sockets to show, NULL for the namespace
 * @seconds: time between two looks, 0 for just one
 * @all: zeros too
 * @json: for programs
 */
struct stat_options {
	const char *path;
	const char *pid;
	double seconds;
	bool all;
	bool json;
};

static int parse(const struct command *self, struct stat_options *options,
		 int argc, char **argv)
{
	static const struct option longs[] = {
		{ "watch", optional_argument, NULL, 'w' },
		{ "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "pid", required_argument, NULL, 'p' },
		{ "file", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "w::ajp:f:h", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			status = parse_watch(self, &options->seconds, argc,
					     argv);
			if (status != PARSE_ON)
				return status;
			break;
		case 'a':
			options->all = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'p':
			options->pid = optarg;
			break;
		case 'f':
			options->path = optarg;
			break;
		case 'h':
			fputs(self->usage, stdout);
			return STATUS_OK;
		default:
			return usage_error(self, NULL);
		}
	}
	if (options->pid && (options->path || options->seconds))
		return usage_error(
			self, "-p goes with neither -f nor -w (use watch(1))");
	if (optind < argc && !options->pid)
		return usage_error(
			self,
			"'%s' not expected here (a descriptor needs -p PID)",
			argv[optind]);
	return PARSE_ON;
}

static int stat_sockets(const struct command *self,
			const struct stat_options *options, int nr_fds,
			char **fds)
{
	struct target target;
	int status;

	status = target_parse(self, &target, options->pid, nr_fds, fds);
	if (status != STATUS_OK)
		return status;
	if (target_open(&target))
		status = STATUS_FAILURE;
	else if (options->json)
		status = sockstat_json(&target);
	else
		status = sockstat_table(&target);
	target_close(&target);
	return status;
}

/**
 * struct view - what a look at the counters shows
 * @now: they
 * @before: those of the look before; NULL at first, when there are no rates
 * @all: zeros too
 */
struct view {
	const struct counters *now;
	const struct counters *before;
	bool all;
};

static void print_view(FILE *out, const void *arg)
{
	const struct view *view = arg;

	if (view->before)
		table_print_rates(out, view->now, view->before, view->all);
	else
		table_print(out, view->now, view->all);
}

/* Both return an exit status; main() tells of a failed standard output. */
static int watch_table(const char *path, double seconds, bool all)
{
	static struct counters counters[2];
	struct view view = { .all = all };
	unsigned int look = 0;

	watch_begin();
	do {
		view.now = &counters[look % 2];
		if (counters_read(&counters[look % 2], path) ||
		    watch_print(print_view, &view))
			return STATUS_FAILURE;
		view.before = view.now;
		look++;
	} while (!watch_wait(seconds));
	return STATUS_OK;
}

static int watch_json(const char *path, double seconds)
{
	static struct counters now;

	watch_begin();
	do {
		if (counters_read(&now, path))
			return STATUS_FAILURE;
		json_print(stdout, &now);
		if (fflush(stdout))
			return STATUS_FAILURE;
	} while (!watch_wait(seconds));
	return STATUS_OK;
}

static int stat_namespace(const struct stat_options *options)
{
	const char *path = options->path ? options->path : COUNTERS_PATH;
	static struct counters now;

	if (options->seconds && options->json)
		return watch_json(path, options->seconds);
	if (options->seconds)
		return watch_table(path, options->seconds, options->all);

	if (counters_read(&now, path))
		return STATUS_FAILURE;
	if (options->json)
		json_print(stdout, &now);
	else
		table_print(stdout, &now, options->all);
	return STATUS_OK;
}

static int stat_main(const struct command *self, int argc, char **argv)
{
	struct stat_options options = {};
	int status;

	status = parse(self, &options, argc, argv);
	if (status != PARSE_ON)
		return status;
	if (options.pid)
		return stat_sockets(self, &options, argc - optind,
				    argv + optind);
	return stat_namespace(&options);
}

const struct command cmd_stat = {
	.name = "stat",
	.summary = "show counters: what was lent, what was copied and why",
	.usage =
		"Usage: sockloan stat [-aj] [-w [SECONDS]] [-f FILE]\n"
		"       sockloan stat [-j] -p PID [FD...]\n\n"
		"Show the counters of this network namespace, or of the sockets of\n"
		"process PID that are or were attached.\n\n"
		"  -w, --watch[=SECONDS]  live, with rates, until Ctrl-C; every second,\n"
		"                         or every SECONDS\n"
		"  -a, --all              counters that are zero, too\n"
		"  -j, --json             one JSON object (with -w: one a line;\n"
		"                         with -p: an array of them)\n"
		"  -f, --file FILE        read counters from FILE, a saved copy of\n"
		"                         " COUNTERS_PATH "\n"
		"  -p, --pid PID [FD...]  counters of sockets; without FD, of all that\n"
		"                         PID has open\n"
		"  -h, --help             this text\n",
	.main = stat_main,
};
