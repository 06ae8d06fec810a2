// SPDX-License-Identifier: GPL-2.0
/* Time, and how much of it this machine's processors were busy. */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu.h"

int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* How long @cpu, which must not be idle now, has been; -1: not to be had */
static int64_t idle_of(int cpu)
{
	FILE *file = fopen("/proc/timer_list", "r");
	long long idle = -1, iowait = -1;
	char line[256];
	int at = -1;

	if (!file)
		return -1;
	while (iowait < 0 && fgets(line, sizeof(line), file)) {
		sscanf(line, "cpu: %d", &at);
		if (at != cpu)
			continue;
		sscanf(line, " .idle_sleeptime : %lld nsecs", &idle);
		sscanf(line, " .iowait_sleeptime : %lld nsecs", &iowait);
	}
	fclose(file);
	return idle < 0 || iowait < 0 ? -1 : idle + iowait;
}

/* Idle and waiting ticks of all processors, as nanoseconds */
static int64_t idle_ticks(void)
{
	long long user, nice, system, idle, iowait;
	FILE *file = fopen("/proc/stat", "r");

	if (!file || fscanf(file, "cpu %lld %lld %lld %lld %lld", &user, &nice,
			    &system, &idle, &iowait) != 5)
		errx(1, "no idle time in /proc/stat");
	fclose(file);
	return (idle + iowait) * (1000000000LL / sysconf(_SC_CLK_TCK));
}

int64_t busy_ns(bool begin)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu;
	int64_t busy = 0, idle, before_reading;
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		err(1, "affinity");
	/* The kernel adds up an idle processor's time when it ends: go there, end it. */
	for (cpu = 0; cpu < cpus; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (cpus > 1 && sched_setaffinity(0, sizeof(one), &one))
			break;
		/* It does not idle while we are reading: that time is left out. */
		before_reading = wall_ns();
		idle = idle_of(cpu);
		if (idle < 0)
			break;
		busy += (begin ? wall_ns() : before_reading) - idle;
	}
	if (cpus > 1 && sched_setaffinity(0, sizeof(allowed), &allowed))
		err(1, "affinity");
	return cpu == cpus ? busy : cpus * wall_ns() - idle_ticks();
}
