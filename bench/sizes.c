// SPDX-License-Identifier: GPL-2.0
/*
 * Sends of many sizes over loopback TCP, from a plain and from an attached
 * socket in turn.  For the instruction-count mode of vm/run: anywhere else the
 * figures are as noisy as the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"

static const char usage[] =
	"usage: sizes [-w] [-r] [-p] [-b BYTES] [-s SIZE]\n"
	"\n"
	"Prints, for sends of 64 bytes to 1 MiB, the rate of a plain socket, of an\n"
	"attached one, and the ratio of the two.\n"
	"\n"
	"  -w        write the whole buffer anew before every send\n"
	"  -r        the receiver reads the data (it discards it with MSG_TRUNC else)\n"
	"  -p        let the receiver preempt the sender, as is the default of the\n"
	"            kernel (both run under SCHED_BATCH else)\n"
	"  -b BYTES  how much to send for each figure (default 64 MiB)\n"
	"  -s SIZE   only sends of SIZE bytes\n";

static void row(const struct transfer *transfer, const struct effort *effort)
{
	struct comparison result;

	compare(*transfer, BY_SEND, effort, &result);
	printf("%8zu %10.1f %10.1f %7.3f %6.0f\n", transfer->size, result.copy,
	       result.loan, result.loan / result.copy, 100 * result.lent);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct transfer transfer = { .batch = true };
	struct effort effort = { .bytes = 64 << 20, .rounds = 2 };
	int option;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "wrpb:s:h")) != -1) {
		switch (option) {
		case 'w':
			transfer.rewrite = 16;
			break;
		case 'r':
			transfer.reads = true;
			break;
		case 'p':
			transfer.batch = false;
			break;
		case 'b':
			effort.bytes = strtoull(optarg, NULL, 0);
			break;
		case 's':
			transfer.size = strtoull(optarg, NULL, 0);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	printf("%s, receiver %s%s\n",
	       transfer.rewrite ? "rewritten before every send" :
				  "sent again and again",
	       transfer.reads ? "reads" : "discards",
	       transfer.batch ? "" : " and preempts");
	printf("%8s %10s %10s %7s %6s\n", "bytes", "plain MB/s", "lent MB/s",
	       "ratio", "% lent");
	if (transfer.size) {
		row(&transfer, &effort);
		return 0;
	}
	for (transfer.size = 64; transfer.size <= 1 << 20;
	     transfer.size *= transfer.size < 1024 ? 4 : 2)
		row(&transfer, &effort);
	return 0;
}
