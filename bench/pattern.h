/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that one thread sends from, and what it does to it. */
#ifndef _BENCH_PATTERN_H
#define _BENCH_PATTERN_H

#include "job.h"

/**
 * struct memory - of one thread
 * @map: all its buffers, @stride bytes from one to the next
 * @file: behind the mapping of a file, for reading; else -1
 */
struct memory {
	const struct job *job;
	uint64_t thread;
	char *map;
	size_t bytes;
	size_t stride;
	int file;
};

void memory_open(struct memory *memory, const struct job *job, uint64_t thread);
void memory_close(struct memory *memory);

/* The buffer of call @n, before it is written to; and when it has been sent */
char *memory_get(struct memory *memory, uint64_t n);
void memory_put(struct memory *memory, char *buf);

/* Whether memory_write() does anything */
bool pattern_writes(const struct job *job);

/*
 * What the pattern has a program write before call @n: to bytes @at to @at + @len of what
 * it sends, at @buf
 */
void memory_write(const struct job *job, uint64_t thread, uint64_t n, char *buf,
		  size_t at, size_t len);

#endif /* _BENCH_PATTERN_H */
