// SPDX-License-Identifier: GPL-2.0
/* The ioctls of pools: every argument is checked here before anything is done. */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/sockloan.h>

#include "pool.h"
#include "rx.h"
#include "sockloan.h"

static int sl_poolctl_setup(struct sl_pool *pool, void __user *user)
{
	struct sockloan_pool arg;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	err = sl_pool_setup(pool, &arg);
	if (err)
		return err;
	arg.size = min_t(u32, usize, sizeof(arg));
	return copy_to_user(user, &arg, arg.size) ? -EFAULT : 0;
}

/* Ids that are copied in or out at a time */
#define SL_POOLCTL_IDS	64

static int sl_poolctl_pkts(struct sl_pool *pool, void __user *user,
			   int (*act)(struct sl_pool *pool, u32 __user *ids,
				      u32 count))
{
	struct sockloan_pkts arg;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags || arg.reserved || !arg.count || arg.count > INT_MAX)
		return -EINVAL;
	return act(pool, u64_to_user_ptr(arg.ids), arg.count);
}

static int sl_poolctl_alloc(struct sl_pool *pool, u32 __user *to, u32 count)
{
	u32 ids[SL_POOLCTL_IDS], n, i, done = 0;

	do {
		u32 want = min_t(u32, count - done, SL_POOLCTL_IDS);

		n = sl_pool_alloc(pool, ids, want);
		if (copy_to_user(to + done, ids, n * sizeof(*ids))) {
			/* The ids of these nobody knows. */
			for (i = 0; i < n; i++)
				sl_pool_free(pool, ids[i]);
			return done ?: -EFAULT;
		}
		done += n;
		if (n < want)
			break;
		cond_resched();
	} while (done < count);
	return done ?: -ENOBUFS;
}

static int sl_poolctl_free(struct sl_pool *pool, u32 __user *from, u32 count)
{
	u32 done;
	int err;
	u32 id;

	for (done = 0; done < count; done++) {
		err = -EFAULT;
		if (!get_user(id, from + done))
			err = sl_pool_free(pool, id);
		if (err)
			return done ?: err;
		cond_resched();
	}
	return done;
}

static int sl_poolctl_xout_all(struct sl_pool *pool, struct socket *sock,
			       const struct sockloan_xout *arg)
{
	struct sockloan_pkt __user *user = u64_to_user_ptr(arg->pkts);
	struct sockloan_pkt pkt;
	u32 done;
	int ret;

	for (done = 0; done < arg->count; done++) {
		if (copy_from_user(&pkt, user + done, sizeof(pkt)))
			return done ?: -EFAULT;
		ret = sl_xout(pool, sock, &pkt, arg->flags,
			      done + 1 < arg->count);
		/* Restarting is for the whole call, if nothing was sent. */
		if (put_user(ret == -ERESTARTSYS ? -EINTR : ret,
			     &user[done].result) && ret >= 0)
			return done + 1;
		if (ret < 0)
			return done ?: ret;
		cond_resched();
	}
	return done;
}

static int sl_poolctl_xout(struct sl_pool *pool, void __user *user)
{
	struct sockloan_xout arg;
	struct socket *sock;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if ((arg.flags & ~(SOCKLOAN_XOUT_DONTWAIT | SOCKLOAN_XOUT_MORE)) ||
	    !arg.count || arg.count > INT_MAX)
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	if (sock->file->f_flags & O_NONBLOCK)
		arg.flags |= SOCKLOAN_XOUT_DONTWAIT;
	err = sl_poolctl_xout_all(pool, sock, &arg);
	sockfd_put(sock);
	return err;
}

static int sl_poolctl_stat(struct sl_pool *pool, void __user *user)
{
	struct sockloan_poolstat arg;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	sl_pool_stat(pool, &arg);
	arg.size = min_t(u32, usize, sizeof(arg));
	return copy_to_user(user, &arg, arg.size) ? -EFAULT : 0;
}

/* -- receiving ----------------------------------------------------------------- */

static int sl_poolctl_member(struct sl_pool *pool, void __user *user, bool join)
{
	struct sockloan_join arg;
	struct socket *sock;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags || (arg.events & ~SOCKLOAN_EVENT_ALL) ||
	    (!join && (arg.events || arg.cookie)))
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	err = join ? sl_rx_join(pool, sock, &arg) : sl_rx_leave(pool, sock);
	sockfd_put(sock);
	return err;
}

/* A file that is a socket in the pool; sl_poolctl_drop() has to follow. */
static struct sl_rx *sl_poolctl_get(struct sl_pool *pool, int fd,
				    struct socket **to)
{
	struct socket *sock;
	struct sl_rx *rx;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return ERR_PTR(err);
	rx = sl_rx_get(pool, sock);
	if (IS_ERR(rx))
		sockfd_put(sock);
	*to = sock;
	return rx;
}

static void sl_poolctl_drop(struct sl_rx *rx, struct socket *sock)
{
	sl_rx_put(rx);
	sockfd_put(sock);
}

static int sl_poolctl_peek(struct sl_pool *pool, void __user *user)
{
	struct sockloan_peek arg;
	struct socket *sock;
	struct sl_rx *rx;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags || arg.reserved || !arg.nr || !arg.max)
		return -EINVAL;
	rx = sl_poolctl_get(pool, arg.fd, &sock);
	if (IS_ERR(rx))
		return PTR_ERR(rx);
	err = sl_peek(rx, sock, &arg);
	sl_poolctl_drop(rx, sock);
	if (err)
		return err;
	arg.size = min_t(u32, usize, sizeof(arg));
	return copy_to_user(user, &arg, arg.size) ? -EFAULT : 0;
}

static int sl_poolctl_release(struct sl_pool *pool, void __user *user)
{
	struct sockloan_release arg;
	struct socket *sock;
	struct sl_rx *rx;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	rx = sl_poolctl_get(pool, arg.fd, &sock);
	if (IS_ERR(rx))
		return PTR_ERR(rx);
	err = -ERESTARTSYS;
	if (!mutex_lock_interruptible(&rx->lock)) {
		err = sl_rx_release(rx, sock, arg.count);
		mutex_unlock(&rx->lock);
	}
	sl_poolctl_drop(rx, sock);
	return err;
}

/* May packets be sent by it? */
static int sl_poolctl_sender(struct socket *sock, int type)
{
	struct sl_sock *ss;

	if (!sl_is_ours(sock) || sock->type != type)
		return -EOPNOTSUPP;
	ss = sl_find(sock->sk);
	if (!ss || !READ_ONCE(ss->on))
		return -ESRCH;
	return READ_ONCE(sock->sk->sk_prot) == ss->prot ? 0 : -EOPNOTSUPP;
}

static int sl_poolctl_forward(struct sl_pool *pool, void __user *user)
{
	struct socket *from, *to;
	struct sockloan_forward arg;
	struct sl_rx *rx;
	u32 usize;
	int ret;

	ret = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (ret)
		return ret;
	if ((arg.flags & ~(SOCKLOAN_XOUT_DONTWAIT | SOCKLOAN_XOUT_MORE)) ||
	    arg.reserved || !arg.max || arg.max > INT_MAX)
		return -EINVAL;
	rx = sl_poolctl_get(pool, arg.from, &from);
	if (IS_ERR(rx))
		return PTR_ERR(rx);
	to = sockfd_lookup(arg.to, &ret);
	if (!to)
		goto out;
	ret = sl_poolctl_sender(to, from->type);
	if (!ret && from->type == SOCK_DGRAM && arg.max != 1)
		ret = -EINVAL;
	if (!ret)
		ret = sl_forward(rx, from, to, arg.max, arg.flags);
	sockfd_put(to);
out:
	sl_poolctl_drop(rx, from);
	return ret;
}

static int sl_poolctl_windows(void __user *user)
{
	struct sockloan_windows arg;
	struct socket *sock;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	err = sl_limits_set(sock, &arg);
	sockfd_put(sock);
	return err;
}

/* -- all of them ---------------------------------------------------------------- */

static void sl_poolctl_layout(void)
{
	BUILD_BUG_ON(sizeof(struct sockloan_pool) != 40);
	BUILD_BUG_ON(sizeof(struct sockloan_pkts) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_pkt) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_xout) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_poolstat) != 176);
	BUILD_BUG_ON(sizeof(struct sockloan_event) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_join) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_seg) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_name) != 32);
	BUILD_BUG_ON(sizeof(struct sockloan_peek) != 56);
	BUILD_BUG_ON(sizeof(struct sockloan_release) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_forward) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_windows) != 32);
}

/* An ioctl for pools that are set up? */
static bool sl_poolctl_known(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == SOCKLOAN_IOC_MAGIC &&
	       _IOC_NR(cmd) >= _IOC_NR(SOCKLOAN_IOC_ALLOC) &&
	       _IOC_NR(cmd) <= _IOC_NR(SOCKLOAN_IOC_FORWARD);
}

/**
 * sl_poolctl_show - /proc/PID/fdinfo/FD of a pool
 * @pool: a pool that is ready
 * @seq: where to
 */
void sl_poolctl_show(struct sl_pool *pool, struct seq_file *seq)
{
	struct sockloan_poolstat st = {};
	struct sl_rx *rx;

	sl_pool_stat(pool, &st);
	seq_printf(seq, "pool-number:\t%llu\n", pool->number);
	seq_printf(seq, "pool-buffers:\t%u of %u bytes, %u free, %u held, %u in flight, lowest %u\n",
		   st.bufs, st.buf_size, st.free, st.held, st.in_flight,
		   st.lowest_free);
	seq_printf(seq, "pool-window:\t%u pages, %u mapped, %u stale; %u for copies, %u used\n",
		   st.window_pages, st.window_used, st.window_stale,
		   st.copy_pages, st.copy_used);
	seq_printf(seq, "pool-bytes:\t%llu given away, %llu mapped, %llu copied, %llu released, %llu forwarded\n",
		   st.xout_bytes, st.bytes_mapped, st.bytes_copied,
		   st.bytes_released, st.bytes_forwarded);
	seq_printf(seq, "pool-failures:\t%llu alloc, %llu bad ids, %llu bad releases, %llu window full\n",
		   st.alloc_failures, st.bad_ids, st.bad_releases,
		   st.window_full);
	spin_lock_irq(&pool->event_lock);
	list_for_each_entry(rx, &pool->sockets, node)
		seq_printf(seq, "pool-socket:\tino %llu cookie %#llx pending %#x peeked %u\n",
			   rx->ino, rx->cookie, rx->pending,
			   READ_ONCE(rx->peeked));
	spin_unlock_irq(&pool->event_lock);
}

/**
 * sl_poolctl - an ioctl of a pool
 * @pool: of the file
 * @cmd: which
 * @user: its argument
 */
long sl_poolctl(struct sl_pool *pool, unsigned int cmd, void __user *user)
{
	sl_poolctl_layout();
	cmd &= ~IOCSIZE_MASK;
	if (cmd == (SOCKLOAN_IOC_POOL & ~IOCSIZE_MASK))
		return sl_poolctl_setup(pool, user);
	if (cmd == (SOCKLOAN_IOC_WINDOWS & ~IOCSIZE_MASK))
		return sl_poolctl_windows(user);
	if (!sl_pool_ready(pool))
		return sl_poolctl_known(cmd) ? -ENXIO : -ENOTTY;
	switch (cmd) {
	case SOCKLOAN_IOC_ALLOC & ~IOCSIZE_MASK:
		return sl_poolctl_pkts(pool, user, sl_poolctl_alloc);
	case SOCKLOAN_IOC_FREE & ~IOCSIZE_MASK:
		return sl_poolctl_pkts(pool, user, sl_poolctl_free);
	case SOCKLOAN_IOC_XOUT & ~IOCSIZE_MASK:
		return sl_poolctl_xout(pool, user);
	case SOCKLOAN_IOC_POOLSTAT & ~IOCSIZE_MASK:
		return sl_poolctl_stat(pool, user);
	case SOCKLOAN_IOC_JOIN & ~IOCSIZE_MASK:
		return sl_poolctl_member(pool, user, true);
	case SOCKLOAN_IOC_LEAVE & ~IOCSIZE_MASK:
		return sl_poolctl_member(pool, user, false);
	case SOCKLOAN_IOC_PEEK & ~IOCSIZE_MASK:
		return sl_poolctl_peek(pool, user);
	case SOCKLOAN_IOC_RELEASE & ~IOCSIZE_MASK:
		return sl_poolctl_release(pool, user);
	case SOCKLOAN_IOC_FORWARD & ~IOCSIZE_MASK:
		return sl_poolctl_forward(pool, user);
	}
	return -ENOTTY;
}
