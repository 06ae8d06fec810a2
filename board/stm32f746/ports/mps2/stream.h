/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The serial line that carries usbredir.
 */
#ifndef BOARD_STREAM_H
#define BOARD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

void stream_open(void);

/* Return: bytes read, at most @len; 0 when there are none yet, -1 when no more will come. */
int32_t stream_read(void *to, uint32_t len);

/* All of it, as soon as the peer takes it.  Return: false when the peer has gone. */
bool stream_write(const void *from, uint32_t len);

/* The machine is switched off. */
_Noreturn void stream_exit(void);

#endif /* BOARD_STREAM_H */
