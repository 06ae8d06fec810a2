// SPDX-License-Identifier: GPL-2.0
/* What the measuring programs share: attaching, settings, counters, time. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockloan.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

bool attach(int fd)
{
	struct sockloan_attach arg = { .size = sizeof(arg), .fd = fd };
	int dev = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	bool done;

	if (dev < 0)
		err(1, "/dev/sockloan");
	done = !ioctl(dev, SOCKLOAN_IOC_ATTACH, &arg);
	if (!done && errno != EOPNOTSUPP)
		err(1, "attach");
	close(dev);
	return done;
}

static FILE *setting(const char *name, const char *mode)
{
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/sockloan/%s", name);
	file = fopen(path, mode);
	if (!file && errno != ENOENT)
		err(1, "%s", path);
	return file;
}

bool get_setting(const char *name, long *value)
{
	FILE *file = setting(name, "r");

	if (!file)
		return false;
	if (fscanf(file, "%ld", value) != 1)
		errx(1, "net.sockloan.%s is no number", name);
	fclose(file);
	return true;
}

bool set_setting(const char *name, long value)
{
	FILE *file = setting(name, "w");

	if (!file)
		return false;
	fprintf(file, "%ld\n", value);
	if (fclose(file))
		err(1, "net.sockloan.%s", name);
	return true;
}

long long counter(const char *name)
{
	FILE *file = fopen("/proc/net/sockloan", "r");
	long long value = -1, this;
	char word[64];

	if (!file)
		err(1, "/proc/net/sockloan");
	while (fscanf(file, "%63s %lld", word, &this) == 2)
		if (!strcmp(word, name))
			value = this;
	fclose(file);
	return value;
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/*
 * Seconds that the one CPU has been busy.  /proc/stat counts idle time in 10 ms,
 * /proc/timer_list in nanoseconds; interrupts out of idle are not idle time.
 */
double busy(void)
{
	FILE *file = fopen("/proc/timer_list", "r");
	double idle = -1;
	char line[200];

	if (!file)
		err(1, "/proc/timer_list");
	while (idle < 0 && fgets(line, sizeof(line), file))
		sscanf(line, " .idle_sleeptime : %lf nsecs", &idle);
	fclose(file);
	if (idle < 0)
		errx(1, "no idle time in /proc/timer_list");
	return now() - idle / 1e9;
}
