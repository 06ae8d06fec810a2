// SPDX-License-Identifier: GPL-2.0
/*
 * Our proto_ops: a copy of each plain TCP and UDP table with a few calls
 * replaced.
 *
 * There is one copy per table, not one per socket, and it lives as long as the
 * module.  accept(2) hands the listener's table to the new socket, and system
 * calls hold on to the pointer across sleeps; a table in per-socket memory
 * would be gone under both when the socket is.  As it is, whoever gets hold of
 * the pointer through a socket has a module reference from that socket.
 */
#include <linux/net.h>
#include <net/sock.h>

#include "ops.h"
#include "sockloan.h"

struct sl_ops sl_tables[4] __ro_after_init;

static struct sl_ops *sl_table(bool stream, bool v6)
{
	return &sl_tables[2 * stream + v6];
}

/**
 * sl_plain_ops - the table that a call on a socket goes on to
 * @sock: any socket that one of our calls was made for
 *
 * A caller may have loaded our table before a setsockopt took the socket away
 * from us, so sock->ops need not be ours any more; then it is itself the right
 * one.
 *
 * Return: a table that is not ours, and has none of our functions: a copy of
 * ours, see tls.c, would call us for ever.
 */
const struct proto_ops *sl_plain_ops(const struct socket *sock)
{
	const struct proto_ops *ops = READ_ONCE(sock->ops);
	const struct sl_ops *so = sl_table_of(ops);

	if (likely(so))
		return so->plain;
	/* TLS has copied a TCP one. */
	if (unlikely(ops->sendmsg == sl_sendmsg))
		return sl_table(true, ops->family == PF_INET6)->plain;
	return ops;
}

static const struct sl_ops *sl_ops_of(const struct proto_ops *plain)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sl_tables); i++)
		if (plain && plain == sl_tables[i].plain)
			return &sl_tables[i];
	return NULL;
}

/* Our table for a plain one, or NULL when it is none that we know. */
const struct proto_ops *sl_our_ops(const struct proto_ops *plain)
{
	const struct sl_ops *so = sl_ops_of(plain);

	return so ? &so->ops : NULL;
}

/* The protocol that goes with a plain table, or NULL. */
const struct proto *sl_plain_prot(const struct proto_ops *plain)
{
	const struct sl_ops *so = sl_ops_of(plain);

	return so ? so->prot : NULL;
}

bool sl_hooked(const struct socket *sock)
{
	return sl_table_of(READ_ONCE(sock->ops));
}

/* The destructor that a socket of this kind comes with */
void (*sl_plain_destruct(const struct sock *sk))(struct sock *sk)
{
	return sl_table(sk->sk_type == SOCK_STREAM,
			sk->sk_family == AF_INET6)->destruct;
}

/* The callbacks that a socket of this kind comes with */
const struct sl_calls *sl_plain_calls(const struct sock *sk)
{
	return &sl_table(sk->sk_type == SOCK_STREAM,
			 sk->sk_family == AF_INET6)->calls;
}

/* Not all of IPv6 is exported, or there: a socket of our own has it. */
static int __init sl_ops_make(int family, int type)
{
	struct sl_ops *so = sl_table(type == SOCK_STREAM, family == AF_INET6);
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, family, type, 0, &sock);
	if (err)
		return err;
	so->plain = sock->ops;
	so->prot = sock->sk->sk_prot;
	so->destruct = sock->sk->sk_destruct;
	so->calls.data_ready = sock->sk->sk_data_ready;
	so->calls.state_change = sock->sk->sk_state_change;
	so->calls.write_space = sock->sk->sk_write_space;
	so->calls.error_report = sock->sk->sk_error_report;
	so->ops = *so->plain;
	so->ops.owner = THIS_MODULE;
	so->ops.setsockopt = sl_setsockopt;
	so->ops.release = sl_release;
	if (type == SOCK_STREAM) {
		so->ops.sendmsg = sl_sendmsg;
		so->ops.listen = sl_listen;
		so->ops.accept = sl_accept;
	} else {
		so->ops.sendmsg = sl_udp_sendmsg;
	}
	sock_release(sock);
	return 0;
}

/* A system may be without IPv6. */
int __init sl_ops_init(void)
{
	int err;

	sl_ops_make(AF_INET6, SOCK_STREAM);
	sl_ops_make(AF_INET6, SOCK_DGRAM);
	err = sl_ops_make(AF_INET, SOCK_STREAM);
	return err ?: sl_ops_make(AF_INET, SOCK_DGRAM);
}
