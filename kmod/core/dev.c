// SPDX-License-Identifier: GPL-2.0
/* /dev/sockloan: every argument is checked here before anything is done. */
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/uaccess.h>
#include <linux/sockloan.h>

#include "pool.h"
#include "sockloan.h"

/*
 * Copy a size-versioned structure in; @size is that of ours, @first that of its
 * first version.
 */
static int sl_dev_get(void *to, size_t size, size_t first,
		      const void __user *from, u32 *usize)
{
	if (get_user(*usize, (const u32 __user *)from))
		return -EFAULT;
	if (*usize < first || *usize > PAGE_SIZE)
		return *usize < first ? -EINVAL : -E2BIG;
	return copy_struct_from_user(to, size, from, *usize);
}

static int sl_dev_attach(void __user *from, int (*act)(struct socket *sock))
{
	struct sockloan_attach arg;
	struct socket *sock;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), from, &usize);
	if (err)
		return err;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	err = act(sock);
	sockfd_put(sock);
	return err;
}

static int sl_dev_run(void __user *from)
{
	struct sockloan_run arg;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), from, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	return sl_run_mark();
}

static int sl_sockstat(struct socket *sock, struct sockloan_sockstat *stat)
{
	struct sock *sk = sock->sk;
	struct sl_sock *ss;

	if (!sl_is_ours(sock))
		return -EOPNOTSUPP;
	ss = sl_find(sk);
	if (!ss)
		return -ENOENT;
	lock_sock(sk);
	spin_lock(&ss->lock);
	stat->state = ss->on ? SOCKLOAN_STATE_ATTACHED :
			       SOCKLOAN_STATE_DETACHED;
	stat->calls = ss->calls + ss->policy.passed;
	stat->bytes_lent = ss->bytes_lent;
	stat->bytes_copied = ss->bytes_copied + ss->policy.passed_bytes;
	stat->pages_lent = ss->pages_lent;
	stat->pages_protected = ss->pages_protected;
	stat->fallbacks = ss->fallbacks + ss->policy.passed;
	stat->pages_rewritten = ss->pages_rewritten;
	stat->backoffs = ss->backoffs;
	spin_unlock(&ss->lock);
	release_sock(sk);
	return 0;
}

static int sl_dev_sockstat(void __user *user)
{
	struct sockloan_sockstat arg;
	struct socket *sock;
	u32 usize;
	int err;

	err = sl_dev_get(&arg, sizeof(arg), SOCKLOAN_SOCKSTAT_SIZE_VER0, user,
			 &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	err = sl_sockstat(sock, &arg);
	sockfd_put(sock);
	if (err)
		return err;
	arg.size = min_t(u32, usize, sizeof(arg));
	return copy_to_user(user, &arg, arg.size) ? -EFAULT : 0;
}

/* -- pools --------------------------------------------------------------------- */

static int sl_dev_pool(struct sl_pool *pool, void __user *user)
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
#define SL_DEV_IDS	64

static int sl_dev_pkts(struct sl_pool *pool, void __user *user,
		       int (*act)(struct sl_pool *pool, u32 __user *ids,
				  u32 count))
{
	struct sockloan_pkts arg;
	u32 usize;
	int err;

	if (!sl_pool_ready(pool))
		return -ENXIO;
	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags || arg.reserved || !arg.count || arg.count > INT_MAX)
		return -EINVAL;
	return act(pool, u64_to_user_ptr(arg.ids), arg.count);
}

static int sl_dev_alloc(struct sl_pool *pool, u32 __user *to, u32 count)
{
	u32 ids[SL_DEV_IDS], n, i, done = 0;

	do {
		u32 want = min_t(u32, count - done, SL_DEV_IDS);

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

static int sl_dev_free(struct sl_pool *pool, u32 __user *from, u32 count)
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

static int sl_dev_xout_all(struct sl_pool *pool, struct socket *sock,
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

static int sl_dev_xout(struct sl_pool *pool, void __user *user)
{
	struct sockloan_xout arg;
	struct socket *sock;
	u32 usize;
	int err;

	if (!sl_pool_ready(pool))
		return -ENXIO;
	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if ((arg.flags & ~(SOCKLOAN_XOUT_DONTWAIT | SOCKLOAN_XOUT_MORE)) ||
	    !arg.count || arg.count > INT_MAX)
		return -EINVAL;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	err = sl_dev_xout_all(pool, sock, &arg);
	sockfd_put(sock);
	return err;
}

static int sl_dev_poolstat(struct sl_pool *pool, void __user *user)
{
	struct sockloan_poolstat arg;
	u32 usize;
	int err;

	if (!sl_pool_ready(pool))
		return -ENXIO;
	err = sl_dev_get(&arg, sizeof(arg), sizeof(arg), user, &usize);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	sl_pool_stat(pool, &arg);
	arg.size = min_t(u32, usize, sizeof(arg));
	return copy_to_user(user, &arg, arg.size) ? -EFAULT : 0;
}

static long sl_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct sl_pool *pool = file->private_data;

	/* A newer caller's structure is longer, and with it the number. */
	switch (cmd & ~IOCSIZE_MASK) {
	case SOCKLOAN_IOC_ATTACH & ~IOCSIZE_MASK:
		return sl_dev_attach(user, sl_attach);
	case SOCKLOAN_IOC_DETACH & ~IOCSIZE_MASK:
		return sl_dev_attach(user, sl_detach);
	case SOCKLOAN_IOC_RUN & ~IOCSIZE_MASK:
		return sl_dev_run(user);
	case SOCKLOAN_IOC_SOCKSTAT & ~IOCSIZE_MASK:
		return sl_dev_sockstat(user);
	case SOCKLOAN_IOC_POOL & ~IOCSIZE_MASK:
		return sl_dev_pool(pool, user);
	case SOCKLOAN_IOC_ALLOC & ~IOCSIZE_MASK:
		return sl_dev_pkts(pool, user, sl_dev_alloc);
	case SOCKLOAN_IOC_FREE & ~IOCSIZE_MASK:
		return sl_dev_pkts(pool, user, sl_dev_free);
	case SOCKLOAN_IOC_XOUT & ~IOCSIZE_MASK:
		return sl_dev_xout(pool, user);
	case SOCKLOAN_IOC_POOLSTAT & ~IOCSIZE_MASK:
		return sl_dev_poolstat(pool, user);
	}
	return -ENOTTY;
}

static int sl_dev_open(struct inode *inode, struct file *file)
{
	file->private_data = sl_pool_new();
	return file->private_data ? 0 : -ENOMEM;
}

static int sl_dev_release(struct inode *inode, struct file *file)
{
	sl_pool_destroy(file->private_data);
	return 0;
}

static int sl_dev_mmap(struct file *file, struct vm_area_struct *vma)
{
	return sl_pool_mmap(file->private_data, vma);
}

static const struct file_operations sl_dev_fops = {
	.owner = THIS_MODULE,
	.open = sl_dev_open,
	.release = sl_dev_release,
	.mmap = sl_dev_mmap,
	.unlocked_ioctl = sl_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* For everybody: a caller can only attach sockets of its own. */
static struct miscdevice sl_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sockloan",
	.fops = &sl_dev_fops,
	.mode = 0666,
};

int __init sl_dev_init(void)
{
	BUILD_BUG_ON(sizeof(struct sockloan_attach) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_run) != 8);
	BUILD_BUG_ON(sizeof(struct sockloan_sockstat) != 80);
	BUILD_BUG_ON(sizeof(struct sockloan_pool) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_pkts) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_pkt) != 16);
	BUILD_BUG_ON(sizeof(struct sockloan_xout) != 24);
	BUILD_BUG_ON(sizeof(struct sockloan_poolstat) != 80);

	return misc_register(&sl_dev);
}

void sl_dev_exit(void)
{
	misc_deregister(&sl_dev);
}
