// SPDX-License-Identifier: GPL-2.0
/* /dev/sockloan: every argument is checked here before anything is done. */
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/sockloan.h>

#include "pool.h"
#include "rx.h"
#include "sockloan.h"

/*
 * Copy a size-versioned structure in; @size is that of ours, @first that of its
 * first version.
 */
int sl_dev_get(void *to, size_t size, size_t first,
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
	}
	return sl_poolctl(pool, cmd, user);
}

static int sl_dev_open(struct inode *inode, struct file *file)
{
	file->private_data = sl_pool_new();
	return file->private_data ? 0 : -ENOMEM;
}

static int sl_dev_release(struct inode *inode, struct file *file)
{
	sl_pool_close(file->private_data);
	return 0;
}

static int sl_dev_mmap(struct file *file, struct vm_area_struct *vma)
{
	return sl_pool_mmap(file->private_data, vma);
}

static ssize_t sl_dev_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	struct sl_pool *pool = file->private_data;

	if (!sl_pool_ready(pool))
		return -ENXIO;
	return sl_event_read(pool, buf, len, file->f_flags & O_NONBLOCK);
}

static __poll_t sl_dev_poll(struct file *file, poll_table *wait)
{
	struct sl_pool *pool = file->private_data;

	poll_wait(file, &pool->wait, wait);
	return list_empty_careful(&pool->eventful) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static void sl_dev_fdinfo(struct seq_file *seq, struct file *file)
{
	struct sl_pool *pool = file->private_data;

	if (sl_pool_ready(pool))
		sl_poolctl_show(pool, seq);
}

static const struct file_operations sl_dev_fops = {
	.owner = THIS_MODULE,
	.open = sl_dev_open,
	.release = sl_dev_release,
	.mmap = sl_dev_mmap,
	.read = sl_dev_read,
	.poll = sl_dev_poll,
	.show_fdinfo = sl_dev_fdinfo,
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

	return misc_register(&sl_dev);
}

void sl_dev_exit(void)
{
	misc_deregister(&sl_dev);
}
