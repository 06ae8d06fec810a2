/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of sockloan.ko share. */
#ifndef _SL_SOCKLOAN_H
#define _SL_SOCKLOAN_H

#include <linux/net.h>
#include <linux/preempt.h>
#include <linux/rhashtable-types.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "compat.h"
#include "loan.h"
#include "policy.h"
#include "stats.h"

struct sockloan_windows;
struct ctl_table;
struct ctl_table_header;

/* Limits of net.sockloan.*, in bytes */
#define SL_THRESHOLD_MIN	4096
#define SL_THRESHOLD_DEFAULT	4096
#define SL_CHUNK_DEFAULT	SL_CHUNK_MAX
#define SL_CHUNK_MAX		(SL_LOAN_PAGES * PAGE_SIZE)

/* net.sockloan.file */
enum {
	SL_FILE_NEVER,		/* pages of files are copied */
	SL_FILE_UNWRITTEN,	/* lent while nobody has the file open to write */
	SL_FILE_ALWAYS,		/* lent, as by sendfile() */
};

/**
 * struct sl_net - what sockloan keeps for one network namespace
 * @mib: counters, see stats.h
 * @threshold: a piece of a send smaller than this is copied, bytes; sysctl
 * @chunk: how much is lent at a time, bytes, whole pages; sysctl
 * @auto_attach: attach every new TCP and UDP socket; sysctl
 * @adapt: the adaptive rule is on; sysctl
 * @file: SL_FILE_*; sysctl
 * @ctl: the namespace's copy of the sysctl table
 * @ctl_header: its registration
 */
struct sl_net {
	struct sl_mib __percpu *mib;
	unsigned int threshold;
	unsigned int chunk;
	u8 auto_attach;
	u8 adapt;
	u8 file;
	struct ctl_table *ctl;
	struct ctl_table_header *ctl_header;
};

/**
 * struct sl_calls - callbacks of a sock
 * @data_ready: data has arrived
 * @state_change: a new state
 * @write_space: there is room in the send buffer
 * @error_report: an error
 */
struct sl_calls {
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/**
 * struct sl_sock - a socket that is or was attached
 * @node: in the table of all of them
 * @sk: the key
 * @plain: the socket's own proto_ops, which ours stand in for
 * @owner: module of the plain ops, a reference held unless the ops were taken
 *	over
 * @prot: the sk_prot that may be lent to; with another one (kernel TLS, a
 *	sockmap program) everything is copied
 * @on: false after a detach; written under the socket lock
 * @switching: threads inside a setsockopt that may replace sock->ops; socket
 *	lock
 * @destruct: the sk_destruct that ours stands in for, or NULL; socket lock
 * @rx: the pool that it has joined; changed under the socket lock
 * @call: the callbacks that ours stand in for, once it has joined one
 * @called: ours are in place, but for @call.data_ready; socket lock
 * @data_called: that one, too; socket lock
 * @listening: threads inside sl_listen(); socket lock
 * @listened: TCP has made a listener of it, ever; as of the last sl_check_children()
 * @held: it has a reference on @sk; socket lock
 * @late: it is released, but goes with its sock; socket lock
 * @lock: of what follows, for datagrams; streams have the socket lock
 * @policy: the adaptive rule
 * @refusals: datagrams in a row that the protocol copied after all
 * @wait: so many more of them are not to be lent
 * @calls: the counters of struct sockloan_sockstat
 * @bytes_lent: likewise
 * @bytes_copied: likewise
 * @pages_lent: likewise
 * @pages_protected: likewise
 * @pages_rewritten: likewise
 * @backoffs: likewise
 * @fallbacks: likewise
 * @rcu: lookups are RCU readers
 *
 * Lives from the attach until the socket is released; when something else took
 * the socket's ops over (kernel TLS), until the sock is destroyed.  In both cases
 * no system call on the socket can be under way then, so whoever runs for a
 * socket may use its sl_sock without a reference.  Each holds a reference on
 * this module.
 */
struct sl_sock {
	struct rhash_head node;
	struct sock *sk;
	const struct proto_ops *plain;
	struct module *owner;
	const struct proto *prot;
	bool on;
	unsigned int switching;
	void (*destruct)(struct sock *sk);
	struct sl_rx __rcu *rx;
	struct sl_calls call;
	bool called;
	bool data_called;
	unsigned int listening;
	bool listened;
	bool held;
	bool late;

	spinlock_t lock;	/* see above */
	struct sl_policy policy;
	unsigned int refusals;
	unsigned int wait;
	u64 calls;
	u64 bytes_lent;
	u64 bytes_copied;
	u64 pages_lent;
	u64 pages_protected;
	u64 pages_rewritten;
	u64 backoffs;
	u64 fallbacks;

	struct rcu_head rcu;
};

/* net.c */
extern unsigned int sl_net_id;

/*
 * What we keep for @net: net_generic(), less its two calls.  Not to be preempted
 * is as good as to be an RCU reader.
 */
static inline struct sl_net *sl_net(const struct net *net)
{
	struct sl_net *sn;

	preempt_disable();
	sn = rcu_dereference_sched(net->gen)->ptr[sl_net_id];
	preempt_enable();
	return sn;
}

int sl_net_init(void);
void sl_net_exit(void);

/* A send of @len bytes is passed on for the adaptive rule. */
static inline void sl_stats_pass(struct sl_net *sn, size_t len)
{
	SL_INC(sn, CALLS);
	SNMP_INC_STATS(sn->mib, SL_FALLBACK + SL_FB_ADAPT - 1);
	SL_ADD(sn, BYTES_COPIED, len);
}

/* sysctl.c */
int sl_sysctl_init(struct net *net, struct sl_net *sn);
void sl_sysctl_exit(struct sl_net *sn);

/* attach.c */
bool sl_is_ours(const struct socket *sock);
struct sl_sock *sl_find(const struct sock *sk);
int sl_attach(struct socket *sock);
int sl_detach(struct socket *sock);
void sl_attach_new(struct socket *sock);
void sl_keep(struct sl_sock *ss);
int sl_listen(struct socket *sock, int backlog);
int sl_accept(struct socket *sock, struct socket *newsock, SL_ACCEPT_PARAMS);
int sl_release(struct socket *sock);
int sl_attach_init(void);
void sl_attach_exit(void);

/* ulp.c */
int sl_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
		  unsigned int optlen);

/* tls.c */
int sl_tls_init(void);
void sl_tls_exit(void);

/* create.c */
void sl_create_allow(void);
int sl_create_enable(void);
void sl_create_init(void);
void sl_create_exit(void);

/* run.c */
int sl_run_mark(void);
bool sl_run_marked(void);
void sl_run_init(void);
void sl_run_exit(void);

/* send.c */
int sl_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);

/* drain.c */
void sl_drain_everywhere(void);
int sl_drain_init(void);
void sl_drain_exit(void);

/* udp.c */
int sl_udp_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);

/* file.c */
enum sl_reason sl_file_check(struct vm_area_struct *vma, unsigned int setting);
enum sl_reason sl_file_page(struct vm_area_struct *vma, struct folio *folio);

/* limits.c */
int sl_limits_set(struct socket *sock, const struct sockloan_windows *arg);

/* dev.c */
int sl_dev_get(void *to, size_t size, size_t first, const void __user *from,
	       u32 *usize);
int sl_dev_init(void);
void sl_dev_exit(void);

#endif /* _SL_SOCKLOAN_H */
