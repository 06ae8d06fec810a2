/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware as a process: what its parts have of each other.
 */
#ifndef BOARD_NATIVE_H
#define BOARD_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- socket.c: the line to the peer, one at a time ------------------------------------- */

/* Listens there; exits with a message when that is not possible. */
void line_listen(const char *path);
bool line_connected(void);
/* Takes a peer that wants to be one.  Return: whether there is a new one. */
bool line_accept(void);
void line_hang_up(void);
/* Like read(2) and write(2), but 0 when it would block, and -1 for the end as well. */
int line_read(uint8_t *data, int count);
int line_write(const uint8_t *data, int count);
/* Until there is something to read, or room for what is to be written, or ms have passed. */
void line_wait(bool to_write, int ms);

/* -- parser.c ---------------------------------------------------------------------------- */

/* Whether messages wait to be written. */
bool parser_has_output(void);

#endif /* BOARD_NATIVE_H */
