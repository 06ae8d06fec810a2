/* SPDX-License-Identifier: GPL-2.0 */
/* The connection on which the two ends agree: lines of text. */
#ifndef _BENCH_CONTROL_H
#define _BENCH_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define DEFAULT_PORT 5310
#define LINE 512
/* Seconds without a sign of life after which the other end is lost */
#define PATIENCE 120

/* Data connections say which they are by this, in network order, before anything else. */
#define HELLO_BYTES 4

/**
 * struct control - one end
 * @peer: what to call the other one in messages
 * @buf, @have: what came behind the last line
 */
struct control {
	int fd;
	const char *peer;
	char buf[LINE];
	size_t have;
};

/* Finds out by itself when the peer's machine is gone. */
void control_keepalive(int fd);

__attribute__((format(printf, 2, 3))) void control_say(struct control *control,
						       const char *format, ...);

/* The next line; false: the peer is gone, or there was none in @seconds. */
bool control_hear(struct control *control, char *line, int seconds);

#endif /* _BENCH_CONTROL_H */
