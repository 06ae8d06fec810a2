/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lwIP wants to know of compiler and machine.
 */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include "board.h"
#include "net/chksum.h"

#define LWIP_NO_INTTYPES_H		0
#define LWIP_PLATFORM_DIAG(x)		do { board_log x; } while (0)
#define LWIP_PLATFORM_ASSERT(x)		board_fail("lwIP: " x)
#define LWIP_CHKSUM			chksum
#define LWIP_RAND()			board_ms()

#endif /* LWIP_ARCH_CC_H */
