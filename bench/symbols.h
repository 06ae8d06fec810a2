/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of the kernel, by address, and which kind of work each of them does. */
#ifndef _BENCH_SYMBOLS_H
#define _BENCH_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

enum group {
	COPYING, /* and clearing what is copied to */
	PAGES_WORK, /* page tables, faults, references, allocation */
	PROTOCOL, /* all else that the kernel does */
	USER,
	IDLE,
	GROUPS
};

extern const char *const group_names[GROUPS];

/* /proc/kallsyms */
void symbols_load(void);

/* Counts a sample, of the idle process if @idle; returns its group */
enum group symbols_count(uint64_t ip, bool idle);

/* The @lines functions with the most samples */
void symbols_print(unsigned int lines);

#endif /* _BENCH_SYMBOLS_H */
