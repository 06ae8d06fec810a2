// SPDX-License-Identifier: GPL-2.0
/*
 * Join attached sockets with pools and ss(8) by their inodes, and print them
 */
#include <err.h>
#include <stdlib.h>
#include <time.h>

#include "grid.h"
#include "report.h"

static double seconds_between(const struct timespec *from,
			      const struct timespec *to)
{
	return to->tv_sec - from->tv_sec + (to->tv_nsec - from->tv_nsec) / 1e9;
}

/* What went down belongs to a new socket with the inode of an old one. */
static double rate(unsigned long long now, unsigned long long before,
		   double seconds)
{
	if (before > now)
		before = 0;
	return seconds > 0 ? (now - before) / seconds : 0;
}

static int by_process(const void *a, const void *b)
{
	const struct report_line *l = a, *r = b;

	return attached_compare(l->socket, r->socket);
}

/*
 * All of @now, with rates since @before: a socket that was not there has done
 * all that it did since then.  Returns 0, or -1 after telling the user why not.
 */
int report_make(struct report *report, const struct attached *now,
		const struct attached *before, const struct pools *pools,
		const struct ss *ss)
{
	double seconds = seconds_between(&before->when, &now->when);
	size_t i;

	report->unseen = now->unseen;
	report->nr = now->nr;
	report->line = calloc(now->nr + 1, sizeof(*report->line));
	if (!report->line) {
		warn(NULL);
		return -1;
	}
	for (i = 0; i < now->nr; i++) {
		const struct attached_socket *socket = &now->socket[i];
		const struct attached_socket *old =
			attached_find(before, socket->inode);
		struct report_line *line = &report->line[i];

		line->socket = socket;
		line->ss = ss_find(ss, socket->inode);
		line->pool = pools_of(pools, socket->inode);
		line->lent = rate(socket->stat.stat.bytes_lent,
				  old ? old->stat.stat.bytes_lent : 0, seconds);
		line->copied = rate(socket->stat.stat.bytes_copied,
				    old ? old->stat.stat.bytes_copied : 0,
				    seconds);
	}
	qsort(report->line, report->nr, sizeof(*report->line), by_process);
	return 0;
}

static void print_sum(FILE *out, const struct report *report)
{
	double lent = 0, copied = 0;
	time_t now = time(NULL);
	char clock[16] = "";
	size_t i;

	for (i = 0; i < report->nr; i++) {
		lent += report->line[i].lent;
		copied += report->line[i].copied;
	}
	strftime(clock, sizeof(clock), "%T", localtime(&now));
	fprintf(out, "%s  %zu socket%s, lent %.1f MB/s, copied %.1f MB/s",
		clock, report->nr, report->nr == 1 ? "" : "s", lent / 1e6,
		copied / 1e6);
	if (report->unseen)
		fprintf(out, " (without %u processes: try as root)",
			report->unseen);
	fputc('\n', out);
}

static const struct grid_column columns[] = {
	{ "PID", false },	{ "COMMAND", true },	  { "FD", false },
	{ "PROTO", true },	{ "LOCAL", true },	  { "REMOTE", true },
	{ "CONN", true },	{ "RECV-Q", false },	  { "SEND-Q", false },
	{ "RETRANS", false },	{ "STATE", true },	  { "POOL", false },
	{ "LENT-MB/S", false }, { "COPIED-MB/S", false },
};

static void add_ss(struct grid *grid, const struct report_line *line)
{
	const struct sockstat *stat = &line->socket->stat;
	const struct ss_socket *ss = line->ss;

	grid_add(grid, "%s", ss ? ss->protocol : "-");
	grid_add(grid, "%s", ss ? ss->local : stat->local);
	grid_add(grid, "%s", ss ? ss->remote : stat->remote);
	grid_add(grid, "%s", ss ? ss->state : "-");
	if (ss) {
		grid_add(grid, "%u", ss->recv_q);
		grid_add(grid, "%u", ss->send_q);
		grid_add(grid, "%u", ss->retransmits);
	} else {
		grid_add(grid, "-");
		grid_add(grid, "-");
		grid_add(grid, "-");
	}
}

static void add_line(struct grid *grid, const struct report_line *line)
{
	const struct attached_socket *socket = line->socket;
	char word[PROC_WORD_SIZE];

	proc_word(socket->command, word);
	grid_add(grid, "%d", socket->pid);
	grid_add(grid, "%s", word);
	grid_add(grid, "%d", socket->stat.fd);
	add_ss(grid, line);
	grid_add(grid, "%s", sockstat_state(socket->stat.stat.state));
	if (line->pool)
		grid_add(grid, "%llu", line->pool);
	else
		grid_add(grid, "-");
	grid_add(grid, "%.1f", line->lent / 1e6);
	grid_add(grid, "%.1f", line->copied / 1e6);
}

/* @arg is a report: for watch_print() */
void report_print(FILE *out, const void *arg)
{
	struct grid grid = { .column = columns,
			     .nr_columns = ARRAY_SIZE(columns) };
	const struct report *report = arg;
	size_t i;

	print_sum(out, report);
	if (!report->nr)
		return;
	for (i = 0; i < report->nr; i++)
		add_line(&grid, &report->line[i]);
	grid_print(&grid, out);
}

static void print_ss_json(FILE *out, const struct report_line *line)
{
	const struct sockstat *stat = &line->socket->stat;
	const struct ss_socket *ss = line->ss;

	fprintf(out, "\"local\": \"%s\", \"remote\": \"%s\", ",
		ss ? ss->local : stat->local, ss ? ss->remote : stat->remote);
	if (!ss)
		return;
	fprintf(out, "\"protocol\": \"%s\", \"connection\": \"%s\", ",
		ss->protocol, ss->state);
	fprintf(out, "\"recv_q\": %u, \"send_q\": %u, \"retransmits\": %u, ",
		ss->recv_q, ss->send_q, ss->retransmits);
}

static void print_object(FILE *out, const struct report_line *line)
{
	const struct attached_socket *socket = line->socket;
	const struct sockloan_sockstat *s = &socket->stat.stat;

	fprintf(out, "{\"pid\": %d, \"command\": ", socket->pid);
	proc_print_json(out, socket->command);
	fprintf(out, ", \"fd\": %d, \"inode\": %llu, ", socket->stat.fd,
		socket->inode);
	print_ss_json(out, line);
	fprintf(out, "\"state\": \"%s\", ", sockstat_state(s->state));
	if (line->pool)
		fprintf(out, "\"pool\": %llu, ", line->pool);
	fprintf(out, "\"bytes_lent\": %llu, \"bytes_copied\": %llu, ",
		s->bytes_lent, s->bytes_copied);
	fprintf(out, "\"lent_per_second\": %.0f, \"copied_per_second\": %.0f}",
		line->lent, line->copied);
}

/* An array on one line */
void report_print_json(FILE *out, const struct report *report)
{
	size_t i;

	fputc('[', out);
	for (i = 0; i < report->nr; i++) {
		fputs(i ? ", " : "", out);
		print_object(out, &report->line[i]);
	}
	fputs("]\n", out);
}

void report_free(struct report *report)
{
	free(report->line);
}
