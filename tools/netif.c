// SPDX-License-Identifier: GPL-2.0
/*
 * Network interfaces and their namespaces, and programs that set them up
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netif.h"

extern char **environ;

/* Where we are, to come back; returns -1 with errno. */
static int enter(int netns)
{
	int home, error;

	if (netns == NETNS_OWN)
		return NETNS_OWN;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -1;
	if (!setns(netns, CLONE_NEWNET))
		return home;
	error = errno;
	close(home);
	errno = error;
	return -1;
}

static void leave(int home)
{
	if (home == NETNS_OWN)
		return;
	if (setns(home, CLONE_NEWNET))
		err(1, "cannot go back to this network namespace");
	close(home);
}

/*
 * @name: one of ip-netns(8), or a path; @path is where it is.  Returns a
 * descriptor, or -1 with errno.
 */
int netns_open(const char *name, char *path, size_t size)
{
	int len;

	if (strchr(name, '/'))
		len = snprintf(path, size, "%s", name);
	else
		len = snprintf(path, size, NETNS_DIR "/%s", name);
	if (len < (int)size)
		return open(path, O_RDONLY | O_CLOEXEC);
	errno = ENAMETOOLONG;
	return -1;
}

/* The same if it can be gone to; -1 after telling the user why not. */
int netns_open_checked(const char *name, char *path, size_t size)
{
	int netns = netns_open(name, path, size);
	int home;

	if (netns < 0) {
		warn("no network namespace '%s'", name);
		return -1;
	}
	home = enter(netns);
	if (home < 0) {
		warn("'%s' is no network namespace to go to", name);
		close(netns);
		return -1;
	}
	leave(home);
	return netns;
}

/* The hardware address tells it from one of the same name elsewhere. */
bool netns_has(int netns, const char *ifname, const char *mac)
{
	struct ifreq ifr = {};
	char text[18] = "";
	int home = enter(netns);
	const unsigned char *a;
	int fd;

	if (netns != NETNS_OWN && home < 0)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	leave(home);
	if (fd < 0)
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (!ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		a = (const unsigned char *)ifr.ifr_hwaddr.sa_data;
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
			 a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	close(fd);
	return !strcasecmp(text, mac);
}

/* Of one in our own namespace; returns 0, or -1 with errno. */
int netif_set_mtu(const char *ifname, int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret, error;

	if (fd < 0)
		return -1;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	ret = ioctl(fd, SIOCSIFMTU, &ifr);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

/* root may have no sbin in its path, after su(1) for example. */
static int spawn(pid_t *pid, char *const argv[])
{
	char path[64];
	int error;

	error = posix_spawnp(pid, argv[0], NULL, NULL, argv, environ);
	if (error != ENOENT)
		return error;
	snprintf(path, sizeof(path), "/sbin/%s", argv[0]);
	return posix_spawn(pid, path, NULL, NULL, argv, environ);
}

/*
 * Runs it in @netns, with our output.  Returns 0, -1 with errno if it cannot be
 * run, or its exit status (128 if it was killed).
 */
int run_program(char *const argv[], int netns)
{
	int home = enter(netns);
	int error, status;
	pid_t pid;

	if (netns != NETNS_OWN && home < 0)
		return -1;
	error = spawn(&pid, argv);
	leave(home);
	if (error) {
		errno = error;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
