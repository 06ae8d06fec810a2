// SPDX-License-Identifier: GPL-2.0
/*
 * What receiving in place, packets that are given away, and forwarding gain, end to
 * end over loopback.  For the instruction-count mode of vm/run, as figures is.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "flow.h"

static const char usage[] =
	"usage: receive [-l] [-b MIB] [-r ROUNDS] [-o SIDE [-s]] [NAME]\n"
	"\n"
	"Prints what two ways of sending and receiving the same come to, and their ratio.\n"
	"\n"
	"  -l          list the rows\n"
	"  -b MIB      how much a transfer sends (default 128)\n"
	"  -r ROUNDS   transfers of each side, in turn (default 2)\n"
	"  -o SIDE     only this side, 1 or 2, once: for profiles\n"
	"  -s          with -o: under SCHED_BATCH\n"
	"  NAME        only the rows that have this in their name\n";

/**
 * struct row - one line of the table
 * @name: the two sides
 * @target: how many times the rate of the first one the second has to have; 0: none
 * @side: the two
 */
struct row {
	const char *name;
	double target;
	struct flow side[2];
};

#define KIB(n) ((size_t)(n) << 10)

static const struct row rows[] = {
	{ .name = "256 KiB: send + recv, loan + peek",
	  .target = 1.45,
	  .side = { { .size = KIB(256) },
		    { .size = KIB(256), .send = LEND, .receive = PEEK } } },
	{ .name = "256 KiB: MSG_ZEROCOPY + TCP_ZEROCOPY_RECEIVE, loan + peek",
	  .target = 2.0,
	  .side = { { .size = KIB(256), .send = ZEROCOPY, .receive = REMAP },
		    { .size = KIB(256), .send = LEND, .receive = PEEK } } },
	{ .name = "256 KiB: send + recv, loan + discard",
	  .side = { { .size = KIB(256) },
		    { .size = KIB(256), .send = LEND, .receive = DISCARD } } },
	{ .name = "256 KiB: send + recv, loan + recv",
	  .side = { { .size = KIB(256) },
		    { .size = KIB(256), .send = LEND } } },
	{ .name = "64 KiB: send + recv, loan + peek",
	  .side = { { .size = KIB(64) },
		    { .size = KIB(64), .send = LEND, .receive = PEEK } } },
	{ .name = "64 KiB refilled: send + recv, xout + recv",
	  .target = 1.2,
	  .side = { { .size = KIB(64), .refill = true },
		    { .size = KIB(64), .refill = true, .send = XOUT } } },
	{ .name = "64 KiB refilled: send + discard, xout + discard",
	  .side = { { .size = KIB(64), .refill = true, .receive = DISCARD },
		    { .size = KIB(64),
		      .refill = true,
		      .send = XOUT,
		      .receive = DISCARD } } },
	{ .name = "64 KiB refilled: send + recv, xout + peek",
	  .side = { { .size = KIB(64), .refill = true },
		    { .size = KIB(64),
		      .refill = true,
		      .send = XOUT,
		      .receive = PEEK } } },
	{ .name = "64 KiB through a proxy: recv + send, forward",
	  .target = 1.4,
	  .side = { { .size = KIB(64), .proxy = COPIES },
		    { .size = KIB(64), .proxy = FORWARDS } } },
	{ .name = "64 KiB lent, through a proxy: recv + send, forward",
	  .side = { { .size = KIB(64), .send = LEND, .proxy = COPIES },
		    { .size = KIB(64), .send = LEND, .proxy = FORWARDS } } },
	{ .name = "64 KiB, segments of 1448 over veth: send + recv, send + peek",
	  .target = 0.95,
	  .side = { { .size = KIB(64), .segments = true },
		    { .size = KIB(64), .segments = true, .receive = PEEK } } },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static void compare(const struct row *row, bool batch, size_t bytes, int rounds,
		    double *rate)
{
	int i, k;

	rate[0] = 0;
	rate[1] = 0;
	for (i = 0; i < rounds; i++)
		for (k = 0; k < 2; k++)
			rate[k] +=
				run_flow(&row->side[k], batch, bytes) / rounds;
}

static void print(const struct row *row, size_t bytes, int rounds)
{
	char target[16] = "";
	double rate[2];

	printf("%-60s ", row->name);
	fflush(stdout);
	compare(row, false, bytes, rounds, rate);
	if (row->target)
		snprintf(target, sizeof(target), "%.2f%s", row->target,
			 rate[1] / rate[0] < row->target ? " !" : "");
	printf("%6.0f %6.0f %6.3f  %-7s", rate[0], rate[1], rate[1] / rate[0],
	       target);
	fflush(stdout);
	compare(row, true, bytes, rounds, rate);
	printf("%6.0f %6.0f %6.3f\n", rate[0], rate[1], rate[1] / rate[0]);
	fflush(stdout);
}

static void heading(void)
{
	printf("%-60s %29s %20s\n", "", "usual scheduling      ",
	       "no preemption   ");
	printf("%-60s %6s %6s %6s  %-7s%6s %6s %6s\n", "case", "first",
	       "second", "ratio", "target", "first", "second", "ratio");
}

int main(int argc, char **argv)
{
	size_t bytes = 128 << 20, i, found = 0;
	int rounds = 2, option, side = 0;
	const char *name;
	bool list = false, batch = false;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "lb:r:o:sh")) != -1) {
		switch (option) {
		case 'l':
			list = true;
			break;
		case 'b':
			bytes = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'o':
			side = atoi(optarg);
			break;
		case 's':
			batch = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!bytes || rounds < 1 || side < 0 || side > 2) {
		fputs(usage, stderr);
		return 2;
	}
	name = optind < argc ? argv[optind] : "";
	if (!list && !side)
		heading();
	for (i = 0; i < ROWS; i++) {
		if (!strstr(rows[i].name, name))
			continue;
		found++;
		if (list)
			puts(rows[i].name);
		else if (side)
			printf("%-60s %7.0f\n", rows[i].name,
			       run_flow(&rows[i].side[side - 1], batch, bytes));
		else
			print(&rows[i], bytes, rounds);
	}
	if (!found)
		errx(2, "no row has '%s' in its name", name);
	return 0;
}
