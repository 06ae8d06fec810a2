/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of /proc/net/sockloan
 */
#ifndef _TOOLS_COUNTERS_H
#define _TOOLS_COUNTERS_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define COUNTERS_PATH "/proc/net/sockloan"
#define COUNTERS_MAX 128
#define COUNTER_NAME_SIZE 32

enum counter_group {
	GROUP_SOCKETS,
	GROUP_SENDS,
	GROUP_PAGES,
	GROUP_FALLBACKS,
	GROUP_OTHER,
	NR_GROUPS
};

enum counter_kind {
	KIND_EVENTS,
	KIND_BYTES,
	KIND_LEVEL, /* goes up and down, has no rate */
};

/**
 * struct counter_info - what this command knows about a counter
 * @name: as the module spells it
 * @group: where the table shows it
 * @kind: what it counts
 * @text: for people
 */
struct counter_info {
	const char *name;
	enum counter_group group;
	enum counter_kind kind;
	const char *text;
};

struct counter {
	char name[COUNTER_NAME_SIZE];
	unsigned long long value;
};

/**
 * struct counters - all counters at one moment
 * @when: that moment, CLOCK_MONOTONIC
 * @nr: how many of @counter are in use
 * @counter: in the order of the file
 */
struct counters {
	struct timespec when;
	unsigned int nr;
	struct counter counter[COUNTERS_MAX];
};

/* counters.c */
int counters_read(struct counters *to, const char *path);
unsigned long long counters_get(const struct counters *in, const char *name);
const struct counter_info *counter_info(const char *name);

/* table.c */
void table_print(FILE *out, const struct counters *now, bool all);
void table_print_rates(FILE *out, const struct counters *now,
		       const struct counters *before, bool all);
void json_print(FILE *out, const struct counters *now);

#endif /* _TOOLS_COUNTERS_H */
