/* SPDX-License-Identifier: GPL-2.0 */
/* Our proto_ops and the plain ones that they stand in for. */
#ifndef _SL_OPS_H
#define _SL_OPS_H

#include <linux/container_of.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/net.h>
#include <net/inet_common.h>

#include "sockloan.h"

/**
 * struct sl_ops - one table
 * @ops: a copy of the plain one with some calls replaced
 * @plain: the plain one
 * @prot: the sk_prot of its sockets
 * @destruct: the sk_destruct that they come with
 * @calls: and the callbacks
 */
struct sl_ops {
	struct proto_ops ops;
	const struct proto_ops *plain;
	const struct proto *prot;
	void (*destruct)(struct sock *sk);
	struct sl_calls calls;
};

/* UDP and TCP, each over IPv4 and IPv6 */
extern struct sl_ops sl_tables[4];

const struct proto_ops *sl_plain_ops(const struct socket *sock);
const struct proto_ops *sl_our_ops(const struct proto_ops *plain);
const struct proto *sl_plain_prot(const struct proto_ops *plain);
void (*sl_plain_destruct(const struct sock *sk))(struct sock *sk);
const struct sl_calls *sl_plain_calls(const struct sock *sk);
bool sl_hooked(const struct socket *sock);
int sl_ops_init(void);

/* The table that @ops is part of, or NULL */
static inline const struct sl_ops *sl_table_of(const struct proto_ops *ops)
{
	if ((unsigned long)ops - (unsigned long)sl_tables < sizeof(sl_tables))
		return container_of(ops, struct sl_ops, ops);
	return NULL;
}

/* The plain sendmsg; for IPv4 without an indirect call, as net/socket.c has it */
static inline int sl_plain_sendmsg(struct socket *sock, struct msghdr *msg,
				   size_t len)
{
	const struct sl_ops *so = sl_table_of(READ_ONCE(sock->ops));
	const struct proto_ops *plain = likely(so) ? so->plain :
						     sl_plain_ops(sock);

	return INDIRECT_CALL_1(plain->sendmsg, inet_sendmsg, sock, msg, len);
}

#endif /* _SL_OPS_H */
