// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: the module, and the surroundings
 *
 * Every program runs in a network namespace of its own, so that the counters
 * it reads and the sysctls it sets are nobody else's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "sl_net.h"

size_t sl_page;

int sl_slow(void)
{
	const char *slow = getenv("SOCKLOAN_SLOW");
	int factor = slow ? atoi(slow) : 1;

	return factor > 1 ? factor : 1;
}

/* The harness ends a case by alarm(); a slow machine asks for more patience. */
unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(seconds * sl_slow());
}

bool sl_plain(void)
{
	const char *s = getenv("SOCKLOAN_PLAIN");

	return s && *s && strcmp(s, "0");
}

int sl_ioctl(unsigned long cmd, void *arg)
{
	int fd, ret, err;

	fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, cmd, arg);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

int sl_attach(int fd)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = fd };

	return sl_plain() ? 0 : sl_ioctl(SOCKLOAN_IOC_ATTACH, &a);
}

int sl_detach(int fd)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = fd };

	return sl_plain() ? 0 : sl_ioctl(SOCKLOAN_IOC_DETACH, &a);
}

int sl_sockstat(int fd, struct sockloan_sockstat *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->fd = fd;
	return sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, st);
}

long long sl_lent(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.bytes_lent;
}

long long sl_copied(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.bytes_copied;
}

long long sl_protected(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.pages_protected;
}

void sl_count(struct sl_counters *c)
{
	FILE *f;

	c->nr = 0;
	f = fopen("/proc/self/net/sockloan", "re");
	if (!f)
		return;
	while (c->nr < SL_COUNTERS_MAX &&
	       fscanf(f, "%31s %llu\n", c->c[c->nr].name, &c->c[c->nr].value) ==
		       2)
		c->nr++;
	fclose(f);
}

long long sl_value(const struct sl_counters *c, const char *name)
{
	int i;

	for (i = 0; i < c->nr; i++)
		if (!strcmp(c->c[i].name, name))
			return c->c[i].value;
	fprintf(stderr, "# no counter %s\n", name);
	return -1;
}

/* How much a counter has risen, or -1 when there is no such counter */
long long sl_rise(const struct sl_counters *since, const char *name)
{
	struct sl_counters now;
	long long before, after;

	sl_count(&now);
	before = sl_value(since, name);
	after = sl_value(&now, name);
	return before < 0 || after < 0 ? -1 : after - before;
}

/* For the log of a test that failed: every counter that is not 0 */
void sl_log_counters(void)
{
	struct sl_counters c;
	int i;

	sl_count(&c);
	for (i = 0; i < c.nr; i++)
		if (c.c[i].value)
			fprintf(stderr, "# %s %llu\n", c.c[i].name,
				c.c[i].value);
}

static int sysctl_path(char *path, size_t len, const char *name)
{
	int n = snprintf(path, len, "/proc/sys/net/%s", name);

	return n < 0 || (size_t)n >= len ? -1 : 0;
}

int sl_sysctl(const char *name, const char *value)
{
	char path[128];
	ssize_t ret;
	int fd, err;

	if (sysctl_path(path, sizeof(path), name))
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value));
	err = errno;
	close(fd);
	errno = err;
	return ret < 0 ? -1 : 0;
}

int sl_sysctl_read(const char *name, char *value, size_t len)
{
	char path[128];
	ssize_t n;
	int fd;

	if (sysctl_path(path, sizeof(path), name))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, value, len - 1);
	close(fd);
	if (n < 0)
		return -1;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

/* A value into a file of /proc or /sys, or out of one */
int sl_put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	close(fd);
	return n < 0 ? -1 : 0;
}

long long sl_get(const char *path)
{
	FILE *f = fopen(path, "re");
	long long value = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%lld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* Pin the calling thread, as far as there are that many CPUs */
int sl_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* Drain this CPU's LRU batches, which every madvise(MADV_COLD) begins with */
void sl_settle(void)
{
	static _Alignas(65536) char page[65536];

	madvise(page, sizeof(page), MADV_COLD);
}

uint64_t sl_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void sl_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Reap a child: its exit status, or -1 when it did not exit by itself */
int sl_exited(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void __attribute__((constructor)) sl_init(void)
{
	const char *own = getenv("SOCKLOAN_NETNS");

	sl_page = sysconf(_SC_PAGESIZE);
	if (!sl_plain() && access("/dev/sockloan", R_OK | W_OK)) {
		printf("TAP version 13\n1..0 # SKIP no /dev/sockloan\n");
		exit(4);
	}
	if (own && !strcmp(own, "0"))
		return;
	if (unshare(CLONE_NEWNET) || sl_netns_prepare())
		fprintf(stderr, "# no network namespace of its own: %s\n",
			strerror(errno));
}
