// SPDX-License-Identifier: GPL-2.0
/*
 * Where the processors' time goes while a command runs, by sampling where each of them is:
 * the system's clock, no hardware counter, so that it works on emulated machines.
 */
#include <err.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "symbols.h"

static const char usage[] =
	"usage: profile [-n LINES] [-p NANOSECONDS] COMMAND...\n"
	"\n"
	"Runs COMMAND, samples all processors meanwhile, and prints one line: how many samples\n"
	"were in each group of kernel code (copy, page, protocol), in programs, and idle.\n"
	"Samples that were lost, or too few of them, are an error.  For root.\n"
	"\n"
	"  -n LINES        the symbols with the most samples, and their groups, too\n"
	"  -p NANOSECONDS  between samples (default 50000)\n";

/* Pages of the buffer of each processor, a power of two */
#define PAGES 1024
#define PAGE_SIZE 4096UL
#define MAX_CPUS 64
/* With fewer a share of 1 % means nothing. */
#define ENOUGH 500

struct cpu {
	int fd;
	struct perf_event_mmap_page *head;
};

struct counts {
	uint64_t samples;
	uint64_t lost;
	uint64_t group[GROUPS];
};

static void open_cpu(struct cpu *cpu, int number, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
		.disabled = 1,
	};

	cpu->fd = syscall(SYS_perf_event_open, &attr, -1, number, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (cpu->fd < 0)
		err(1, "perf_event_open");
	cpu->head = mmap(NULL, (1 + PAGES) * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED, cpu->fd, 0);
	if (cpu->head == MAP_FAILED)
		err(1, "perf buffer");
}

static void switch_all(const struct cpu *cpus, int count, unsigned long how)
{
	int i;

	for (i = 0; i < count; i++)
		if (ioctl(cpus[i].fd, how, 0))
			err(1, "perf ioctl");
}

/* @size bytes from @at on, where the buffer may end in between */
static void copy_out(const struct cpu *cpu, uint64_t at, void *to, size_t size)
{
	const char *data = (const char *)cpu->head + PAGE_SIZE;
	size_t i;

	for (i = 0; i < size; i++)
		((char *)to)[i] = data[(at + i) % (PAGES * PAGE_SIZE)];
}

struct sample {
	struct perf_event_header header;
	uint64_t ip;
	uint32_t pid, tid;
};

struct lost {
	struct perf_event_header header;
	uint64_t id;
	uint64_t lost;
};

static void take(struct counts *counts, const struct sample *s)
{
	unsigned int mode = s->header.misc & PERF_RECORD_MISC_CPUMODE_MASK;
	enum group group = USER;

	/* Nothing of process 0 but its idling is not called for by an interrupt. */
	if (mode == PERF_RECORD_MISC_KERNEL)
		group = symbols_count(s->ip, !s->tid);
	counts->samples++;
	counts->group[group]++;
}

static void read_cpu(const struct cpu *cpu, struct counts *counts)
{
	uint64_t end = __atomic_load_n(&cpu->head->data_head, __ATOMIC_ACQUIRE);
	uint64_t at = cpu->head->data_tail;
	union {
		struct perf_event_header header;
		struct sample sample;
		struct lost lost;
	} r;

	for (; at < end; at += r.header.size) {
		copy_out(cpu, at, &r, sizeof(r.header));
		if (r.header.size > sizeof(r))
			continue;
		copy_out(cpu, at, &r, r.header.size);
		if (r.header.type == PERF_RECORD_SAMPLE)
			take(counts, &r.sample);
		else if (r.header.type == PERF_RECORD_LOST)
			counts->lost += r.lost.lost;
		else if (r.header.type == PERF_RECORD_THROTTLE)
			counts->lost++;
	}
	__atomic_store_n(&cpu->head->data_tail, end, __ATOMIC_RELEASE);
}

static int run(char **command)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		execvp(*command, command);
		err(127, "%s", *command);
	}
	if (waitpid(pid, &status, 0) < 0)
		err(1, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void print(const struct counts *counts, unsigned int lines)
{
	int g;

	printf("samples=%ju lost=%ju", counts->samples, counts->lost);
	for (g = 0; g < GROUPS; g++)
		printf(" %s=%ju", group_names[g], counts->group[g]);
	putchar('\n');
	symbols_print(lines);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int count = sysconf(_SC_NPROCESSORS_ONLN), option, status, i;
	uint64_t period = 50000, lines = 0;
	static struct cpu cpus[MAX_CPUS];
	struct counts counts = { 0 };

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "+n:p:h")) != -1) {
		switch (option) {
		case 'n':
			lines = number_option('n', optarg, 1, 10000);
			break;
		case 'p':
			period = number_option('p', optarg, 10000, 1000000000);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (count > MAX_CPUS)
		errx(1, "that many processors are too many");
	symbols_load();
	for (i = 0; i < count; i++)
		open_cpu(&cpus[i], i, period);
	switch_all(cpus, count, PERF_EVENT_IOC_ENABLE);
	status = run(argv + optind);
	switch_all(cpus, count, PERF_EVENT_IOC_DISABLE);
	for (i = 0; i < count; i++)
		read_cpu(&cpus[i], &counts);
	print(&counts, lines);
	if (counts.lost)
		errx(1, "%ju samples were lost", counts.lost);
	if (counts.samples < ENOUGH)
		errx(1, "%ju samples are too few", counts.samples);
	return status;
}
