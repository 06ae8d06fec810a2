// SPDX-License-Identifier: GPL-2.0
/*
 * setsockopt calls that replace or copy sock->ops.
 *
 * Kernel TLS and ESP-in-TCP copy the contents of sock->ops of the first socket
 * of each family that switches to them, for every later socket in the system;
 * IPV6_ADDRFORM overwrites sock->ops with the IPv4 table.  Neither may meet
 * ours: the socket gets its plain ops back for the time of the call.
 */
#include <net/inet_common.h>
#include <net/tcp.h>

#include "ops.h"
#include "sockloan.h"

/* Give the socket its plain ops, until sl_switch_end(). */
static void sl_switch_begin(struct socket *sock, struct sl_sock *ss)
{
	struct sock *sk = sock->sk;

	/* Against attach, and against the same in another thread. */
	lock_sock(sk);
	ss->switching++;
	/* A listen() does not come by us until sl_switch_end(). */
	sl_keep(ss);
	if (sl_hooked(sock))
		WRITE_ONCE(sock->ops, ss->plain);
	release_sock(sk);
}

static void sl_switch_end(struct socket *sock, struct sl_sock *ss)
{
	struct sock *sk = sock->sk;
	const struct proto_ops *ours;

	lock_sock(sk);
	if (--ss->switching)
		goto out;
	/*
	 * IPV6_ADDRFORM has left the IPv4 ops and protocol, and dropped the
	 * reference on the old ones.
	 */
	if (sock->ops != ss->plain && (sock->ops == &inet_stream_ops ||
				       sock->ops == &inet_dgram_ops)) {
		ss->plain = sock->ops;
		ss->owner = ss->plain->owner;
		ss->prot = sl_plain_prot(ss->plain);
	}
	ours = sl_our_ops(sock->ops);
	if (ours)
		WRITE_ONCE(sock->ops, ours);
	/*
	 * When they are another's, TLS's say, sl_sk_destruct() sees to the rest.
	 * When they are ours, another setsockopt may have loaded the plain ones
	 * meanwhile and take the socket over after us.
	 */
	sl_keep(ss);
out:
	release_sock(sk);
}

static bool sl_switches_ops(int level, int optname)
{
	return (level == SOL_TCP && optname == TCP_ULP) ||
	       (level == SOL_IPV6 && optname == IPV6_ADDRFORM);
}

int sl_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
		  unsigned int optlen)
{
	struct sl_sock *ss;
	int err;

	if (likely(!sl_switches_ops(level, optname)))
		return sl_plain_ops(sock)->setsockopt(sock, level, optname,
						      optval, optlen);
	ss = sl_find(sock->sk);
	/* Ours without an sl_sock: made by kernel_accept(), no program has it */
	if (!ss && sl_hooked(sock))
		return -EOPNOTSUPP;
	if (!ss)
		return sl_plain_ops(sock)->setsockopt(sock, level, optname,
						      optval, optlen);

	sl_switch_begin(sock, ss);
	err = READ_ONCE(sock->ops)->setsockopt(sock, level, optname, optval,
					       optlen);
	sl_switch_end(sock, ss);
	return err;
}
