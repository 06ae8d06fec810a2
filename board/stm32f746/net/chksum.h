/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Internet checksum, for lwIP (LWIP_CHKSUM).
 */
#ifndef BOARD_CHKSUM_H
#define BOARD_CHKSUM_H

#include <stdint.h>

/*
 * The one's complement sum of 16-bit words as they lie in memory, not inverted: any
 * alignment, and a last byte that is half a word.
 */
uint16_t chksum(const void *data, int len);

#endif /* BOARD_CHKSUM_H */
