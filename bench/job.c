// SPDX-License-Identifier: GPL-2.0
/* What is sent and received in one measurement, as both ends know it. */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "job.h"
#include "options.h"

const char *const transport_names[TRANSPORTS] = { "tcp", "udp" };
const char *const mechanism_names[MECHANISMS] = {
	"copy",	  "zerocopy", "send_zc", "sendfile",
	"splice", "vmsplice", "loan",	 "xout",
};
const char *const pattern_names[PATTERNS] = {
	"same", "rotate", "rewrite", "part", "fresh", "file",
};
const char *const rx_names[RXS] = { "recv", "trunc", "zcrecv", "peek" };

static const char *udp_nonsense(const struct job *job)
{
	if (job->size > MAX_DATAGRAM)
		return "no datagram is that large";
	if (job->rx == ZCRECV)
		return "TCP_ZEROCOPY_RECEIVE is TCP's";
	if (job->mechanism == SENDFILE || job->mechanism == SPLICE ||
	    job->mechanism == VMSPLICE)
		return "pipes and files know nothing of datagrams' ends";
	return NULL;
}

static const char *pattern_nonsense(const struct job *job)
{
	bool file = job->mechanism == SENDFILE || job->mechanism == SPLICE;
	bool written = job->pattern == REWRITE || job->pattern == PART;

	if (file && job->pattern != MAPPED)
		return "this mechanism sends files only";
	if (job->mechanism == VMSPLICE && written)
		return "nothing tells when a buffer given to vmsplice() may be written to";
	if (job->mechanism == XOUT && !written && job->pattern != SAME)
		return "packets are memory of a pool, each given away by its call";
	if (job->mechanism == XOUT && job->buffers > 1)
		return "a pool's packets take turns by themselves";
	if (job->pattern == PART && job->size <= PAGE)
		return "a part of a buffer is one page: nothing else is left of this one";
	if (job->pattern == FRESH && job->buffers > 1)
		return "fresh mappings take no turns";
	if (job->pattern == ROTATE && job->buffers < 2)
		return "one buffer takes no turns";
	return NULL;
}

const char *job_nonsense(const struct job *job)
{
	const char *why = NULL;

	if (!job->size || job->size > MAX_SIZE)
		return "a call sends 1 byte to 64 MiB";
	if (!job->buffers || job->buffers > 65536)
		return "there can be 1 to 65536 buffers";
	if (!job->connections || job->connections > MAX_CONNECTIONS)
		return "there can be 1 to 256 connections";
	if (!job->threads || job->threads > job->connections)
		return "each thread needs a connection";
	if (!job->calls)
		return "nothing to send";
	if (job->warm_up > 1ULL << 40 || job->calls > 1ULL << 40)
		return "that takes years";
	if (job->check && job->rx == TRUNC)
		return "what is discarded cannot be checked";
	if (job->transport == UDP)
		why = udp_nonsense(job);
	return why ? why : pattern_nonsense(job);
}

void job_print(const struct job *job, char *line, size_t room)
{
	int n = snprintf(
		line, room, "job 1 %s %s %s %s %zu %ju %ju %ju %ju %ju %d %d",
		transport_names[job->transport],
		mechanism_names[job->mechanism], pattern_names[job->pattern],
		rx_names[job->rx], job->size, job->buffers, job->connections,
		job->threads, job->warm_up, job->calls, job->check, job->batch);

	if (n < 0 || (size_t)n >= room)
		errx(1, "a job too long to tell");
}

/* The next word of @rest */
static bool name(char **rest, const char *const *names, int count, void *value)
{
	char *word = strsep(rest, " ");
	int *to = value;

	return word && find_name(word, names, count, to);
}

static bool number(char **rest, uint64_t *value)
{
	char *word = strsep(rest, " ");

	return word && parse_number(word, UINT64_MAX, value);
}

bool job_parse(struct job *job, char *line)
{
	uint64_t size, check, batch;
	char *rest = line;
	bool good;

	if (strncmp(line, "job 1 ", 6))
		return false;
	rest += 6;
	good = name(&rest, transport_names, TRANSPORTS, &job->transport) &&
	       name(&rest, mechanism_names, MECHANISMS, &job->mechanism) &&
	       name(&rest, pattern_names, PATTERNS, &job->pattern) &&
	       name(&rest, rx_names, RXS, &job->rx) && number(&rest, &size) &&
	       number(&rest, &job->buffers) &&
	       number(&rest, &job->connections) &&
	       number(&rest, &job->threads) && number(&rest, &job->warm_up) &&
	       number(&rest, &job->calls) && number(&rest, &check) &&
	       number(&rest, &batch) && !rest && check < 2 && batch < 2;
	if (!good)
		return false;
	job->size = size;
	job->check = check;
	job->batch = batch;
	return !job_nonsense(job);
}

uint64_t job_share(const struct job *job, uint64_t thread)
{
	return (job->connections - thread + job->threads - 1) / job->threads;
}

void job_schedule(const struct job *job)
{
	struct sched_param none = { 0 };

	if (job->batch && sched_setscheduler(0, SCHED_BATCH, &none))
		err(1, "SCHED_BATCH");
}
