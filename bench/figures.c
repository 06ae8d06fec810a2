// SPDX-License-Identifier: GPL-2.0
/*
 * The table of what a loan gains.  For the instruction-count mode of vm/run:
 * anywhere else the figures are as noisy as the machine.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "compare.h"

static const char usage[] =
	"usage: figures [-l] [-b MIB] [-r ROUNDS] [-o copy|loan [-s]] [NAME]\n"
	"\n"
	"Prints the rates of plain and of attached sockets, and their ratios.\n"
	"\n"
	"  -l          list the rows\n"
	"  -b MIB      how much a transfer sends (default 128)\n"
	"  -r ROUNDS   transfers of each side, in turn (default 2)\n"
	"  -o SIDE     only this side, once: for profiles\n"
	"  -s          with -o: under SCHED_BATCH\n"
	"  NAME        only the rows that have this in their name\n";

/* What a row is that is no transfer of our own. */
enum special {
	OURS,
	IPERF,
};

/**
 * struct row - one line of the table
 * @name: what is sent
 * @target: the ratio to reach, 0 for none
 * @plain: what the plain socket does
 * @copied: none of it is to be lent
 */
struct row {
	const char *name;
	double target;
	enum how plain;
	enum special special;
	bool copied;
	struct transfer transfer;
};

#define KIB(n) ((size_t)(n) << 10)

static const struct row rows[] = {
	{ .name = "iperf3, 128 KiB, stock receiver",
	  .target = 1.8,
	  .special = IPERF },
	{ .name = "64 KiB re-sent, discards",
	  .target = 1.35,
	  .transfer = { .size = KIB(64) } },
	{ .name = "256 KiB re-sent, discards",
	  .target = 1.5,
	  .transfer = { .size = KIB(256) } },
	{ .name = "64 KiB re-sent, reads",
	  .target = 1.6,
	  .transfer = { .size = KIB(64), .reads = true } },
	{ .name = "64 KiB re-sent, reads, against MSG_ZEROCOPY",
	  .plain = BY_ZEROCOPY,
	  .transfer = { .size = KIB(64), .reads = true } },
	{ .name = "256 KiB re-sent, reads",
	  .transfer = { .size = KIB(256), .reads = true } },
	{ .name = "4 KiB re-sent, discards",
	  .target = 1.25,
	  .transfer = { .size = KIB(4) } },
	{ .name = "4 KiB re-sent, reads",
	  .target = 1.25,
	  .transfer = { .size = KIB(4), .reads = true } },

	{ .name = "rewritten, 4 KiB, discards",
	  .target = 0.97,
	  .transfer = { .size = KIB(4), .rewrite = 16 } },
	{ .name = "rewritten, 16 KiB, discards",
	  .target = 0.97,
	  .transfer = { .size = KIB(16), .rewrite = 16 } },
	{ .name = "rewritten, 64 KiB, discards",
	  .target = 0.97,
	  .transfer = { .size = KIB(64), .rewrite = 16 } },
	{ .name = "rewritten, 256 KiB, discards",
	  .target = 0.97,
	  .transfer = { .size = KIB(256), .rewrite = 16 } },
	{ .name = "rewritten, 1 MiB, discards",
	  .target = 0.97,
	  .transfer = { .size = KIB(1024), .rewrite = 16 } },
	{ .name = "rewritten, 4 KiB, reads",
	  .target = 0.97,
	  .transfer = { .size = KIB(4), .rewrite = 16, .reads = true } },
	{ .name = "rewritten, 16 KiB, reads",
	  .target = 0.97,
	  .transfer = { .size = KIB(16), .rewrite = 16, .reads = true } },
	{ .name = "rewritten, 64 KiB, reads",
	  .target = 0.97,
	  .transfer = { .size = KIB(64), .rewrite = 16, .reads = true } },
	{ .name = "rewritten, 256 KiB, reads",
	  .target = 0.97,
	  .transfer = { .size = KIB(256), .rewrite = 16, .reads = true } },
	{ .name = "rewritten, 1 MiB, reads",
	  .target = 0.97,
	  .transfer = { .size = KIB(1024), .rewrite = 16, .reads = true } },

	{ .name = "mapped file, 1 MiB windows, reads",
	  .target = 1.4,
	  .transfer = { .size = KIB(1024),
			.memory = MAPPED_FILE,
			.buffers = 16,
			.reads = true } },
	{ .name = "mapped file, 1 MiB, reads, against sendfile",
	  .target = 1.5,
	  .plain = BY_SENDFILE,
	  .transfer = { .size = KIB(1024),
			.memory = MAPPED_FILE,
			.buffers = 16,
			.reads = true } },
	{ .name = "mapped file, 1 MiB windows, discards",
	  .target = 1.4,
	  .transfer = { .size = KIB(1024),
			.memory = MAPPED_FILE,
			.buffers = 16 } },
	{ .name = "mapped file, 1 MiB, discards, against sendfile",
	  .target = 1.5,
	  .plain = BY_SENDFILE,
	  .transfer = { .size = KIB(1024),
			.memory = MAPPED_FILE,
			.buffers = 16 } },

	{ .name = "UDP, 60 KiB datagrams, discards",
	  .target = 1.3,
	  .transfer = { .size = KIB(60), .udp = true } },
	{ .name = "UDP, 60 KiB datagrams, reads",
	  .target = 1.3,
	  .transfer = { .size = KIB(60), .udp = true, .reads = true } },
	{ .name = "UDP, 60000 bytes, unaligned, discards",
	  .target = 1.3,
	  .transfer = { .size = 60000, .offset = 100, .udp = true } },
	{ .name = "UDP, 60000 bytes, unaligned, reads",
	  .target = 1.3,
	  .transfer = { .size = 60000,
			.offset = 100,
			.udp = true,
			.reads = true } },

	{ .name = "below the threshold, 64 bytes",
	  .target = 0.99,
	  .copied = true,
	  .transfer = { .size = 64 } },
	{ .name = "below the threshold, 256 bytes",
	  .target = 0.99,
	  .copied = true,
	  .transfer = { .size = 256 } },
	{ .name = "below the threshold, 1 KiB",
	  .target = 0.99,
	  .copied = true,
	  .transfer = { .size = KIB(1) } },
	{ .name = "below the threshold, 2 KiB",
	  .target = 0.99,
	  .copied = true,
	  .transfer = { .size = KIB(2) } },

	{ .name = "huge pages, 256 KiB re-sent, discards",
	  .target = 1.6,
	  .transfer = { .size = KIB(256), .memory = HUGE_PAGES } },
	{ .name = "huge pages, 256 KiB re-sent, reads",
	  .transfer = { .size = KIB(256),
			.memory = HUGE_PAGES,
			.reads = true } },

	{ .name = "habit: 1 page of 16 rewritten, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .rewrite = 1, .reads = true } },
	{ .name = "habit: 4 pages of 16 rewritten, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .rewrite = 4, .reads = true } },
	{ .name = "habit: 8 pages of 16 rewritten, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .rewrite = 8, .reads = true } },
	{ .name = "habit: a fresh mapping each, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .fresh = true, .reads = true } },
	{ .name = "habit: a fresh mapping each, 1 MiB, reads",
	  .transfer = { .size = KIB(1024), .fresh = true, .reads = true } },
	{ .name = "habit: a large array sent once, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .once = true, .reads = true } },
	{ .name = "habit: the same of huge pages, 64 KiB, reads",
	  .transfer = { .size = KIB(64),
			.once = true,
			.memory = HUGE_PAGES,
			.reads = true } },
	{ .name = "habit: 64 buffers in turn, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .buffers = 64, .reads = true } },
	{ .name = "habit: 64 buffers in turn, rewritten, 64 KiB, reads",
	  .transfer = { .size = KIB(64),
			.buffers = 64,
			.rewrite = 16,
			.reads = true } },
	{ .name = "habit: 8 connections in turn, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .connections = 8, .reads = true } },
	{ .name = "habit: 8 connections, rewritten, 64 KiB, reads",
	  .transfer = { .size = KIB(64),
			.connections = 8,
			.rewrite = 16,
			.reads = true } },
	{ .name = "habit: never written, 64 KiB, reads",
	  .transfer = { .size = KIB(64), .memory = UNTOUCHED, .reads = true } },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

/* Whether the module has what the row is about. */
static bool supported(const struct row *row)
{
	long value;

	switch (row->transfer.memory) {
	case MAPPED_FILE:
		return get_setting("file", &value);
	case HUGE_PAGES:
		return counter("PagesHuge") >= 0;
	default:
		return true;
	}
}

static bool measure(const struct row *row, bool batch,
		    const struct effort *effort, struct comparison *result)
{
	struct transfer transfer = row->transfer;

	if (row->special == IPERF) {
		compare_iperf(batch, effort, result);
		return true;
	}
	transfer.batch = batch;
	return compare(transfer, row->plain, effort, result);
}

/* False when something that ought to be lent was not, or the reverse. */
static bool print(const struct row *row, const struct effort *effort)
{
	struct comparison usual, undisturbed;
	char target[16] = "";
	double ratio;

	printf("%-52s ", row->name);
	fflush(stdout);
	if (!supported(row) || !measure(row, false, effort, &usual)) {
		puts("not supported");
		return true;
	}
	ratio = usual.loan / usual.copy;
	if (row->target)
		snprintf(target, sizeof(target), "%.2f%s", row->target,
			 ratio < row->target ? " !" : "");
	printf("%7.0f %7.0f %6.3f  %-7s", usual.copy, usual.loan, ratio,
	       target);
	fflush(stdout);
	measure(row, true, effort, &undisturbed);
	printf("%7.0f %7.0f %6.3f %6.1f\n", undisturbed.copy, undisturbed.loan,
	       undisturbed.loan / undisturbed.copy, 100 * usual.lent);
	fflush(stdout);
	if (row->copied == !usual.lent)
		return true;
	warnx("%s: lent %s", row->name,
	      row->copied ? "what is too small" : "nothing");
	return false;
}

static void heading(void)
{
	printf("%-52s %31s %22s\n", "", "usual scheduling       ",
	       "no preemption    ");
	printf("%-52s %7s %7s %6s  %-7s%7s %7s %6s %6s\n", "", "copy", "loan",
	       "", "", "copy", "loan", "", "% of");
	printf("%-52s %7s %7s %6s  %-7s%7s %7s %6s %6s\n", "case", "MB/s",
	       "MB/s", "ratio", "target", "MB/s", "MB/s", "ratio", "it lent");
}

static void one_side(const struct row *row, bool lend, bool batch, size_t bytes)
{
	struct transfer transfer = row->transfer;
	struct result result;

	if (row->special == IPERF)
		errx(2, "-o is not for iperf3");
	transfer.lend = lend;
	transfer.batch = batch;
	transfer.how = lend ? BY_SEND : row->plain;
	if (!run_transfer(&transfer, bytes, &result))
		errx(1, "not supported");
	printf("%-52s %7.0f\n", row->name, result.rate);
}

int main(int argc, char **argv)
{
	struct effort effort = { .bytes = 128 << 20, .rounds = 2 };
	const char *side = NULL, *name;
	bool list = false, batch = false, ok = true;
	size_t i, found = 0;
	long file = 0;
	int option;

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
			effort.bytes = strtoull(optarg, NULL, 0) << 20;
			break;
		case 'r':
			effort.rounds = atoi(optarg);
			break;
		case 'o':
			side = optarg;
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
	if (!effort.bytes || effort.rounds < 1 ||
	    (side && strcmp(side, "copy") && strcmp(side, "loan"))) {
		fputs(usage, stderr);
		return 2;
	}
	name = optind < argc ? argv[optind] : "";
	if (!list) {
		get_setting("file", &file);
		set_setting("file", 1);
		if (!side)
			heading();
	}
	for (i = 0; i < ROWS; i++) {
		if (!strstr(rows[i].name, name))
			continue;
		found++;
		if (list)
			puts(rows[i].name);
		else if (side)
			one_side(&rows[i], !strcmp(side, "loan"), batch,
				 effort.bytes);
		else if (!print(&rows[i], &effort))
			ok = false;
	}
	if (!list)
		set_setting("file", file);
	if (!found)
		errx(2, "no row has '%s' in its name", name);
	return !ok;
}
