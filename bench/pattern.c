// SPDX-License-Identifier: GPL-2.0
/* The memory that one thread sends from, and what it does to it. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content.h"
#include "pattern.h"

static char *map_pages(size_t bytes)
{
	char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		err(1, "memory");
	/* Kernels may be built without huge pages. */
	if (madvise(map, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		err(1, "madvise");
	return map;
}

static void first_filling(struct memory *memory)
{
	const struct job *job = memory->job;
	uint64_t i;

	if (!job->check) {
		memset(memory->map, 1, memory->bytes);
		return;
	}
	for (i = 0; i < job->buffers; i++)
		content_fill(job, memory->thread, i,
			     memory->map + i * memory->stride, 0, job->size,
			     true);
}

/* As memory that is then written to a file, which nobody has open for writing. */
static void map_file(struct memory *memory)
{
	char path[] = "/dev/shm/sockloan-bench.XXXXXX";
	int fd = mkstemp(path);
	size_t done;
	ssize_t n;

	if (fd < 0)
		err(1, "%s", path);
	for (done = 0; done < memory->bytes; done += n) {
		n = write(fd, memory->map + done, memory->bytes - done);
		if (n <= 0)
			err(1, "%s", path);
	}
	munmap(memory->map, memory->bytes);
	memory->file = open(path, O_RDONLY | O_CLOEXEC);
	if (memory->file < 0)
		err(1, "%s", path);
	close(fd);
	unlink(path);
	memory->map = mmap(NULL, memory->bytes, PROT_READ,
			   MAP_SHARED | MAP_POPULATE, memory->file, 0);
	if (memory->map == MAP_FAILED)
		err(1, "mmap");
}

void memory_open(struct memory *memory, const struct job *job, uint64_t thread)
{
	size_t pages = (job->size + PAGE - 1) / PAGE;

	*memory = (struct memory){ .job = job, .thread = thread, .file = -1 };
	if (job->pattern == FRESH || job->mechanism == XOUT)
		return;
	/* Windows of a file lie side by side. */
	memory->stride = job->pattern == MAPPED ? job->size : pages * PAGE;
	memory->bytes = job->buffers * memory->stride;
	memory->map = map_pages(memory->bytes);
	first_filling(memory);
	if (job->pattern == MAPPED)
		map_file(memory);
}

void memory_close(struct memory *memory)
{
	if (memory->map)
		munmap(memory->map, memory->bytes);
	if (memory->file >= 0)
		close(memory->file);
}

char *memory_get(struct memory *memory, uint64_t n)
{
	if (memory->job->pattern == FRESH)
		return map_pages(memory->job->size);
	return memory->map + n % memory->job->buffers * memory->stride;
}

void memory_put(struct memory *memory, char *buf)
{
	if (memory->job->pattern == FRESH && munmap(buf, memory->job->size))
		err(1, "munmap");
}

bool pattern_writes(const struct job *job)
{
	return job->pattern == REWRITE || job->pattern == PART ||
	       job->pattern == FRESH;
}

void memory_write(const struct job *job, uint64_t thread, uint64_t n, char *buf,
		  size_t at, size_t len)
{
	size_t i, left;

	if (!pattern_writes(job))
		return;
	if (job->check) {
		content_fill(job, thread, n, buf, at, len, false);
	} else if (job->pattern != PART) {
		memset(buf, n, len);
	} else {
		/* @at is at the start of a page that is written. */
		for (i = 0; i < len; i += PART_PAGES * PAGE) {
			left = len - i;
			memset(buf + i, n, left < PAGE ? left : PAGE);
		}
	}
}
