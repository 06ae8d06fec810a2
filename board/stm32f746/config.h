/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every setting of the firmware.  The rule of the windows (net/settings.c) is checked
 * at the start: a build with settings that break it says so and does nothing.
 */
#ifndef BOARD_CONFIG_H
#define BOARD_CONFIG_H

/* Payload of a TCP segment: an Ethernet frame of 1514 bytes */
#define BOARD_MSS 1460

/*
 * Of each connection: segments that may be on their way, and the bytes that there is room
 * for; to the host and from it.
 */
#ifndef BOARD_TX_WIN
#define BOARD_TX_WIN 10
#endif
#ifndef BOARD_TX_BUF
#define BOARD_TX_BUF (10 * BOARD_MSS)
#endif
#ifndef BOARD_RX_WIN
#define BOARD_RX_WIN 10
#endif
#ifndef BOARD_RX_BUF
#define BOARD_RX_BUF (10 * BOARD_MSS)
#endif

/*
 * Receive memory: blocks, at most 64, and how many of them in a row one transfer of the
 * host may fill.  Frames stay where they were received.
 */
#define BOARD_RX_BLOCK 2048
#define BOARD_RX_RUN 4
#ifndef BOARD_RX_BLOCKS
#ifdef BOARD_COPY
#define BOARD_RX_BLOCKS 16
#else
#define BOARD_RX_BLOCKS 52
#endif
#endif
/* The host's longest transfer, bytes, and packet messages in one */
#define BOARD_RX_TRANSFER (BOARD_RX_RUN * BOARD_RX_BLOCK)
#define BOARD_RX_MESSAGES 32
/* Frames that are somewhere in the firmware */
#define BOARD_RX_FRAMES 96
/*
 * When fewer transfers than BOARD_RX_LOW have room, a connection keeps no more than
 * BOARD_RX_SHARE bytes there (with fewer than BOARD_RX_SHORT, none), the rest is copied while
 * there is heap, and windows open no wider than BOARD_RX_LEAST; whose peer does not read, and
 * who keeps more than that, gets no more.  With fewer than BOARD_RX_RESERVE, or less heap
 * than BOARD_HEAP_LOW, that is BOARD_RX_SHARE, and BOARD_RX_LEAST for all others.  With room
 * for none for BOARD_RX_PATIENCE milliseconds, the reserve is used.
 */
#define BOARD_RX_LOW 7
#define BOARD_RX_SHARE (2 * BOARD_MSS)
#define BOARD_RX_SHORT 4
#define BOARD_RX_RESERVE 3
#define BOARD_RX_LEAST (4 * BOARD_MSS)
#define BOARD_RX_PATIENCE 20
/* What is kept and shorter is not worth a block. */
#define BOARD_RX_SMALL 256

/* Frames to the host that wait or are being sent, and the longest transfer, bytes */
#define BOARD_TX_FRAMES 32
#define BOARD_TX_TRANSFER 8192

/* lwIP's heap: headers of frames to the host, and copies */
#ifndef BOARD_HEAP
#ifdef BOARD_COPY
#define BOARD_HEAP (120 * 1024)
#else
#define BOARD_HEAP (48 * 1024)
#endif
#endif
/* With less of it free, nothing is copied into it, or nothing sent that was received. */
#define BOARD_HEAP_LOW 8192
#define BOARD_HEAP_RESERVE 4096
/* Connections at once, those included that are only about to be forgotten */
#define BOARD_CONNECTIONS 16
/* Of those, to the echo service, which is the one that keeps something */
#define BOARD_ECHOES 8

/* Addresses: the board's own, and the one that the host is leased */
#define BOARD_IP 10, 77, 0, 1
#define BOARD_HOST_IP 10, 77, 0, 2
#define BOARD_NETMASK 255, 255, 255, 0
#define BOARD_MAC 0x02, 0x53, 0x4c, 0x46, 0x07, 0x01
#define BOARD_HOST_MAC 0x02, 0x53, 0x4c, 0x46, 0x07, 0x02

#endif /* BOARD_CONFIG_H */
