// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments and small files
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* "What is wrong", and where to read how it is right; returns STATUS_USAGE. */
int usage_error(const struct command *self, const char *format, ...)
{
	va_list args;

	if (format) {
		fprintf(stderr, "sockloan %s: ", self->name);
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "Try 'sockloan %s --help'.\n", self->name);
	return STATUS_USAGE;
}

/*
 * For commands without options of their own.  Returns PARSE_ON with optind at
 * the first argument, or the status to exit with.
 */
int parse_help_only(const struct command *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, {}
	};

	switch (getopt_long(argc, argv, "+h", options, NULL)) {
	case -1:
		return PARSE_ON;
	case 'h':
		fputs(self->usage, stdout);
		return STATUS_OK;
	default:
		return usage_error(self, NULL);
	}
}

/* A decimal number of at least @min; returns 0, or -1 if @text is not one. */
int parse_int(const char *text, int min, int *value)
{
	char *end;
	long l;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	l = strtol(text, &end, 10);
	if (errno || *end || l < min || l > INT_MAX)
		return -1;
	*value = l;
	return 0;
}

/* The first line of a file, without its end; returns 0, or -1 with errno. */
int read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	int error;

	if (!file)
		return -1;
	errno = 0;
	if (!fgets(line, size, file)) {
		error = errno ? errno : ENODATA;
		fclose(file);
		errno = error;
		return -1;
	}
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return 0;
}
