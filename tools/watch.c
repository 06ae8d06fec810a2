// SPDX-License-Identifier: GPL-2.0
/*
 * Live views: print again and again until the user has seen enough
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

static sigset_t stop_signals;

/* Blocked at all times, so that none is missed between two waits. */
void watch_begin(void)
{
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop_signals, NULL);
}

/* Returns true when the user wants no more (Ctrl-C). */
bool watch_wait(double seconds)
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

/*
 * Show what @print prints: over the last of it on a terminal, behind it and an
 * empty line elsewhere.  Returns 0 or -1; main() tells of a failed standard
 * output.
 */
int watch_print(void (*print)(FILE *out, const void *arg), const void *arg)
{
	char *block = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&block, &size);
	if (!out) {
		warn(NULL);
		return -1;
	}
	print(out, arg);
	if (fclose(out)) {
		warn(NULL);
		free(block);
		return -1;
	}
	show(block);
	free(block);
	return fflush(stdout);
}
