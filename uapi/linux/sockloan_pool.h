/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * sockloan: packet pools, receiving and events
 *
 * The other half of <linux/sockloan.h>, which includes this and says what holds
 * for all structures.
 */
#ifndef _UAPI_LINUX_SOCKLOAN_POOL_H
#define _UAPI_LINUX_SOCKLOAN_POOL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Packet pools: every open file of /dev/sockloan can be one.  Its buffers are
 * a shared mapping of that file from offset 0 on; buffer n begins at n *
 * buf_size.  A buffer is free, the program's, or the kernel's: packets are
 * allocated, filled, and either freed or given away.  A packet that was given
 * away is free again once the peer has acknowledged it and no reader on the
 * same machine has it.
 */

/* The largest buffer, bytes, and the most of them */
#define SOCKLOAN_BUF_MAX	262144
#define SOCKLOAN_BUFS_MAX	1048576

/* The smallest receive window, and the largest, bytes */
#define SOCKLOAN_WINDOW_MIN	65536
#define SOCKLOAN_WINDOW_MAX	1073741824

/**
 * struct sockloan_pool - argument of SOCKLOAN_IOC_POOL
 * @size: sizeof(struct sockloan_pool), in bytes
 * @flags: none defined, must be 0
 * @buf_size: in: how much a buffer has to hold, bytes, 1 to SOCKLOAN_BUF_MAX;
 *	  out: what it holds, whole pages
 * @bufs: how many buffers, up to SOCKLOAN_BUFS_MAX; 0, with a @buf_size of 0:
 *	  none, a pool to receive only
 * @map_size: out: length of the mapping of the buffers, bytes
 * @window: in: receive window, bytes, SOCKLOAN_WINDOW_MIN to
 *	  SOCKLOAN_WINDOW_MAX, or 0: a pool to send only.  So much can be
 *	  peeked at a time, by all sockets, where pages are mapped; a quarter of
 *	  it where data is copied, which is memory of the pool;
 *	  out: length of the mapping of the window, bytes
 * @window_offset: out: where in the file the window is to be mapped from
 */
struct sockloan_pool {
	__u32 size;
	__u32 flags;
	__u32 buf_size;
	__u32 bufs;
	__aligned_u64 map_size;
	__aligned_u64 window;
	__aligned_u64 window_offset;
};

/* Which buffer the packet @id lies in; the rest tells old packets from new. */
#define SOCKLOAN_PKT_BUF(id)	((id) & 0xfffff)

/**
 * struct sockloan_pkts - argument of SOCKLOAN_IOC_ALLOC and _FREE
 * @size: sizeof(struct sockloan_pkts), in bytes
 * @flags: none defined, must be 0
 * @count: how many packets, 1 or more
 * @reserved: must be 0
 * @ids: address of an array of @count __u32
 */
struct sockloan_pkts {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 reserved;
	__aligned_u64 ids;
};

/**
 * struct sockloan_pkt - one packet for SOCKLOAN_IOC_XOUT
 * @id: the packet
 * @offset: where in its buffer the data begins, bytes
 * @len: its length, bytes, 1 or more
 * @result: out: 0: sent; above 0: accepted and queued, of which so many bytes
 *	  have not been sent yet; below 0: not accepted, a negative errno, and
 *	  the packet is still the program's
 */
struct sockloan_pkt {
	__u32 id;
	__u32 offset;
	__u32 len;
	__s32 result;
};

/* sockloan_xout.flags */
#define SOCKLOAN_XOUT_DONTWAIT	1	/* do not wait, as with O_NONBLOCK */
#define SOCKLOAN_XOUT_MORE	2	/* as MSG_MORE, behind the last packet */

/**
 * struct sockloan_xout - argument of SOCKLOAN_IOC_XOUT
 * @size: sizeof(struct sockloan_xout), in bytes
 * @flags: SOCKLOAN_XOUT_*
 * @fd: an attached TCP socket, or an attached UDP socket that is connected
 * @count: how many packets, 1 or more
 * @pkts: address of an array of @count struct sockloan_pkt
 */
struct sockloan_xout {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 count;
	__aligned_u64 pkts;
};

/**
 * struct sockloan_poolstat - argument of SOCKLOAN_IOC_POOLSTAT
 * @size: in: sizeof(struct sockloan_poolstat), in bytes;
 *	  out: how many bytes the kernel filled in
 * @flags: none defined, must be 0
 * @buf_size: out: what a buffer holds, bytes
 * @bufs: out: buffers
 * @free: out: of them, to be allocated
 * @held: out: the program's
 * @in_flight: out: given away and not back yet
 * @lowest_free: out: the least that @free has ever been
 * @allocs: out: packets allocated
 * @frees: out: packets freed by the program
 * @xouts: out: packets given away
 * @xout_bytes: out: bytes of data in them
 * @alloc_failures: out: packets that were asked for and not to be had
 * @bad_ids: out: ids refused: stale, foreign, or not the program's
 * @sockets: out: sockets that have joined
 * @window_pages: out: pages that the window has for mapped data
 * @window_used: out: of them, those that are mapped
 * @window_stale: out: of these, those whose data was released, and which are
 *	  unmapped when there are enough of them
 * @copy_pages: out: pages that the window has for copied data
 * @copy_used: out: of them, those in use
 * @peeks: out: calls of SOCKLOAN_IOC_PEEK that had data
 * @bytes_mapped: out: bytes that were mapped where they lay
 * @bytes_copied: out: bytes that were copied to the window
 * @bytes_released: out: bytes released
 * @bytes_forwarded: out: bytes sent on by SOCKLOAN_IOC_FORWARD
 * @bytes_forwarded_copied: out: of them, those that had to be copied
 * @bad_releases: out: releases of more than was peeked
 * @window_full: out: times that the window had no room for all of a peek
 * @events: out: events read
 */
struct sockloan_poolstat {
	__u32 size;
	__u32 flags;
	__u32 buf_size;
	__u32 bufs;
	__u32 free;
	__u32 held;
	__u32 in_flight;
	__u32 lowest_free;
	__aligned_u64 allocs;
	__aligned_u64 frees;
	__aligned_u64 xouts;
	__aligned_u64 xout_bytes;
	__aligned_u64 alloc_failures;
	__aligned_u64 bad_ids;
	__u32 sockets;
	__u32 window_pages;
	__u32 window_used;
	__u32 window_stale;
	__u32 copy_pages;
	__u32 copy_used;
	__aligned_u64 peeks;
	__aligned_u64 bytes_mapped;
	__aligned_u64 bytes_copied;
	__aligned_u64 bytes_released;
	__aligned_u64 bytes_forwarded;
	__aligned_u64 bytes_forwarded_copied;
	__aligned_u64 bad_releases;
	__aligned_u64 window_full;
	__aligned_u64 events;
};

/*
 * Receiving: a socket joins a pool, and what has arrived on it can be looked at
 * in the pool's receive window, a mapping of the pool's file that is never
 * writable.  Whole pages are mapped there where they lie, the rest is copied
 * there.  A peek consumes nothing; a release does, and lets the peer go on.
 */

/* Events of a joined socket */
#define SOCKLOAN_EVENT_DATA	1	/* more data, or a datagram, has arrived */
#define SOCKLOAN_EVENT_WRITABLE	2	/* there is room in the send buffer again */
#define SOCKLOAN_EVENT_SHUTDOWN	4	/* the peer has closed its side */
#define SOCKLOAN_EVENT_RESET	8	/* the connection is broken */
#define SOCKLOAN_EVENT_URGENT	16	/* urgent data has arrived */
#define SOCKLOAN_EVENT_ALL	31

/**
 * struct sockloan_event - what read(2) of a pool's file returns, one or more
 * @cookie: of the socket, from struct sockloan_join
 * @events: SOCKLOAN_EVENT_*: all that has happened since the last one was read
 * @error: with SOCKLOAN_EVENT_RESET: an errno: ECONNRESET, ETIMEDOUT, ...; else 0
 *
 * Each event is delivered once, when it happens and not for as long as it lasts:
 * read a socket's data until EAGAIN.  Events are coalesced, never dropped.  What
 * one record tells happened in the order data, shutdown, reset, and no data
 * comes after a shutdown or a reset.  One read returns at most one record of a
 * socket, which may so be closed when its record is found.
 *
 * read(2) waits for an event unless O_NONBLOCK is set; EINVAL when the buffer is
 * smaller than one record, ENXIO when the file is no pool.  poll(2) says POLLIN.
 */
struct sockloan_event {
	__aligned_u64 cookie;
	__u32 events;
	__s32 error;
};

/**
 * struct sockloan_join - argument of SOCKLOAN_IOC_JOIN and _LEAVE
 * @size: sizeof(struct sockloan_join), in bytes
 * @flags: none defined, must be 0
 * @fd: an attached socket
 * @events: SOCKLOAN_EVENT_* that are wanted; 0 for _LEAVE
 * @cookie: to be found in its events; 0 for _LEAVE
 */
struct sockloan_join {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 events;
	__aligned_u64 cookie;
};

/* sockloan_seg.flags */
#define SOCKLOAN_SEG_MAPPED	1	/* the very pages; else a copy */
#define SOCKLOAN_SEG_END	2	/* the last piece of a datagram */

/**
 * struct sockloan_seg - a piece of what has arrived
 * @offset: where it begins in the mapping of the receive window, bytes
 * @len: its length, bytes
 * @flags: SOCKLOAN_SEG_*
 */
struct sockloan_seg {
	__aligned_u64 offset;
	__u32 len;
	__u32 flags;
};

/**
 * struct sockloan_name - where a datagram came from
 * @len: length of the address, bytes
 * @addr: a struct sockaddr_in or sockaddr_in6
 */
struct sockloan_name {
	__u32 len;
	__u8 addr[28];
};

/* sockloan_peek.state */
#define SOCKLOAN_PEEK_EOF	1	/* nothing comes behind these bytes */
#define SOCKLOAN_PEEK_URGENT	2	/* behind these bytes is the urgent mark */
#define SOCKLOAN_PEEK_MORE	4	/* there is more than could be described */

/**
 * struct sockloan_peek - argument of SOCKLOAN_IOC_PEEK
 * @size: in: sizeof(struct sockloan_peek), in bytes
 * @flags: none defined, must be 0
 * @fd: a socket that has joined this pool
 * @release: in: release so much first, as SOCKLOAN_IOC_RELEASE does
 * @max: in: describe at most so many bytes of a stream, or datagrams of so many
 *	  bytes in all
 * @nr: in: room in @segs; out: segments there
 * @bytes: out: bytes in them
 * @datagrams: out: datagrams in them, 0 for a stream
 * @state: out: SOCKLOAN_PEEK_*
 * @reserved: must be 0
 * @segs: address of an array of struct sockloan_seg
 * @names: address of an array of struct sockloan_name, one for each datagram,
 *	  with room for @nr of them, or 0
 */
struct sockloan_peek {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 release;
	__u32 max;
	__u32 nr;
	__u32 bytes;
	__u32 datagrams;
	__u32 state;
	__u32 reserved;
	__aligned_u64 segs;
	__aligned_u64 names;
};

/**
 * struct sockloan_release - argument of SOCKLOAN_IOC_RELEASE
 * @size: sizeof(struct sockloan_release), in bytes
 * @flags: none defined, must be 0
 * @fd: a socket that has joined this pool
 * @count: bytes of a stream, or datagrams
 */
struct sockloan_release {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 count;
};

/**
 * struct sockloan_forward - argument of SOCKLOAN_IOC_FORWARD
 * @size: sizeof(struct sockloan_forward), in bytes
 * @flags: SOCKLOAN_XOUT_*
 * @from: a socket that has joined this pool
 * @to: an attached socket of the same type, connected; may be the same one
 * @max: at most so many bytes of a stream, 1 or more; for datagrams 1: one of
 *	  them
 * @reserved: must be 0
 */
struct sockloan_forward {
	__u32 size;
	__u32 flags;
	__s32 from;
	__s32 to;
	__u32 max;
	__u32 reserved;
};

/**
 * struct sockloan_windows - argument of SOCKLOAN_IOC_WINDOWS
 * @size: sizeof(struct sockloan_windows), in bytes
 * @flags: none defined, must be 0
 * @fd: an attached TCP socket
 * @mss: segment size to reckon with, bytes; 0: the socket's own
 * @tx_buf: send buffer, bytes
 * @tx_win: how much may be on its way, segments of @mss
 * @rx_buf: receive buffer, bytes
 * @rx_win: largest window to offer, segments of @mss
 *
 * A pair of zeroes leaves that direction as it is.
 */
struct sockloan_windows {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 mss;
	__u32 tx_buf;
	__u32 tx_win;
	__u32 rx_buf;
	__u32 rx_win;
};

/**
 * SOCKLOAN_IOC_POOL - make this open file a pool
 *
 * Its memory is counted against RLIMIT_MEMLOCK and the memory cgroup of the
 * caller until the file is closed and unmapped.
 *
 * Returns 0, or -1 with errno:
 *   EBUSY             it is one already
 *   EINVAL, E2BIG     size, flags, buf_size, bufs, or window; all of them 0
 *   ENOMEM            RLIMIT_MEMLOCK, or out of memory
 *   EINTR, EFAULT
 * May sleep.  Counterpart: the packet buffers that an InterNiche or RTEMS stack
 * is built with.
 */
#define SOCKLOAN_IOC_POOL	_IOWR(SOCKLOAN_IOC_MAGIC, 0x20, \
				      struct sockloan_pool)

/**
 * SOCKLOAN_IOC_ALLOC - allocate packets
 *
 * Returns how many it could, their ids in @ids, or -1 with errno:
 *   ENOBUFS           none is free
 *   ENXIO             this file is no pool
 *   EINVAL, E2BIG     size, flags, count, or reserved
 *   EFAULT            then none is allocated
 * Does not wait.  Counterpart: InterNiche's tcp_pktalloc().
 */
#define SOCKLOAN_IOC_ALLOC	_IOW(SOCKLOAN_IOC_MAGIC, 0x21, \
				     struct sockloan_pkts)

/**
 * SOCKLOAN_IOC_FREE - free packets
 *
 * Stops at the first one that is not the caller's to free.  Returns how many
 * it freed, or, when it is the first, -1 with errno:
 *   ENOENT            no such packet: freed already, or never allocated here
 *   EBUSY             it was given away
 *   ENXIO, EINVAL, E2BIG, EFAULT
 * Does not wait.  Counterpart: InterNiche's tcp_pktfree().
 */
#define SOCKLOAN_IOC_FREE	_IOW(SOCKLOAN_IOC_MAGIC, 0x22, \
				     struct sockloan_pkts)

/**
 * SOCKLOAN_IOC_XOUT - send packets and give them away
 *
 * On a stream the packets follow one another, a UDP socket makes a datagram of
 * each.  A packet is accepted as a whole or not at all.  Stops at the first one
 * that is not accepted.  What the program writes to a packet after that may or
 * may not be sent.
 *
 * Returns how many packets were accepted, their @result set, or, when the first
 * one was not, -1 with errno:
 *   ENOENT, EBUSY     as for SOCKLOAN_IOC_FREE
 *   EMSGSIZE          offset and len are not within the buffer; longer than a
 *                     datagram can be, or than the whole send buffer of a
 *                     socket that must not wait
 *   EAGAIN            no room, and it must not wait
 *   EBADF, ENOTSOCK, EOPNOTSUPP
 *                     as for SOCKLOAN_IOC_ATTACH
 *   ENOTCONN, EPIPE, ECONNRESET, EDESTADDRREQ, ...
 *                     what send(2) would return; there is no SIGPIPE
 *   ESRCH             the socket is not attached
 *   ENXIO, EINVAL, E2BIG, EFAULT
 *   ERESTARTSYS, EINTR interrupted while waiting for room
 * May sleep.  Counterpart: InterNiche's tcp_xout(), with its return value in
 * @result.
 */
#define SOCKLOAN_IOC_XOUT	_IOW(SOCKLOAN_IOC_MAGIC, 0x23, \
				     struct sockloan_xout)

/**
 * SOCKLOAN_IOC_POOLSTAT - the state of a pool
 *
 * Returns 0, or -1 with errno ENXIO, EINVAL, E2BIG, EFAULT.
 * Counterpart: the free and minimum-ever-free heap sizes of FreeRTOS.
 */
#define SOCKLOAN_IOC_POOLSTAT	_IOWR(SOCKLOAN_IOC_MAGIC, 0x24, \
				      struct sockloan_poolstat)

/**
 * SOCKLOAN_IOC_JOIN - receive on a socket through this pool
 *
 * A socket is in one pool at a time, until it leaves, is closed, or the pool is.
 * What is true already (data, a shutdown) is told as an event at once.
 *
 * Returns 0, or -1 with errno:
 *   ESRCH             the socket is not attached
 *   EALREADY          it is in this pool
 *   EBUSY             it is in another one
 *   EOPNOTSUPP        a listening socket, or as for SOCKLOAN_IOC_ATTACH
 *   EBADF, ENOTSOCK, ENXIO, EINVAL, E2BIG, ENOMEM, EFAULT
 * May sleep.  Counterpart: InterNiche's SO_CALLBACK.
 */
#define SOCKLOAN_IOC_JOIN	_IOW(SOCKLOAN_IOC_MAGIC, 0x25, \
				     struct sockloan_join)

/**
 * SOCKLOAN_IOC_LEAVE - undo SOCKLOAN_IOC_JOIN
 *
 * What was peeked and not released stays in the socket, to be received as ever;
 * its segments are gone, and so are events that nobody has read.
 *
 * Returns 0, or -1 with errno:
 *   ENOENT            the socket is not in this pool
 *   EBADF, ENOTSOCK, EOPNOTSUPP, ENXIO, EINVAL, E2BIG, EFAULT
 */
#define SOCKLOAN_IOC_LEAVE	_IOW(SOCKLOAN_IOC_MAGIC, 0x26, \
				     struct sockloan_join)

/**
 * SOCKLOAN_IOC_PEEK - describe what has arrived, and consume nothing
 *
 * Describes the data at the head of the receive queue, the same that recv(2)
 * would return, as segments in the receive window.  Repeated, it describes the
 * same data at the same place, and what has arrived since behind it.  The
 * segments hold until they are released, received by other means, or the socket
 * leaves; memory of released ones must not be looked at.  Never waits: events
 * and poll(2) of the socket tell when there is more.
 *
 * A stream stops at the urgent mark: the data behind it is described when all
 * before it is released, and the urgent byte itself never is, unless
 * SO_OOBINLINE is set.  Datagrams are described as a whole.
 *
 * Only the process that has mapped the window can peek.
 *
 * Returns 0 with @bytes bytes or @datagrams datagrams in @nr segments, 0 with
 * none of them and SOCKLOAN_PEEK_EOF when the peer has closed its side and all
 * is consumed, or -1 with errno:
 *   EAGAIN            nothing has arrived
 *   ENOBUFS           no room in the window: release something
 *   EMSGSIZE          the first datagram is longer than @max, or has more
 *                     pieces than @nr or the window has room for
 *   ENOENT            the socket is not in this pool
 *   ENOTCONN          a stream that is not connected
 *   ECONNRESET, ETIMEDOUT, ...  as recv(2): an error of the connection, once, and
 *                     after the last data that it lets be received
 *   ENODEV            this process has not mapped the window
 *   EINVAL            size, flags, reserved, nr or max of 0, or a release of
 *                     more than was peeked; then nothing is released
 *   EINTR             as for SOCKLOAN_IOC_RELEASE
 * The release is done whatever else comes of the call, but for EINVAL, EINTR and
 * the errors that are about @fd and @arg itself.
 *   EBADF, ENOTSOCK, EOPNOTSUPP, ENXIO, E2BIG, ENOMEM, EFAULT
 * May sleep for memory.  Counterpart: FreeRTOS+TCP's recv(FREERTOS_ZERO_COPY).
 */
#define SOCKLOAN_IOC_PEEK	_IOWR(SOCKLOAN_IOC_MAGIC, 0x27, \
				      struct sockloan_peek)

/**
 * SOCKLOAN_IOC_RELEASE - consume what was peeked
 *
 * Consumes any number of bytes of a stream up to what was peeked, or whole
 * datagrams, in the protocol's own way: the window is opened again, and the peer
 * told.
 *
 * Returns 0, or -1 with errno:
 *   EINVAL, E2BIG     size, flags, or more than was peeked: nothing is released
 *   EINTR             a signal, while another thread forwards: nothing is released
 *   ENOENT            the socket is not in this pool
 *   EBADF, ENOTSOCK, EOPNOTSUPP, ENXIO, EFAULT
 * Counterpart: FreeRTOS_ReleaseTCPPayloadBuffer(), InterNiche's tcp_pktfree() of
 * a received packet.
 */
#define SOCKLOAN_IOC_RELEASE	_IOW(SOCKLOAN_IOC_MAGIC, 0x28, \
				     struct sockloan_release)

/**
 * SOCKLOAN_IOC_FORWARD - send on what has arrived, and consume it
 *
 * What is at the head of @from's receive queue is sent by @to, without a copy
 * where it lies in pages, and then released; it need not have been peeked.  Waits
 * for it as recv(2) on @from does, unless SOCKLOAN_XOUT_DONTWAIT is set, and then
 * for room as send(2) on @to.
 *
 * Returns how many bytes, or 1 for a datagram; 0: the peer of @from has closed
 * its side; or -1 with errno:
 *   EAGAIN            nothing has arrived, or there is no room to send it, and it
 *                     must not wait, or has for as long as SO_RCVTIMEO says
 *   ERESTARTSYS, EINTR interrupted while waiting
 *   as for SOCKLOAN_IOC_XOUT, about @to
 *   as for SOCKLOAN_IOC_PEEK, about @from
 * May sleep.  Counterpart: an mbuf of RTEMS that is received and sent.
 */
#define SOCKLOAN_IOC_FORWARD	_IOW(SOCKLOAN_IOC_MAGIC, 0x29, \
				     struct sockloan_forward)

/**
 * SOCKLOAN_IOC_WINDOWS - buffers and windows of a TCP socket
 *
 * A buffer smaller than its window makes connections stall, and is refused: the
 * rule is buf >= win * mss.
 *
 * Returns 0, or -1 with errno:
 *   EINVAL            the rule is broken (the kernel's log says how), or size,
 *                     flags, mss, or half a pair of zeroes
 *   EOPNOTSUPP        not TCP
 *   ESRCH             the socket is not attached
 *   EBADF, ENOTSOCK, E2BIG, EFAULT
 * Counterpart: FREERTOS_SO_WIN_PROPERTIES.
 */
#define SOCKLOAN_IOC_WINDOWS	_IOW(SOCKLOAN_IOC_MAGIC, 0x2a, \
				     struct sockloan_windows)

#endif /* _UAPI_LINUX_SOCKLOAN_POOL_H */
