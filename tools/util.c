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

#define MAX_SECONDS 86400

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

/* Returns 0, or -1 if @text is none, or is not from 0.01 to MAX_SECONDS. */
static int parse_seconds(const char *text, double *seconds)
{
	char *end;

	if (*text != '.' && (*text < '0' || *text > '9'))
		return -1;
	errno = 0;
	*seconds = strtod(text, &end);
	if (errno || end == text || *end)
		return -1;
	return *seconds >= 0.01 && *seconds <= MAX_SECONDS ? 0 : -1;
}

/* The option's argument; returns PARSE_ON, or the status to exit with. */
int parse_interval(const struct command *self, const char *text,
		   double *seconds)
{
	if (!parse_seconds(text, seconds))
		return PARSE_ON;
	return usage_error(self, "'%s' is not a number of seconds (0.01 to %d)",
			   text, MAX_SECONDS);
}

/* "-w2", "-w 2" and "-w": getopt(3) has no optional argument after a space */
int parse_watch(const struct command *self, double *seconds, int argc,
		char **argv)
{
	char *text = optarg;

	*seconds = 1;
	if (!text && optind < argc && argv[optind][0] != '-')
		text = argv[optind++];
	return text ? parse_interval(self, text, seconds) : PARSE_ON;
}

/* Room for one more behind @nr elements; returns 0, or -1 with errno. */
int array_grow(void **array, size_t nr, size_t size)
{
	void *larger;

	/* There is room for 1, 2, 4, 8... */
	if (nr & (nr - 1))
		return 0;
	larger = reallocarray(*array, nr ? nr * 2 : 1, size);
	if (!larger)
		return -1;
	*array = larger;
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
