// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note
/* What needs no pool: attaching sockets, their windows */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "internal.h"

/* On a file of the device of its own: attached sockets outlive it. */
static int device_ioctl(unsigned long cmd, void *arg)
{
	int dev = open("/dev/sockloan", O_RDWR | O_CLOEXEC), ret, err;

	if (dev < 0)
		return -1;
	ret = ioctl(dev, cmd, arg);
	err = errno;
	close(dev);
	errno = err;
	return ret;
}

int sl_attach(int fd)
{
	struct sockloan_attach arg = { .size = sizeof(arg), .fd = fd };

	if (!device_ioctl(SOCKLOAN_IOC_ATTACH, &arg) || errno == EALREADY)
		return 0;
	return -1;
}

int sl_detach(int fd)
{
	struct sockloan_attach arg = { .size = sizeof(arg), .fd = fd };

	return device_ioctl(SOCKLOAN_IOC_DETACH, &arg);
}

/* An ioctl about the socket @fd, which is attached if it is not yet. */
int sl__attached_ioctl(int dev, int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(dev, cmd, arg);

	if (ret >= 0 || errno != ESRCH || sl_attach(fd))
		return ret;
	return ioctl(dev, cmd, arg);
}

bool sl__is_stream(int fd)
{
	socklen_t len = sizeof(int);
	int type = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
	       type == SOCK_STREAM;
}

int sl_set_windows(int fd, const struct sl_windows *w)
{
	struct sockloan_windows arg = {
		.size = sizeof(arg),
		.fd = fd,
		.mss = w->mss,
		.tx_buf = w->tx_buf,
		.tx_win = w->tx_win,
		.rx_buf = w->rx_buf,
		.rx_win = w->rx_win,
	};
	int ret = device_ioctl(SOCKLOAN_IOC_WINDOWS, &arg);

	if (ret < 0 && errno == ESRCH && !sl_attach(fd))
		ret = device_ioctl(SOCKLOAN_IOC_WINDOWS, &arg);
	return ret;
}
