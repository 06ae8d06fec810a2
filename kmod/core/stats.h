/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of /proc/net/sockloan. */
#ifndef _SL_STATS_H
#define _SL_STATS_H

#include <net/snmp.h>

struct net;
struct sl_loan;
struct sl_net;
struct sl_sock;

/*
 * Why something that asked for a loan was copied.  The order is that of the
 * counters in enum sl_counter, and the names are those of /proc/net/sockloan.
 */
#define SL_REASONS(R)							\
	R(STATE, "FbState")		/* not in a plain connected state */ \
	R(FLAGS, "FbFlags")		/* MSG_OOB, MSG_ZEROCOPY, ... */ \
	R(CMSG, "FbCmsg")		/* control messages */		\
	R(PROTO, "FbProto")		/* sk_prot was replaced */	\
	R(NOSG, "FbNoSg")		/* device without scatter-gather */ \
	R(STAMP, "FbStamp")		/* transmit timestamps */	\
	R(NOTIFIER, "FbNotifier")	/* MMU notifiers */		\
	R(VMA, "FbVma")			/* no mapping, or a special one */ \
	R(SHARED, "FbShared")		/* shared mapping */		\
	R(FILE, "FbFile")		/* page of a file, see file.c */ \
	R(HUGE, "FbHuge")		/* mapped by a pud, or a bad pmd */ \
	R(UFFD, "FbUffd")		/* userfaultfd write protection */ \
	R(PKEY, "FbPkey")		/* protection key denies reading */ \
	R(PINNED, "FbPinned")		/* pinned for DMA */		\
	R(BUSY, "FbBusy")		/* unexplained references */	\
	R(ABSENT, "FbAbsent")		/* not there, and not to be had */ \
	R(NUMA, "FbNuma")		/* NUMA hinting entry */	\
	R(SPECIAL, "FbSpecial")		/* special entry */		\
	R(NOMEM, "FbNoMem")		/* killed or out of memory */	\
	R(ADAPT, "FbAdapt")		/* the program rewrites its buffers */ \
	R(FRAGS, "FbFrags")		/* a datagram in too many pieces */ \
	R(ROUTE, "FbRoute")		/* a datagram the route has copied */ \
	R(FORCED, "FbForced")		/* fault injection */

#define SL_REASON_ENUM(name, text)	SL_FB_##name,
enum sl_reason {
	SL_FB_NONE,
	SL_REASONS(SL_REASON_ENUM)
	__SL_FB_MAX
};

enum sl_counter {
	SL_SOCKETS = 0,		/* attached now */
	SL_ATTACHES,
	SL_DETACHES,
	SL_INHERITED,		/* accepted from an attached listener */
	SL_CALLS,		/* sends of at least threshold bytes */
	SL_SMALL_CALLS,		/* smaller ones of 4 KiB or more */
	SL_BYTES_LENT,
	SL_BYTES_COPIED,	/* by SL_CALLS */
	SL_PAGES_LENT,		/* references given to TCP */
	SL_PAGES_PROTECTED,	/* entries write-protected for it */
	SL_PAGES_SHARED,	/* lent as they were: read-only and shared */
	SL_PAGES_ZERO,		/* the zero page lent */
	SL_PAGES_HUGE,		/* lent out of huge pages */
	SL_PAGES_FILE,		/* of the page cache */
	SL_PAGES_REWRITTEN,	/* lent before, and exclusive again */
	SL_FLUSHES,		/* TLB flushes, one a batch at most */
	SL_FAULT_INS,		/* batches that had to be faulted in */
	SL_BACKOFFS,		/* sockets put on hold by the adaptive rule */
	SL_PROBES,		/* batches lent meanwhile, to see */
	SL_FALLBACK,		/* first of the reasons */
	__SL_COUNTER_MAX = SL_FALLBACK + __SL_FB_MAX - 1
};

struct sl_mib {
	unsigned long mibs[__SL_COUNTER_MAX];
};

#define SL_INC(sn, counter)	SNMP_INC_STATS((sn)->mib, SL_##counter)
#define SL_DEC(sn, counter)	SNMP_DEC_STATS((sn)->mib, SL_##counter)
#define SL_ADD(sn, counter, n)	SNMP_ADD_STATS((sn)->mib, SL_##counter, n)

void sl_stats_loan(struct sl_sock *ss, struct sl_net *sn,
		   const struct sl_loan *loan, int sent);
void sl_stats_fallback(struct sl_sock *ss, struct sl_net *sn,
		       unsigned long addr, size_t bytes, enum sl_reason why);
int sl_stats_init(struct net *net, struct sl_net *sn);
void sl_stats_exit(struct net *net, struct sl_net *sn);

#endif /* _SL_STATS_H */
