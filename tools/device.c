// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/sockloan, and what its errors mean
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common.h"

#define DEVICE_PATH "/dev/sockloan"

static const char *open_hint(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return ": is the module loaded? (modprobe sockloan)";
	case EACCES:
	case EPERM:
		return ": every user should be able to read it (chmod 666)";
	default:
		return "";
	}
}

/* Returns a descriptor, or -1 after telling the user why not. */
int device_open(void)
{
	int fd = open(DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		warnx("%s: %s%s", DEVICE_PATH, strerror(errno),
		      open_hint(errno));
	return fd;
}

/* Of the device, whatever names it has; returns 0, or -1 and the user was told. */
int device_number(dev_t *number)
{
	struct stat st;

	if (stat(DEVICE_PATH, &st)) {
		warnx("%s: %s%s", DEVICE_PATH, strerror(errno),
		      open_hint(errno));
		return -1;
	}
	*number = st.st_rdev;
	return 0;
}

/* For errors of the ioctls and of target_borrow(). */
const char *device_strerror(int error)
{
	switch (error) {
	case EBADF:
		return "the process has no such descriptor";
	case ESRCH:
		return "the process has exited";
	case EPERM:
		return "no permission to trace the process: try as root";
	case ENOTSOCK:
		return "not a socket";
	case EOPNOTSUPP:
		return "not a plain TCP or UDP socket (Multipath TCP, SMC, kernel TLS are none)";
	case EALREADY:
		return "attached already";
	case ENOENT:
		return "not attached";
	case ENOTTY:
	case E2BIG:
		return "the loaded module is older than this command and cannot do that";
	default:
		return strerror(error);
	}
}
