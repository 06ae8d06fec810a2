// SPDX-License-Identifier: GPL-2.0
/* Numbers and names on command lines, whole or not at all. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t digit;

	if (!*text)
		return false;
	for (*value = 0; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		digit = *text - '0';
		if (*value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return *value <= max;
}

bool parse_bytes(const char *text, uint64_t max, uint64_t *value)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	char digits[24];
	const char *unit;
	int shift = 0;

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len + 1);
	unit = strchr(units, digits[len - 1]);
	if (unit) {
		shift = 10 * (unit - units + 1);
		digits[len - 1] = 0;
	}
	if (!parse_number(digits, UINT64_MAX >> shift, value))
		return false;
	*value <<= shift;
	return *value <= max;
}

bool find_name(const char *text, const char *const *names, int count,
	       int *index)
{
	for (*index = 0; *index < count; ++*index)
		if (!strcmp(text, names[*index]))
			return true;
	return false;
}

uint64_t number_option(char letter, const char *text, uint64_t min,
		       uint64_t max)
{
	uint64_t value;

	if (!parse_number(text, max, &value) || value < min)
		errx(2, "-%c %s: a number from %ju to %ju is wanted", letter,
		     text, min, max);
	return value;
}

uint64_t bytes_option(char letter, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;

	if (!parse_bytes(text, max, &value) || value < min)
		errx(2,
		     "-%c %s: bytes are wanted, %ju to %ju, K, M or G behind them for KiB, MiB or GiB",
		     letter, text, min, max);
	return value;
}

int name_option(char letter, const char *text, const char *const *names,
		int count)
{
	int index;

	if (find_name(text, names, count, &index))
		return index;
	fprintf(stderr, "%s: -%c %s: one of these is wanted:",
		program_invocation_short_name, letter, text);
	for (index = 0; index < count; index++)
		fprintf(stderr, " %s", names[index]);
	fputc('\n', stderr);
	exit(2);
}
