/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers and names on command lines, whole or not at all. */
#ifndef _BENCH_OPTIONS_H
#define _BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits, up to @max */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

/* The same, with K, M or G for KiB, MiB or GiB behind it */
bool parse_bytes(const char *text, uint64_t max, uint64_t *value);

bool find_name(const char *text, const char *const *names, int count,
	       int *index);

/* For options: these exit with a message that says what is right. */
uint64_t number_option(char letter, const char *text, uint64_t min,
		       uint64_t max);
uint64_t bytes_option(char letter, const char *text, uint64_t min,
		      uint64_t max);
int name_option(char letter, const char *text, const char *const *names,
		int count);

#endif /* _BENCH_OPTIONS_H */
