/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usbredir protocol, version 0.7, read from and written to stream.h for ports/redir.
 */
#ifndef BOARD_USBREDIR_H
#define BOARD_USBREDIR_H

#include <stdbool.h>
#include <stdint.h>

/* Requests of the host that can wait at once, and bytes of data for each */
#define USBREDIR_PACKETS	192
#define USBREDIR_DATA		65536

/* Whether a message has come since the last call */
bool usbredir_busy(void);

/* The peer has gone for good, and the device core knows. */
bool usbredir_gone(void);

#endif /* BOARD_USBREDIR_H */
