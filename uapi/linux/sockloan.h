/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * sockloan: lend user pages to the network instead of copying them
 *
 * The ABI of /dev/sockloan.  Every structure starts with its own size as the
 * caller knows it; the kernel accepts a shorter (older) one, and a longer
 * (newer) one as long as what it does not know is zero (else E2BIG).  Unknown
 * flags and non-zero reserved fields are refused with EINVAL.  The layout is
 * the same for 32-bit and 64-bit callers.
 */
#ifndef _UAPI_LINUX_SOCKLOAN_H
#define _UAPI_LINUX_SOCKLOAN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SOCKLOAN_IOC_MAGIC	0xBC

/**
 * struct sockloan_attach - argument of SOCKLOAN_IOC_ATTACH and _DETACH
 * @size: sizeof(struct sockloan_attach), in bytes
 * @flags: none defined, must be 0
 * @fd: a file descriptor of the calling process that is a TCP or UDP socket
 * @reserved: must be 0
 */
struct sockloan_attach {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct sockloan_run - argument of SOCKLOAN_IOC_RUN
 * @size: sizeof(struct sockloan_run), in bytes
 * @flags: none defined, must be 0
 */
struct sockloan_run {
	__u32 size;
	__u32 flags;
};

/* sockloan_sockstat.state */
#define SOCKLOAN_STATE_ATTACHED	1	/* large sends are lent */
#define SOCKLOAN_STATE_DETACHED	2	/* was attached, copies again */

/**
 * struct sockloan_sockstat - argument of SOCKLOAN_IOC_SOCKSTAT
 * @size: in: sizeof(struct sockloan_sockstat), in bytes;
 *	  out: how many bytes the kernel filled in
 * @flags: none defined, must be 0
 * @fd: in: a file descriptor of the calling process that is a TCP or UDP socket
 * @state: out: one of SOCKLOAN_STATE_*
 * @calls: out: sends of at least net.sockloan.threshold bytes
 * @bytes_lent: out: bytes that went out in lent pages
 * @bytes_copied: out: bytes of those calls that were copied
 * @pages_lent: out: page references given to the protocol
 * @pages_protected: out: pages that had to be write-protected for it
 * @fallbacks: out: pieces that could have been lent but were copied
 * @pages_rewritten: out: pages that were lent, then written to, then sent again
 * @backoffs: out: how often the adaptive rule went over to copying for that
 *
 * The last two came after the first version.
 */
struct sockloan_sockstat {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 state;
	__aligned_u64 calls;
	__aligned_u64 bytes_lent;
	__aligned_u64 bytes_copied;
	__aligned_u64 pages_lent;
	__aligned_u64 pages_protected;
	__aligned_u64 fallbacks;
	__aligned_u64 pages_rewritten;
	__aligned_u64 backoffs;
};

/* Up to fallbacks */
#define SOCKLOAN_SOCKSTAT_SIZE_VER0	64

/**
 * SOCKLOAN_IOC_ATTACH - lend the large sends of one socket from now on
 *
 * Returns 0, or -1 with errno:
 *   EBADF, ENOTSOCK   fd is not an open socket
 *   EOPNOTSUPP        not a plain TCP or UDP socket over IPv4 or IPv6 (UNIX,
 *                     UDP-Lite, Multipath TCP, SMC, kernel TLS, a sockmap
 *                     program)
 *   EALREADY          attached already
 *   EINVAL, E2BIG     size, flags or reserved
 *   ENOMEM, EFAULT
 * May sleep.  Counterpart: NetBSD's per-kernel SOSEND_LOAN, here per socket.
 */
#define SOCKLOAN_IOC_ATTACH	_IOW(SOCKLOAN_IOC_MAGIC, 0x10, \
				     struct sockloan_attach)

/**
 * SOCKLOAN_IOC_DETACH - copy every send of this socket again
 *
 * Pages already lent stay lent until the peer has acknowledged them.  The
 * module stays in use until the socket is closed.
 *
 * Returns 0, or -1 with errno as for SOCKLOAN_IOC_ATTACH, and
 *   ENOENT            not attached
 */
#define SOCKLOAN_IOC_DETACH	_IOW(SOCKLOAN_IOC_MAGIC, 0x11, \
				     struct sockloan_attach)

/**
 * SOCKLOAN_IOC_RUN - attach every TCP and UDP socket that this process creates
 *
 * Holds for the calling process, across execve(2), and for every child that
 * it forks from now on, until they exit.  `sockloan run` is made of it.
 *
 * Returns 0, or -1 with errno EINVAL, E2BIG, ENOMEM, EFAULT, or
 *   EOPNOTSUPP        this kernel has no return probes
 */
#define SOCKLOAN_IOC_RUN	_IOW(SOCKLOAN_IOC_MAGIC, 0x12, \
				     struct sockloan_run)

/**
 * SOCKLOAN_IOC_SOCKSTAT - counters of one socket that is or was attached
 *
 * Returns 0, or -1 with errno as for SOCKLOAN_IOC_DETACH.
 */
#define SOCKLOAN_IOC_SOCKSTAT	_IOWR(SOCKLOAN_IOC_MAGIC, 0x13, \
				      struct sockloan_sockstat)

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

/**
 * struct sockloan_pool - argument of SOCKLOAN_IOC_POOL
 * @size: sizeof(struct sockloan_pool), in bytes
 * @flags: none defined, must be 0
 * @buf_size: in: how much a buffer has to hold, bytes, 1 to SOCKLOAN_BUF_MAX;
 *	  out: what it holds, whole pages
 * @bufs: how many buffers, 1 to SOCKLOAN_BUFS_MAX
 * @map_size: out: length of the mapping, bytes
 */
struct sockloan_pool {
	__u32 size;
	__u32 flags;
	__u32 buf_size;
	__u32 bufs;
	__aligned_u64 map_size;
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
#define SOCKLOAN_XOUT_DONTWAIT	1	/* EAGAIN instead of waiting for room */
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
};

/**
 * SOCKLOAN_IOC_POOL - make this open file a pool
 *
 * Its memory is counted against RLIMIT_MEMLOCK and the memory cgroup of the
 * caller until the file is closed and unmapped.
 *
 * Returns 0, or -1 with errno:
 *   EBUSY             it is one already
 *   EINVAL, E2BIG     size, flags, buf_size, or bufs
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

#endif /* _UAPI_LINUX_SOCKLOAN_H */
