// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan monitor: what every attached socket is doing, again and again
 */
#include <getopt.h>
#include <unistd.h>

#include "report.h"

/**
 * struct monitor_options - the command line
 * @pid: process whose sockets to show, 0 for everybody's
 * @count: how many reports, 0 for no end
 * @seconds: time between two
 * @json: for programs
 */
struct monitor_options {
	int pid;
	int count;
	double seconds;
	bool json;
};

/* Returns PARSE_ON, or the status to exit with. */
static int parse_number(const struct command *self, const char *what,
			int *number)
{
	if (!parse_int(optarg, 1, number))
		return PARSE_ON;
	return usage_error(self, "'%s' is not a %s", optarg, what);
}

static int parse(const struct command *self, struct monitor_options *options,
		 int argc, char **argv)
{
	static const struct option longs[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "pid", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int status = PARSE_ON, c;

	while (status == PARSE_ON &&
	       (c = getopt_long(argc, argv, "i:n:jp:h", longs, NULL)) != -1) {
		switch (c) {
		case 'i':
			status =
				parse_interval(self, optarg, &options->seconds);
			break;
		case 'n':
			status = parse_number(self, "number of reports",
					      &options->count);
			break;
		case 'j':
			options->json = true;
			break;
		case 'p':
			status = parse_number(self, "process number",
					      &options->pid);
			break;
		case 'h':
			fputs(self->usage, stdout);
			return STATUS_OK;
		default:
			return usage_error(self, NULL);
		}
	}
	if (status == PARSE_ON && optind < argc)
		return usage_error(self, "'%s' not expected here",
				   argv[optind]);
	return status;
}

/* Returns 0, or -1 and the user knows. */
static int show(const struct report *report, bool json)
{
	if (!json)
		return watch_print(report_print, report);
	report_print_json(stdout, report);
	return fflush(stdout);
}

/* Returns 0; 1: the user wants no more; or -1 and knows why. */
static int report(const struct monitor_options *options,
		  const struct attached *now, const struct attached *before)
{
	struct report report = {};
	struct pools pools;
	struct ss ss;
	int ret;

	/* A socket may be in a pool that another process has. */
	ret = pools_read(&pools, 0);
	if (ret)
		goto out_pools;
	ret = ss_read(&ss);
	if (ret)
		goto out_ss;
	ret = report_make(&report, now, before, &pools, &ss);
	if (!ret)
		ret = show(&report, options->json);
	report_free(&report);
out_ss:
	ss_free(&ss);
out_pools:
	pools_free(&pools);
	return ret;
}

static int watch(const struct monitor_options *options, int device)
{
	struct attached looks[2] = {};
	struct attached *now = &looks[0], *before = &looks[1], *other;
	int reports = 0, ret;
	struct ss ss;

	watch_begin();
	/* Whether there is one should not come out after the first interval. */
	ret = ss_read(&ss);
	ss_free(&ss);
	if (!ret)
		ret = attached_read(before, device, options->pid);
	while (!ret && !watch_wait(options->seconds)) {
		ret = attached_read(now, device, options->pid);
		if (!ret)
			ret = report(options, now, before);
		attached_free(before);
		other = before;
		before = now;
		now = other;
		if (++reports == options->count)
			break;
	}
	attached_free(&looks[0]);
	attached_free(&looks[1]);
	return ret < 0 ? STATUS_FAILURE : STATUS_OK;
}

static int monitor(const struct command *self, int argc, char **argv)
{
	struct monitor_options options = { .seconds = 1 };
	int status, device;

	status = parse(self, &options, argc, argv);
	if (status != PARSE_ON)
		return status;
	device = device_open();
	if (device < 0)
		return STATUS_FAILURE;
	status = watch(&options, device);
	close(device);
	return status;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.summary = "watch every attached socket: rates, queues, pools, peers",
	.usage =
		"Usage: sockloan monitor [-j] [-i SECONDS] [-n COUNT] [-p PID]\n\n"
		"Show every attached socket on this machine, as far as the caller may see\n"
		"it, with its rates and with what ss(8) says of it, until Ctrl-C.\n\n"
		"  -i, --interval SECONDS  how often, and what the rates are about; 1 unless\n"
		"                          given\n"
		"  -n, --count COUNT       end after so many reports\n"
		"  -j, --json              an array of JSON objects, one a line\n"
		"  -p, --pid PID           only sockets that process PID has open\n"
		"  -h, --help              this text\n",
	.main = monitor,
};
