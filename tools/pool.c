// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan pool: pools of packet buffers, and what is in them
 */
#include <err.h>
#include <getopt.h>

#include "grid.h"
#include "pools.h"

/**
 * struct pool_options - the command line
 * @pid: process whose pools to show, 0 for everybody's
 * @seconds: time between two looks, 0 for just one
 * @json: for programs
 */
struct pool_options {
	int pid;
	double seconds;
	bool json;
};

static int parse(const struct command *self, struct pool_options *options,
		 int argc, char **argv)
{
	static const struct option longs[] = {
		{ "watch", optional_argument, NULL, 'w' },
		{ "json", no_argument, NULL, 'j' },
		{ "pid", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "w::jp:h", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			status = parse_watch(self, &options->seconds, argc,
					     argv);
			if (status != PARSE_ON)
				return status;
			break;
		case 'j':
			options->json = true;
			break;
		case 'p':
			if (parse_int(optarg, 1, &options->pid))
				return usage_error(
					self, "'%s' is not a process number",
					optarg);
			break;
		case 'h':
			fputs(self->usage, stdout);
			return STATUS_OK;
		default:
			return usage_error(self, NULL);
		}
	}
	if (optind < argc)
		return usage_error(self, "'%s' not expected here",
				   argv[optind]);
	return PARSE_ON;
}

static const struct grid_column columns[] = {
	{ "POOL", false },	  { "PID", false },
	{ "COMMAND", true },	  { "FD", false },
	{ "OTHERS", false },	  { "BUF-SIZE", false },
	{ "BUFS", false },	  { "FREE", false },
	{ "HELD", false },	  { "FLIGHT", false },
	{ "LOWEST", false },	  { "WINDOW", false },
	{ "MAPPED", false },	  { "STALE", false },
	{ "COPY", false },	  { "USED", false },
	{ "SOCKETS", false },	  { "MB-OUT", false },
	{ "MB-MAPPED", false },	  { "MB-COPIED", false },
	{ "MB-RELEASED", false }, { "MB-FORWARDED", false },
	{ "NO-BUF", false },	  { "BAD-ID", false },
	{ "BAD-RELEASE", false }, { "FULL", false },
};

static void add_command(struct grid *grid, const char *command)
{
	char word[PROC_WORD_SIZE];

	proc_word(command, word);
	grid_add(grid, "%s", word);
}

static void add_row(struct grid *grid, const struct pool *pool)
{
	const struct sockloan_poolstat *s = &pool->stat;
	const __u32 levels[] = {
		s->buf_size,	 s->bufs,	 s->free,
		s->held,	 s->in_flight,	 s->lowest_free,
		s->window_pages, s->window_used, s->window_stale,
		s->copy_pages,	 s->copy_used,	 s->sockets,
	};
	const __u64 bytes[] = {
		s->xout_bytes,	   s->bytes_mapped,    s->bytes_copied,
		s->bytes_released, s->bytes_forwarded,
	};
	const __u64 failures[] = {
		s->alloc_failures,
		s->bad_ids,
		s->bad_releases,
		s->window_full,
	};
	size_t i;

	grid_add(grid, "%llu", pool->number);
	grid_add(grid, "%d", pool->pid);
	add_command(grid, pool->command);
	grid_add(grid, "%d", pool->fd);
	grid_add(grid, "%u", pool->others);
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		grid_add(grid, "%u", levels[i]);
	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		grid_add(grid, "%.1f", bytes[i] / 1e6);
	for (i = 0; i < ARRAY_SIZE(failures); i++)
		grid_add(grid, "%llu", failures[i]);
}

static void print_table(FILE *out, const void *arg)
{
	struct grid grid = { .column = columns,
			     .nr_columns = ARRAY_SIZE(columns) };
	const struct pools *pools = arg;
	size_t i;

	for (i = 0; i < pools->nr; i++)
		add_row(&grid, &pools->pool[i]);
	grid_print(&grid, out);
}

static void print_sockets(FILE *out, const struct pools *pools,
			  unsigned long long number)
{
	const char *separator = "";
	size_t i;

	fputs("\"sockets\": [", out);
	for (i = 0; i < pools->nr_members; i++) {
		if (pools->member[i].number != number)
			continue;
		fprintf(out, "%s%llu", separator, pools->member[i].inode);
		separator = ", ";
	}
	fputc(']', out);
}

static void print_object(FILE *out, const struct pools *pools,
			 const struct pool *pool)
{
	const struct sockloan_poolstat *s = &pool->stat;

	fprintf(out,
		"{\"pool\": %llu, \"pid\": %d, \"command\": ", pool->number,
		pool->pid);
	proc_print_json(out, pool->command);
	fprintf(out, ", \"fd\": %d, \"others\": %u, ", pool->fd, pool->others);
	fprintf(out, "\"buf_size\": %u, \"bufs\": %u, \"free\": %u, ",
		s->buf_size, s->bufs, s->free);
	fprintf(out, "\"held\": %u, \"in_flight\": %u, \"lowest_free\": %u, ",
		s->held, s->in_flight, s->lowest_free);
	fprintf(out, "\"window_pages\": %u, \"window_used\": %u, ",
		s->window_pages, s->window_used);
	fprintf(out, "\"window_stale\": %u, \"copy_pages\": %u, ",
		s->window_stale, s->copy_pages);
	fprintf(out, "\"copy_used\": %u, \"xout_bytes\": %llu, ", s->copy_used,
		s->xout_bytes);
	fprintf(out, "\"bytes_mapped\": %llu, \"bytes_copied\": %llu, ",
		s->bytes_mapped, s->bytes_copied);
	fprintf(out, "\"bytes_released\": %llu, \"bytes_forwarded\": %llu, ",
		s->bytes_released, s->bytes_forwarded);
	fprintf(out, "\"alloc_failures\": %llu, \"bad_ids\": %llu, ",
		s->alloc_failures, s->bad_ids);
	fprintf(out, "\"bad_releases\": %llu, \"window_full\": %llu, ",
		s->bad_releases, s->window_full);
	print_sockets(out, pools, pool->number);
	fputc('}', out);
}

/* On one line, or on one for each pool */
static void print_json(const struct pools *pools, bool one_line)
{
	size_t i;

	putchar('[');
	for (i = 0; i < pools->nr; i++) {
		fputs(i ? "," : "", stdout);
		fputs(!one_line ? "\n  " : i ? " " : "", stdout);
		print_object(stdout, pools, &pools->pool[i]);
	}
	printf("%s]\n", pools->nr && !one_line ? "\n" : "");
}

static void print_none(const struct pools *pools, int pid)
{
	if (pid)
		warnx("process %d has no pool open", pid);
	else if (pools->unseen)
		warnx("no pool is open in any process of yours (try as root: %u are not)",
		      pools->unseen);
	else
		warnx("no pool is open");
}

/* Returns 0, or -1 and the user knows. */
static int show(const struct pools *pools, const struct pool_options *options)
{
	if (options->json) {
		print_json(pools, options->seconds);
		return fflush(stdout);
	}
	if (options->seconds)
		return watch_print(print_table, pools);
	if (pools->nr)
		print_table(stdout, pools);
	else
		print_none(pools, options->pid);
	return 0;
}

static int pool_main(const struct command *self, int argc, char **argv)
{
	struct pool_options options = {};
	struct pools pools;
	int status, ret;

	status = parse(self, &options, argc, argv);
	if (status != PARSE_ON)
		return status;
	if (options.seconds)
		watch_begin();
	do {
		ret = pools_read(&pools, options.pid);
		if (!ret)
			ret = show(&pools, &options);
		pools_free(&pools);
	} while (!ret && options.seconds && !watch_wait(options.seconds));
	return ret ? STATUS_FAILURE : STATUS_OK;
}

const struct command cmd_pool = {
	.name = "pool",
	.summary = "show pools: buffers, receive windows, sockets",
	.usage =
		"Usage: sockloan pool [-j] [-w [SECONDS]] [-p PID]\n\n"
		"Show the pools of packet buffers that are open on this machine, as far\n"
		"as the caller may see them: all for root, else those of its own\n"
		"processes.  A pool that is open several times is shown once.\n\n"
		"  -w, --watch[=SECONDS]  live, until Ctrl-C; every second, or every\n"
		"                         SECONDS\n"
		"  -j, --json             an array of JSON objects (with -w: one a line)\n"
		"  -p, --pid PID          only those that process PID has open\n"
		"  -h, --help             this text\n",
	.main = pool_main,
};
