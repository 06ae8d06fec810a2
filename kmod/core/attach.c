// SPDX-License-Identifier: GPL-2.0
/*
 * Attached sockets: the table of them, how they come in and how they go.
 *
 * References on this module: one by each sl_sock, and one by each socket whose
 * ops are ours (the networking core takes and drops that one by ops->owner).
 * The reference on the plain ops' module that the socket came with is kept by
 * the sl_sock meanwhile.
 */
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/tcp_states.h>

#include "ops.h"
#include "rx.h"
#include "sockloan.h"

static struct rhashtable sl_socks;

/* Addresses of socks differ enough for this, which is a fifth of jhash. */
static u32 sl_socks_hash(const void *key, u32 len, u32 seed)
{
	return hash_ptr(*(void * const *)key, 32) ^ seed;
}

static const struct rhashtable_params sl_socks_params = {
	.head_offset = offsetof(struct sl_sock, node),
	.key_offset = offsetof(struct sl_sock, sk),
	.key_len = sizeof_field(struct sl_sock, sk),
	.hashfn = sl_socks_hash,
	.automatic_shrinking = true,
};

/**
 * sl_find - look up a socket that is or was attached
 * @sk: its sock
 *
 * Context: any.  The result stays valid while the caller runs for the socket;
 * see struct sl_sock.
 * Return: NULL when it never was.
 */
struct sl_sock *sl_find(const struct sock *sk)
{
	return rhashtable_lookup_fast(&sl_socks, &sk, sl_socks_params);
}

static struct sl_sock *sl_sock_new(struct sock *sk,
				   const struct proto_ops *plain, gfp_t gfp)
{
	const struct proto *prot = sl_plain_prot(plain);
	struct sl_sock *ss;
	int err = -ENOMEM;

	if (!prot || sk->sk_prot != prot)
		return ERR_PTR(-EOPNOTSUPP);
	/* Fails only when we are being unloaded. */
	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENODEV);
	ss = kzalloc(sizeof(*ss), gfp);
	if (!ss)
		goto err_put;
	ss->sk = sk;
	ss->plain = plain;
	ss->owner = plain->owner;
	ss->prot = prot;
	ss->on = true;
	spin_lock_init(&ss->lock);
	err = rhashtable_insert_fast(&sl_socks, &ss->node, sl_socks_params);
	if (err)
		goto err_free;
	sl_keep(ss);
	SL_INC(sl_net(sock_net(sk)), SOCKETS);
	return ss;

err_free:
	kfree(ss);
err_put:
	module_put(THIS_MODULE);
	return ERR_PTR(err);
}

static void sl_sock_remove(struct sl_sock *ss)
{
	struct sl_net *sn = sl_net(sock_net(ss->sk));

	if (ss->on)
		SL_DEC(sn, SOCKETS);
	rhashtable_remove_fast(&sl_socks, &ss->node, sl_socks_params);
}

/*
 * Drops the reference on this module last: the caller either still has another
 * or returns without sleeping, see sl_exit().
 */
static void sl_sock_free(struct sl_sock *ss)
{
	sl_policy_free(ss);
	kfree_rcu(ss, rcu);
	module_put(THIS_MODULE);
}

/*
 * A listen() that had loaded the plain ops, before the attach or while a setsockopt
 * needed them, may have come by after we hooked something: the listener's children
 * got a copy of that, but no reference on this module.  It stays for good.
 */
static void sl_check_children(struct sl_sock *ss)
{
	/* TCP sets the flag with the first listen(), and clears it in children. */
	if (ss->sk->sk_type != SOCK_STREAM || ss->listened ||
	    !sock_flag(ss->sk, SOCK_RCU_FREE))
		return;
	ss->listened = true;
	if (!ss->destruct && !ss->called)
		return;
	__module_get(THIS_MODULE);
	pr_warn_once("sockloan: a listen() raced with an attach: the module stays loaded\n");
}

/* The end of a sock whose ops were taken over: our release did not run. */
static void sl_sk_destruct(struct sock *sk)
{
	struct sl_sock *ss = sl_find(sk);

	if (!ss) {
		/* A child of such a listener */
		sl_plain_destruct(sk)(sk);
		return;
	}
	sl_check_children(ss);
	sl_rx_gone(ss);
	sl_sock_remove(ss);
	ss->destruct(sk);
	if (ss->late)
		module_put(ss->owner);
	else
		/* sock->ops->owner's; the core has dropped the new owner's. */
		module_put(THIS_MODULE);
	sl_sock_free(ss);
}

/* Give a child back the destructor that it would have of a plain listener. */
static void sl_disinherit(struct sock *sk)
{
	if (sk->sk_destruct == sl_sk_destruct)
		sk->sk_destruct = sl_plain_destruct(sk);
}

static void sl_take_destruct(struct sl_sock *ss)
{
	struct sock *sk = ss->sk;

	/* Never ours behind ours: a child may have gone past sl_accept(), too. */
	sl_disinherit(sk);
	ss->destruct = sk->sk_destruct;
	sk->sk_destruct = sl_sk_destruct;
}

static void sl_unhook_destruct(struct sl_sock *ss)
{
	struct sock *sk = ss->sk;

	/* TLS offload chains its own to ours; then the ops are TLS's, too. */
	if (!ss->destruct || sk->sk_destruct != sl_sk_destruct)
		return;
	sk->sk_destruct = ss->destruct;
	ss->destruct = NULL;
}

static void sl_unhold(struct sl_sock *ss)
{
	if (!ss->held)
		return;
	ss->held = false;
	__sock_put(ss->sk);	/* its socket has one */
}

/**
 * sl_keep - have the state and the sock end together, whoever has the ops then
 * @ss: locked, or nobody else has the socket yet
 *
 * Anything may take the ops over at any time, without coming by us: a setsockopt
 * that had loaded the plain ops before the attach and slept on its argument since,
 * whatever the socket became meanwhile; ESP-in-TCP also before it is connected;
 * OpenVPN offload by netlink.  Then our release does not run, but our destructor.
 *
 * A listener must not have that: its children get a copy of its sock.  It has a
 * reference on its sock instead; taken over when it is no listener any more, it
 * stays in memory, which nobody is hurt by.  Likewise what may become one without
 * coming by us, in a setsockopt that has given it its plain ops.
 */
void sl_keep(struct sl_sock *ss)
{
	struct sock *sk = ss->sk;

	sl_check_children(ss);
	if (sk->sk_type == SOCK_STREAM &&
	    (sk->sk_state == TCP_LISTEN || ss->listening || ss->switching)) {
		sl_unhook_destruct(ss);
		if (ss->destruct || ss->held)
			return;
		sock_hold(sk);
		ss->held = true;
	} else {
		if (!ss->destruct)
			sl_take_destruct(ss);
		sl_unhold(ss);
	}
}

/* TCP or UDP.  Not "plain": that is for the socket lock's holder to say. */
bool sl_is_ours(const struct socket *sock)
{
	const struct sock *sk = sock->sk;

	if (!sk || (sk->sk_family != AF_INET && sk->sk_family != AF_INET6))
		return false;
	return (sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP) ||
	       (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP);
}

/**
 * sl_attach - lend the large sends of a socket from now on
 * @sock: any socket; other threads may be using it
 *
 * Context: process, takes the socket lock.
 * Return: 0, -EOPNOTSUPP when it is not plain TCP or UDP, -EALREADY, -ENOMEM.
 */
int sl_attach(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sl_sock *ss;
	int err = 0;

	if (!sl_is_ours(sock))
		return -EOPNOTSUPP;

	/* Against another attach, and the ops changes of setsockopt. */
	lock_sock(sk);
	ss = sl_find(sk);
	if (ss) {
		if (sk->sk_prot != ss->prot ||
		    (!ss->switching && !sl_hooked(sock))) {
			err = -EOPNOTSUPP;
		} else if (ss->on) {
			err = -EALREADY;
		} else {
			WRITE_ONCE(ss->on, true);
			SL_INC(sl_net(sock_net(sk)), SOCKETS);
		}
		goto out;
	}
	ss = sl_sock_new(sk, READ_ONCE(sock->ops), GFP_KERNEL_ACCOUNT);
	if (IS_ERR(ss)) {
		err = PTR_ERR(ss);
		goto out;
	}
	/* For the socket; its reference on the plain ops is ours now. */
	__module_get(THIS_MODULE);
	/*
	 * Threads inside the old sendmsg finish there.  The table is constant
	 * and @ss is in place, so nothing has to be ordered after this.
	 */
	smp_store_release(&sock->ops, sl_our_ops(ss->plain));
out:
	if (!err)
		SL_INC(sl_net(sock_net(sk)), ATTACHES);
	release_sock(sk);
	return err;
}

/**
 * sl_detach - copy every send of a socket again
 * @sock: any socket; other threads may be inside our sendmsg
 *
 * The ops stay ours and go straight on to the plain ones: the kernel has no
 * way to tell when the last thread that loaded sock->ops is done with them,
 * short of the socket's end.
 *
 * Context: process, takes the socket lock.
 * Return: 0, -EOPNOTSUPP when it is neither TCP nor UDP, -ENOENT when not attached.
 */
int sl_detach(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sl_sock *ss;
	int err = -ENOENT;

	if (!sl_is_ours(sock))
		return -EOPNOTSUPP;
	lock_sock(sk);
	ss = sl_find(sk);
	if (ss && ss->on) {
		WRITE_ONCE(ss->on, false);
		SL_INC(sl_net(sock_net(sk)), DETACHES);
		SL_DEC(sl_net(sock_net(sk)), SOCKETS);
		err = 0;
	}
	release_sock(sk);
	return err;
}

/**
 * sl_attach_new - attach a socket that nobody else has seen yet
 * @sock: just made by inet_create() or inet6_create()
 *
 * The networking core takes its reference on sock->ops->owner after this.
 *
 * Context: any.  A socket that cannot be attached is left as it is.
 */
void sl_attach_new(struct socket *sock)
{
	const struct proto_ops *plain = sock->ops;
	struct sl_sock *ss;

	if (!sl_our_ops(plain) || !try_module_get(plain->owner))
		return;
	ss = sl_sock_new(sock->sk, plain, GFP_ATOMIC | __GFP_NOWARN);
	if (IS_ERR(ss)) {
		module_put(plain->owner);
		return;
	}
	sock->ops = sl_our_ops(plain);
	SL_INC(sl_net(sock_net(sock->sk)), ATTACHES);
}

/*
 * @newsock got our ops, and a reference for them, from the listener before our
 * accept ran.  Make it an attached socket of its own, or a plain one.
 */
static void sl_inherit(struct socket *newsock, bool attach)
{
	const struct proto_ops *plain = sl_plain_ops(newsock);
	struct sl_sock *ss;

	__module_get(plain->owner);
	if (attach) {
		ss = sl_sock_new(newsock->sk, plain, GFP_KERNEL_ACCOUNT);
		if (!IS_ERR(ss)) {
			SL_INC(sl_net(sock_net(newsock->sk)), INHERITED);
			return;
		}
	}
	newsock->ops = plain;
	module_put(THIS_MODULE);	/* the listener has another one */
}

int sl_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct sl_sock *ss = sl_find(sk);
	int err;

	if (ss) {
		lock_sock(sk);
		/* Its children would get a copy of its callbacks. */
		sl_rx_gone(ss);
		sl_event_unhook(ss);
		ss->listening++;
		sl_keep(ss);
		release_sock(sk);
	}
	err = sl_plain_ops(sock)->listen(sock, backlog);
	if (ss) {
		lock_sock(sk);
		ss->listening--;
		sl_keep(ss);
		release_sock(sk);
	}
	return err;
}

int sl_accept(struct socket *sock, struct socket *newsock, SL_ACCEPT_PARAMS)
{
	struct sl_sock *listener = sl_find(sock->sk);
	int err;

	err = sl_plain_ops(sock)->accept(sock, newsock, SL_ACCEPT_ARGS);
	if (!err && newsock->sk) {
		sl_event_inherited(newsock->sk);
		sl_disinherit(newsock->sk);
	}
	if (listener && READ_ONCE(listener->destruct)) {
		/* listen() has gone past us: no more such children. */
		lock_sock(sock->sk);
		sl_keep(listener);
		release_sock(sock->sk);
	}
	/*
	 * A failed accept leaves @newsock with our ops and without a sock;
	 * sl_release() copes.  One without ops is made by kernel_accept(),
	 * which sets them, and takes their reference, after us.
	 */
	if (!err && newsock->ops && sl_hooked(newsock))
		sl_inherit(newsock, listener && READ_ONCE(listener->on));
	return err;
}

int sl_release(struct socket *sock)
{
	/* None after a failed accept, or after kernel_accept(). */
	struct sl_sock *ss = sock->sk ? sl_find(sock->sk) : NULL;
	int err;

	if (ss) {
		lock_sock(sock->sk);
		sl_check_children(ss);
		sl_rx_gone(ss);
		/*
		 * What is on top of our callbacks goes on calling them, and what
		 * is on top of our destructor (L2TP on older kernels) calls that.
		 */
		ss->late = !sl_event_unhook(ss) ||
			   (ss->destruct &&
			    sock->sk->sk_destruct != sl_sk_destruct);
		if (ss->late && !ss->destruct)
			sl_take_destruct(ss);
		sl_unhold(ss);
		release_sock(sock->sk);
		if (ss->late)
			return sl_plain_ops(sock)->release(sock);
		sl_unhook_destruct(ss);
		/* The next call may free the sock, and its address be used. */
		sl_sock_remove(ss);
	}
	err = sl_plain_ops(sock)->release(sock);
	/* No call is under way on a socket that is released. */
	if (ss) {
		module_put(ss->owner);
		sl_sock_free(ss);
	}
	return err;
}

int __init sl_attach_init(void)
{
	return rhashtable_init(&sl_socks, &sl_socks_params);
}

void sl_attach_exit(void)
{
	rhashtable_destroy(&sl_socks);
}
