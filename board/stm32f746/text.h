/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text made in memory, with board_log()'s conversions.
 */
#ifndef BOARD_TEXT_H
#define BOARD_TEXT_H

#include <stdint.h>

/*
 * Adds to what is in to[0..at), up to size; %-9s pads on the right.  No zero at the end.
 * Return: where it ends.
 */
uint32_t text_add(char *to, uint32_t at, uint32_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* BOARD_TEXT_H */
