// SPDX-License-Identifier: GPL-2.0
/* One measured transfer over loopback: the memory, the sends, the clock. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "peer.h"
#include "transfer.h"
#include "zerocopy.h"

#define PAGE 4096
#define HUGE_PAGE (2 << 20)

/* Sent before the clock starts: opens the congestion window */
#define WARM_UP (16 << 20)
/* Nobody needs more calls than this to warm up, or for a mean. */
#define WARM_UP_CALLS 5000
#define MAX_CALLS 50000

/* The sender's memory: @all bytes at @map; the first buffer is at @start. */
struct buffers {
	char *map;
	size_t all;
	char *start;
	size_t stride;
	size_t count;
	int file;
};

static char *map(size_t bytes, int protection, int flags, int fd)
{
	char *map = mmap(NULL, bytes, protection, flags, fd, 0);

	if (map == MAP_FAILED)
		err(1, "mmap");
	return map;
}

static char *map_small_pages(size_t bytes)
{
	char *pages = map(bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1);

	/* Kernels may be built without huge pages. */
	if (madvise(pages, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		err(1, "madvise");
	return pages;
}

/* Nobody has the file open for writing when it is sent. */
static void map_file(struct buffers *buffers)
{
	static const char path[] = "/dev/shm/sockloan-bench";
	char piece[PAGE];
	size_t done;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		err(1, "%s", path);
	memset(piece, 1, sizeof(piece));
	for (done = 0; done < buffers->all; done += sizeof(piece))
		if (write(fd, piece, sizeof(piece)) != sizeof(piece))
			err(1, "%s", path);
	close(fd);
	buffers->file = open(path, O_RDONLY);
	if (buffers->file < 0)
		err(1, "%s", path);
	unlink(path);
	buffers->map = map(buffers->all, PROT_READ, MAP_SHARED, buffers->file);
}

static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

static void make_buffers(const struct transfer *transfer, size_t calls,
			 struct buffers *buffers)
{
	bool huge = transfer->memory == HUGE_PAGES;
	size_t page = huge && !transfer->once ? HUGE_PAGE : PAGE;

	buffers->count = transfer->once	   ? calls :
			 transfer->buffers ? transfer->buffers :
					     1;
	buffers->stride = round_up(transfer->offset + transfer->size, page);
	/* Buffers within a large mapping lie side by side. */
	if (transfer->once || transfer->memory == MAPPED_FILE)
		buffers->stride = transfer->size;
	buffers->all = round_up(buffers->count * buffers->stride, PAGE);
	if (huge)
		buffers->all = round_up(buffers->all, HUGE_PAGE) + HUGE_PAGE;
	buffers->file = -1;
	if (transfer->memory == MAPPED_FILE) {
		map_file(buffers);
		buffers->start = buffers->map;
		return;
	}
	buffers->map = map_small_pages(buffers->all);
	buffers->start = buffers->map + transfer->offset;
	if (huge) {
		buffers->start = buffers->map + HUGE_PAGE -
				 (size_t)buffers->map % HUGE_PAGE;
		if (madvise(buffers->start, buffers->all - HUGE_PAGE,
			    MADV_HUGEPAGE))
			err(1, "madvise");
	}
	if (transfer->memory != UNTOUCHED)
		memset(buffers->start, 1,
		       buffers->count * buffers->stride - transfer->offset);
}

static void free_buffers(const struct buffers *buffers)
{
	munmap(buffers->map, buffers->all);
	if (buffers->file >= 0)
		close(buffers->file);
}

/* The first pages of every 16; all of a smaller buffer when it is 16. */
static void rewrite(const struct transfer *transfer, char *buf, size_t call)
{
	size_t at, bytes, end = transfer->size;

	for (at = 0; at < end; at += 16 * PAGE) {
		bytes = transfer->rewrite * PAGE;
		if (bytes > end - at)
			bytes = end - at;
		memset(buf + at, call, bytes);
	}
}

static void send_file(int fd, int file, off_t offset, size_t size)
{
	ssize_t sent;

	for (; size; size -= sent) {
		sent = sendfile(fd, file, &offset, size);
		if (sent <= 0)
			err(1, "sendfile");
	}
}

static void send_fresh(const struct transfer *transfer, int fd, size_t call)
{
	char *buf = map_small_pages(transfer->size);

	memset(buf, call, transfer->size);
	if (send(fd, buf, transfer->size, 0) != (ssize_t)transfer->size)
		err(1, "send");
	munmap(buf, transfer->size);
}

static void send_one(const struct transfer *transfer, int fd,
		     const struct buffers *buffers, size_t call)
{
	size_t offset = call % buffers->count * buffers->stride;
	char *buf = buffers->start + offset;

	if (transfer->fresh) {
		send_fresh(transfer, fd, call);
		return;
	}
	if (transfer->rewrite)
		rewrite(transfer, buf, call);
	switch (transfer->how) {
	case BY_SEND:
		if (send(fd, buf, transfer->size, 0) != (ssize_t)transfer->size)
			err(1, "send");
		break;
	case BY_SENDFILE:
		send_file(fd, buffers->file, offset, transfer->size);
		break;
	case BY_ZEROCOPY:
		zerocopy_send(fd, buf, transfer->size);
		break;
	}
}

/* @calls for each of @peers, until they have received all. */
static void send_all(const struct transfer *transfer, const struct peer *peers,
		     int count, const struct buffers *buffers, size_t first,
		     size_t calls)
{
	size_t i;
	int k;

	for (i = 0; i < calls; i++) {
		for (k = 0; k < count; k++)
			send_one(transfer, peers[k].fd, buffers, first + i);
		if (transfer->udp && i % DATAGRAMS == DATAGRAMS - 1)
			for (k = 0; k < count; k++)
				wait_for_word(&peers[k]);
	}
	for (k = 0; k < count; k++)
		wait_for_word(&peers[k]);
}

static size_t calls_for(size_t bytes, size_t size, size_t max)
{
	size_t calls = (bytes + size - 1) / size;

	return calls < max ? calls : max;
}

static void schedule(int policy)
{
	struct sched_param none = { 0 };

	if (sched_setscheduler(0, policy, &none))
		err(1, "sched_setscheduler");
}

bool run_transfer(const struct transfer *transfer, size_t bytes,
		  struct result *result)
{
	int count = transfer->connections ? transfer->connections : 1, k;
	size_t size = transfer->size;
	struct traffic traffic = {
		.udp = transfer->udp,
		.reads = transfer->reads,
		.size = size,
		.warm_up = calls_for(WARM_UP, size, WARM_UP_CALLS) / count,
		.calls = calls_for(bytes, size, MAX_CALLS) / count,
	};
	size_t all = traffic.calls * count * size;
	struct peer *peers = calloc(count, sizeof(*peers));
	struct buffers buffers;
	bool attached = true;
	long long lent;
	double start;

	if (!peers)
		err(1, "memory");
	if (transfer->batch)
		schedule(SCHED_BATCH);
	for (k = 0; k < count; k++) {
		start_peer(&traffic, &peers[k]);
		if (transfer->lend && !attach(peers[k].fd))
			attached = false;
		if (transfer->how == BY_ZEROCOPY)
			zerocopy_on(peers[k].fd);
	}
	make_buffers(transfer, traffic.warm_up + traffic.calls, &buffers);

	send_all(transfer, peers, count, &buffers, 0, traffic.warm_up);
	lent = counter("BytesLent");
	start = now();
	send_all(transfer, peers, count, &buffers, traffic.warm_up,
		 traffic.calls);
	result->rate = all / 1e6 / (now() - start);
	result->lent = (double)(counter("BytesLent") - lent) / all;

	for (k = 0; k < count; k++)
		end_peer(&peers[k]);
	if (transfer->batch)
		schedule(SCHED_OTHER);
	free_buffers(&buffers);
	free(peers);
	return attached;
}
