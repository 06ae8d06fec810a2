// SPDX-License-Identifier: GPL-2.0
/*
 * The live view: read and print the counters again and again
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"
#include "counters.h"

static sigset_t stop_signals;

/* Blocked at all times, so that none is missed between two waits. */
static void block_stop_signals(void)
{
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
}

/* Returns true when the user wants no more (Ctrl-C). */
static bool wait_or_stop(double seconds)
{
	struct timespec timeout = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (long)seconds) * 1e9,
	};

	return sigtimedwait(&stop_signals, NULL, &timeout) > 0;
}

/* Print what of the block fits on the screen over the one before. */
static void paint(const char *block, const struct winsize *screen)
{
	unsigned int row;
	size_t len;

	fputs("\033[H", stdout);
	for (row = 1; *block && row < screen->ws_row; row++) {
		len = strcspn(block, "\n");
		fwrite(block, 1, len < screen->ws_col ? len : screen->ws_col,
		       stdout);
		fputs("\033[K\n", stdout);
		block += len;
		block += *block == '\n';
	}
	fputs("\033[J", stdout);
}

static void show(const char *block)
{
	struct winsize screen;

	if (isatty(STDOUT_FILENO) &&
	    !ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) && screen.ws_row &&
	    screen.ws_col)
		paint(block, &screen);
	else
		printf("%s\n", block);
}

/* The first time there is no @before, so there are no rates. */
static int show_counters(const struct counters *now,
			 const struct counters *before, bool all)
{
	char *block = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&block, &size);
	if (!out) {
		warn(NULL);
		return -1;
	}
	if (before)
		table_print_rates(out, now, before, all);
	else
		table_print(out, now, all);
	if (fclose(out)) {
		warn(NULL);
		free(block);
		return -1;
	}
	show(block);
	free(block);
	return fflush(stdout);
}

/* Both return an exit status; main() tells of a failed standard output. */
int watch_table(const char *path, double seconds, bool all)
{
	static struct counters counters[2];
	struct counters *now = &counters[0], *before = &counters[1], *other;

	block_stop_signals();
	if (counters_read(before, path) || show_counters(before, NULL, all))
		return STATUS_FAILURE;
	while (!wait_or_stop(seconds)) {
		if (counters_read(now, path) || show_counters(now, before, all))
			return STATUS_FAILURE;
		other = before;
		before = now;
		now = other;
	}
	return STATUS_OK;
}

int watch_json(const char *path, double seconds)
{
	static struct counters now;

	block_stop_signals();
	do {
		if (counters_read(&now, path))
			return STATUS_FAILURE;
		json_print(stdout, &now);
		if (fflush(stdout))
			return STATUS_FAILURE;
	} while (!wait_or_stop(seconds));
	return STATUS_OK;
}
