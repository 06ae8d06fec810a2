// SPDX-License-Identifier: GPL-2.0
/* Sends to bench/receiver, by any mechanism, and says what it cost. */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "options.h"
#include "send_job.h"

static const char usage[] =
	"usage: sender [OPTION...] HOST\n"
	"\n"
	"Sends to bench/receiver on HOST, and prints one line of KEY=VALUE.\n"
	"\n"
	"  -m MECHANISM   copy (the default; plain send), loan (of an attached socket), xout\n"
	"                 (packets), zerocopy (MSG_ZEROCOPY), send_zc (io_uring's), sendfile,\n"
	"                 splice, vmsplice\n"
	"  -t TRANSPORT   tcp (default) or udp\n"
	"  -s BYTES       a call (default 64K)\n"
	"  -p PATTERN     the buffer: same (default), rotate (several in turn), rewrite (all\n"
	"                 of it before each call), part (one page of every 16), fresh (mapped\n"
	"                 for each call), file (windows of a mapped file in turn)\n"
	"  -n BUFFERS     so many in turn (default 16 for rotate and file, else 1)\n"
	"  -r RX          how it is received: recv (default), trunc (discarded), zcrecv\n"
	"                 (TCP_ZEROCOPY_RECEIVE), peek (in place, libsockloan)\n"
	"  -C CONNECTIONS (default 1)\n"
	"  -T THREADS     that send (default 1); connections are dealt out to them\n"
	"  -b BYTES       to send in all (default 128M)\n"
	"  -w BYTES       to send before the clock starts (default 16M)\n"
	"  -c             fill buffers with what tells where it belongs; the receiver looks at\n"
	"                 every byte\n"
	"  -B             both ends under SCHED_BATCH: nobody preempts another\n"
	"  -P PORT        the receiver's (default 5310)\n"
	"  -E             write to buffers too early, as no program may: to see that -c finds it\n"
	"\n"
	"bytes, seconds: after warming up, until all was received; busy_ns: of all processors\n"
	"here; rx_busy_ns: of the receiver's; bytes_lent, bytes_copied: by the sending kernel,\n"
	"- when the mechanism does not tell; checked: right bytes, warm-up included\n";

struct options {
	struct job job;
	unsigned int port;
	uint64_t bytes;
	uint64_t warm_up;
	bool early;
};

static void set(struct options *o, int option)
{
	struct job *job = &o->job;

	switch (option) {
	case 'm':
		job->mechanism =
			name_option('m', optarg, mechanism_names, MECHANISMS);
		break;
	case 't':
		job->transport =
			name_option('t', optarg, transport_names, TRANSPORTS);
		break;
	case 's':
		job->size = bytes_option('s', optarg, 1, MAX_SIZE);
		break;
	case 'p':
		job->pattern =
			name_option('p', optarg, pattern_names, PATTERNS);
		break;
	case 'n':
		job->buffers = number_option('n', optarg, 1, 65536);
		break;
	case 'r':
		job->rx = name_option('r', optarg, rx_names, RXS);
		break;
	case 'C':
		job->connections =
			number_option('C', optarg, 1, MAX_CONNECTIONS);
		break;
	case 'T':
		job->threads = number_option('T', optarg, 1, MAX_CONNECTIONS);
		break;
	case 'b':
		o->bytes = bytes_option('b', optarg, 1, 1ULL << 50);
		break;
	case 'w':
		o->warm_up = bytes_option('w', optarg, 0, 1ULL << 50);
		break;
	case 'c':
		job->check = true;
		break;
	case 'B':
		job->batch = true;
		break;
	case 'P':
		o->port = number_option('P', optarg, 1, 65535);
		break;
	case 'E':
		o->early = true;
		break;
	default:
		fputs(usage, option == 'h' ? stdout : stderr);
		exit(option == 'h' ? 0 : 2);
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	struct job *job = &o->job;
	uint64_t each;
	const char *why;
	int option;

	while ((option = getopt(argc, argv, "m:t:s:p:n:r:C:T:b:w:cBP:Eh")) !=
	       -1)
		set(o, option);
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	if (!job->buffers)
		job->buffers =
			job->pattern == ROTATE || job->pattern == MAPPED ? 16 :
									   1;
	each = job->size * job->connections;
	job->calls = (o->bytes + each - 1) / each;
	job->warm_up = (o->warm_up + each - 1) / each;
	why = job_nonsense(job);
	if (why)
		errx(2, "-m %s -t %s -s %zu -p %s -r %s%s: %s",
		     mechanism_names[job->mechanism],
		     transport_names[job->transport], job->size,
		     pattern_names[job->pattern], rx_names[job->rx],
		     job->check ? " -c" : "", why);
}

static void print_bytes(const char *name, int64_t bytes)
{
	if (bytes < 0)
		printf(" %s=-", name);
	else
		printf(" %s=%" PRId64, name, bytes);
}

static void print(const struct job *job, const struct outcome *outcome)
{
	printf("mechanism=%s transport=%s size=%zu pattern=%s buffers=%ju rx=%s"
	       " connections=%ju threads=%ju bytes=%ju seconds=%.9f"
	       " busy_ns=%" PRId64 " rx_busy_ns=%" PRId64,
	       mechanism_names[job->mechanism], transport_names[job->transport],
	       job->size, pattern_names[job->pattern], job->buffers,
	       rx_names[job->rx], job->connections, job->threads,
	       job->calls * job->connections * job->size, outcome->wall / 1e9,
	       outcome->busy, outcome->rx_busy);
	print_bytes("bytes_lent", outcome->usage.lent);
	print_bytes("bytes_copied", outcome->usage.copied);
	printf(" checked=%ju rx_mapped=%ju rx_copied=%ju\n", outcome->checked,
	       outcome->rx_mapped, outcome->rx_copied);
}

int main(int argc, char **argv)
{
	struct options o = {
		.job = { .mechanism = COPY,
			 .size = 64 << 10,
			 .connections = 1,
			 .threads = 1 },
		.port = DEFAULT_PORT,
		.bytes = 128 << 20,
		.warm_up = 16 << 20,
	};
	struct outcome outcome;
	uint64_t expected;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	parse(&o, argc, argv);
	send_job(&o.job, argv[optind], o.port, o.early, &outcome);
	print(&o.job, &outcome);
	expected =
		(o.job.warm_up + o.job.calls) * o.job.connections * o.job.size;
	if (o.job.check && outcome.checked != expected)
		errx(1, "%ju bytes were checked, not %ju", outcome.checked,
		     expected);
	return 0;
}
