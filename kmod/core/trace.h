/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of system sockloan. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sockloan

#if !defined(_SL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SL_TRACE_H

#include <linux/tracepoint.h>
#include <net/sock.h>

#include "loan.h"

#define SL_REASON_EXPORT(name, text)	TRACE_DEFINE_ENUM(SL_FB_##name);
#define SL_REASON_PRINT(name, text)	{ SL_FB_##name, text },

SL_REASONS(SL_REASON_EXPORT)

/* A batch of pages was lent and queued, @sent bytes of it. */
TRACE_EVENT(sockloan_loan,
	TP_PROTO(const struct sock *sk, unsigned long addr,
		 const struct sl_loan *loan, int sent),
	TP_ARGS(sk, addr, loan, sent),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(unsigned long, addr)
		__field(unsigned int, pages)
		__field(unsigned int, protected)
		__field(unsigned int, flushes)
		__field(int, sent)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->addr = addr;
		__entry->pages = loan->pages;
		__entry->protected = loan->protected;
		__entry->flushes = loan->flushes;
		__entry->sent = sent;
	),
	TP_printk("sk=%p addr=%#lx pages=%u protected=%u flushes=%u sent=%d",
		  __entry->sk, __entry->addr, __entry->pages,
		  __entry->protected, __entry->flushes, __entry->sent)
);

/* Up to @bytes at @addr are copied instead of lent. */
TRACE_EVENT(sockloan_fallback,
	TP_PROTO(const struct sock *sk, unsigned long addr, size_t bytes,
		 int reason),
	TP_ARGS(sk, addr, bytes, reason),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(unsigned long, addr)
		__field(size_t, bytes)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->addr = addr;
		__entry->bytes = bytes;
		__entry->reason = reason;
	),
	TP_printk("sk=%p addr=%#lx bytes=%zu reason=%s",
		  __entry->sk, __entry->addr, __entry->bytes,
		  __print_symbolic(__entry->reason,
				   SL_REASONS(SL_REASON_PRINT)
				   { 0, "none" }))
);

#endif /* _SL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
