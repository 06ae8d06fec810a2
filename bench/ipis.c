// SPDX-License-Identifier: GPL-2.0
/*
 * Interprocessor interrupts that sends cost, by number of threads.  They are
 * counts, for a machine of several CPUs; times are not measured.
 */
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "peer.h"

static const char usage[] =
	"usage: ipis [-b MIB] [-s SIZE]\n"
	"\n"
	"Counts the interprocessor interrupts of a sending process over loopback TCP,\n"
	"with 1, 2 and 4 threads, from plain and from attached sockets, with the\n"
	"adaptive rule on and off.\n"
	"\n"
	"  -b MIB    how much each sending thread sends (default 64)\n"
	"  -s SIZE   bytes a call (default 65536)\n";

#define MAX_THREADS 4
#define MIB (1024 * 1024)

/* Lines of /proc/interrupts */
enum kind { CALLS, FLUSHES, RESCHEDULES, KINDS };
static const char *const kind_names[KINDS] = { "CAL:", "TLB:", "RES:" };

struct counts {
	long long ipis[KINDS];
	long long flushes; /* by the module */
};

/* What is measured in one line of the table. */
struct scene {
	int threads;
	bool all_send; /* one does else, and the others compute */
	bool rewrite;
	bool lend;
	size_t size;
	size_t calls;
};

struct worker {
	const struct scene *scene;
	struct peer peer;
	pthread_t thread;
	bool sends;
};

static atomic_bool stop;
static pthread_barrier_t barrier;

static long long sum_of_line(char *line)
{
	long long sum = 0, value;
	char *end;

	for (;; line = end) {
		value = strtoll(line, &end, 10);
		if (end == line)
			return sum;
		sum += value;
	}
}

static void read_counts(struct counts *counts)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[1000], *found;
	int i;

	if (!file)
		err(1, "/proc/interrupts");
	while (fgets(line, sizeof(line), file)) {
		for (i = 0; i < KINDS; i++) {
			found = strstr(line, kind_names[i]);
			if (found)
				counts->ipis[i] = sum_of_line(found + 4);
		}
	}
	fclose(file);
	counts->flushes = counter("Flushes");
}

static void send_all(const struct worker *worker, char *buf)
{
	const struct scene *scene = worker->scene;
	size_t i;

	for (i = 0; i < scene->calls; i++) {
		if (scene->rewrite)
			memset(buf, i, scene->size);
		if (send(worker->peer.fd, buf, scene->size, 0) !=
		    (ssize_t)scene->size)
			err(1, "send");
	}
	wait_for_word(&worker->peer);
}

/*
 * Warms up, then lets the main thread read the counters, then does what is
 * counted.  The others are on their CPUs all that time.
 */
static void *work(void *data)
{
	struct worker *worker = data;
	size_t size = worker->scene->size;
	char *buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED)
		err(1, "mmap");
	memset(buf, 1, size);
	if (worker->sends)
		send_all(worker, buf);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	if (worker->sends)
		send_all(worker, buf);
	else
		while (!stop)
			buf[0]++;
	munmap(buf, size);
	return NULL;
}

static void measure(const struct scene *scene, struct counts *result)
{
	struct traffic traffic = {
		.reads = true,
		.size = scene->size,
		.warm_up = scene->calls,
		.calls = scene->calls,
	};
	struct worker workers[MAX_THREADS] = { 0 };
	int i, k, senders = scene->all_send ? scene->threads : 1;
	struct counts before, after;

	for (i = 0; i < scene->threads; i++) {
		workers[i].scene = scene;
		workers[i].sends = i < senders;
		if (!workers[i].sends)
			continue;
		start_peer(&traffic, &workers[i].peer);
		if (scene->lend && !attach(workers[i].peer.fd))
			errx(1, "cannot attach");
	}
	stop = false;
	pthread_barrier_init(&barrier, NULL, scene->threads + 1);
	for (i = 0; i < scene->threads; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			errx(1, "cannot create a thread");
	pthread_barrier_wait(&barrier);
	read_counts(&before);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < senders; i++)
		pthread_join(workers[i].thread, NULL);
	read_counts(&after);
	stop = true;
	for (i = senders; i < scene->threads; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < senders; i++)
		end_peer(&workers[i].peer);
	pthread_barrier_destroy(&barrier);
	for (k = 0; k < KINDS; k++)
		result->ipis[k] = after.ipis[k] - before.ipis[k];
	result->flushes = after.flushes - before.flushes;
}

static void row(const struct scene *scene, const char *side)
{
	double mib = (double)scene->calls * scene->size / MIB *
		     (scene->all_send ? scene->threads : 1);
	struct counts counts;

	printf("%7d  %-13s %-10s %-15s ", scene->threads,
	       scene->threads == 1 ? "" :
	       scene->all_send	   ? "all send" :
				     "others compute",
	       scene->rewrite ? "rewritten" : "re-sent", side);
	fflush(stdout);
	measure(scene, &counts);
	printf("%8.3f %8.3f %8.3f %8.3f\n", counts.ipis[CALLS] / mib,
	       counts.ipis[FLUSHES] / mib, counts.ipis[RESCHEDULES] / mib,
	       counts.flushes / mib);
	fflush(stdout);
}

static void rows(struct scene *scene)
{
	long adapt;

	scene->lend = false;
	row(scene, "copied");
	scene->lend = true;
	if (!get_setting("adapt", &adapt)) {
		row(scene, "attached");
		return;
	}
	set_setting("adapt", 0);
	row(scene, "lent (adapt=0)");
	set_setting("adapt", 1);
	row(scene, "adapt=1");
	set_setting("adapt", adapt);
}

int main(int argc, char **argv)
{
	struct scene scene = { .size = 64 << 10 };
	size_t bytes = 64 * MIB;
	int option;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "b:s:h")) != -1) {
		switch (option) {
		case 'b':
			bytes = strtoull(optarg, NULL, 0) * MIB;
			break;
		case 's':
			scene.size = strtoull(optarg, NULL, 0);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!scene.size || bytes < scene.size) {
		fputs(usage, stderr);
		return 2;
	}
	scene.calls = bytes / scene.size;
	printf("per MiB sent, %ld CPUs, %zu bytes a call\n",
	       sysconf(_SC_NPROCESSORS_ONLN), scene.size);
	printf("%-49s %8s %8s %8s %8s\n", "", "CAL", "TLB", "RES", "module's");
	printf("%7s  %-13s %-10s %-15s %8s %8s %8s %8s\n", "threads", "",
	       "buffer", "socket", "IPIs", "IPIs", "IPIs", "flushes");
	for (scene.threads = 1; scene.threads <= MAX_THREADS;
	     scene.threads *= 2) {
		for (int k = 0; k < 4; k++) {
			scene.all_send = k & 2;
			scene.rewrite = k & 1;
			if (scene.threads > 1 || !scene.all_send)
				rows(&scene);
		}
	}
	return 0;
}
