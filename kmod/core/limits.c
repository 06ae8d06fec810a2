// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers and windows of a socket, and the rule that they have to obey.
 *
 * With a buffer smaller than its window the peer sends more than there is room for,
 * and waits for time-outs: programs see a connection that stalls for seconds.
 */
#include <linux/net.h>
#include <linux/ratelimit.h>
#include <linux/sockloan.h>
#include <net/tcp.h>

#include "pool.h"
#include "sockloan.h"

static int sl_limits_refuse(const char *what, u32 buf, u32 win, u32 mss)
{
	pr_info_ratelimited("sockloan: %s[%d]: a %s buffer of %u bytes is smaller than a window of %u segments of %u bytes: make it %llu or more\n",
			    current->comm, task_tgid_nr(current), what, buf, win,
			    mss, (u64)win * mss);
	return -EINVAL;
}

static int sl_limits_check(const char *what, u32 buf, u32 win, u32 mss)
{
	if (!buf != !win)
		return -EINVAL;
	if ((u64)win * mss > buf)
		return sl_limits_refuse(what, buf, win, mss);
	return buf > INT_MAX / 2 ? -EINVAL : 0;
}

static int sl_limits_buf(struct socket *sock, int option, const char *what,
			 const int *is, int buf)
{
	int err;

	err = sock_setsockopt(sock, SOL_SOCKET, option, KERNEL_SOCKPTR(&buf),
			      sizeof(buf));
	/* The kernel doubles it, and makes it no larger than the system's limit. */
	if (!err && READ_ONCE(*is) < 2 * buf) {
		pr_info_ratelimited("sockloan: %s[%d]: a %s buffer of %d bytes is more than the system allows: raise net.core.%cmem_max\n",
				    current->comm, task_tgid_nr(current), what,
				    buf, option == SO_SNDBUF ? 'w' : 'r');
		err = -EINVAL;
	}
	return err;
}

static int sl_limits_tx(struct socket *sock, const struct sockloan_windows *arg)
{
	struct sock *sk = sock->sk;
	int err;

	err = sl_limits_buf(sock, SO_SNDBUF, "send", &sk->sk_sndbuf,
			    arg->tx_buf);
	if (err)
		return err;
	lock_sock(sk);
	tcp_sk(sk)->snd_cwnd_clamp = arg->tx_win;
	if (tcp_snd_cwnd(tcp_sk(sk)) > arg->tx_win)
		tcp_snd_cwnd_set(tcp_sk(sk), arg->tx_win);
	release_sock(sk);
	return 0;
}

static int sl_limits_rx(struct socket *sock, const struct sockloan_windows *arg,
			u32 mss)
{
	int clamp = arg->rx_win * mss, err;

	err = sl_limits_buf(sock, SO_RCVBUF, "receive", &sock->sk->sk_rcvbuf,
			    arg->rx_buf);
	if (err)
		return err;
	return sock->ops->setsockopt(sock, SOL_TCP, TCP_WINDOW_CLAMP,
				     KERNEL_SOCKPTR(&clamp), sizeof(clamp));
}

/**
 * sl_limits_set - SOCKLOAN_IOC_WINDOWS
 * @sock: any socket
 * @arg: its numbers are not checked yet
 *
 * Context: process, takes the socket lock.
 * Return: 0 or what the ioctl returns.
 */
int sl_limits_set(struct socket *sock, const struct sockloan_windows *arg)
{
	struct sl_sock *ss;
	int err;
	u32 mss;

	if (!sl_is_ours(sock) || sock->type != SOCK_STREAM)
		return -EOPNOTSUPP;
	ss = sl_find(sock->sk);
	if (!ss || !READ_ONCE(ss->on))
		return -ESRCH;
	if (arg->mss > U16_MAX)
		return -EINVAL;
	mss = arg->mss ?: READ_ONCE(tcp_sk(sock->sk)->mss_cache);
	err = sl_limits_check("send", arg->tx_buf, arg->tx_win, mss);
	if (!err)
		err = sl_limits_check("receive", arg->rx_buf, arg->rx_win, mss);
	if (!err && arg->tx_buf)
		err = sl_limits_tx(sock, arg);
	if (!err && arg->rx_buf)
		err = sl_limits_rx(sock, arg, mss);
	return err;
}
