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

#include <linux/sockloan_pool.h>

#endif /* _UAPI_LINUX_SOCKLOAN_H */
