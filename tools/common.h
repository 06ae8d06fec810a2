/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the sockloan command shares
 */
#ifndef _TOOLS_COMMON_H
#define _TOOLS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define __printf(a, b) __attribute__((__format__(printf, a, b)))

/* exit statuses; run also has those of env(1) */
#define STATUS_OK 0
#define STATUS_FAILURE 1
#define STATUS_USAGE 2
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND 127

/**
 * struct command - one of the words that may follow "sockloan"
 * @name: that word
 * @summary: one line for "sockloan help"
 * @usage: what "sockloan NAME --help" prints
 * @main: does it; argv[0] is "sockloan NAME"; returns an exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *usage;
	int (*main)(const struct command *self, int argc, char **argv);
};

extern const struct command cmd_run;
extern const struct command cmd_attach;
extern const struct command cmd_detach;
extern const struct command cmd_stat;
extern const struct command cmd_pool;
extern const struct command cmd_monitor;
extern const struct command cmd_gadget;
extern const struct command cmd_status;

/* util.c */
#define PARSE_ON (-1)
int parse_help_only(const struct command *self, int argc, char **argv);
__printf(2, 3) int usage_error(const struct command *self, const char *format,
			       ...);
int parse_int(const char *text, int min, int *value);
int parse_interval(const struct command *self, const char *text,
		   double *seconds);
int parse_watch(const struct command *self, double *seconds, int argc,
		char **argv);
int array_grow(void **array, size_t nr, size_t size);
int read_line(const char *path, char *line, size_t size);

/* watch.c */
void watch_begin(void);
bool watch_wait(double seconds);
int watch_print(void (*print)(FILE *out, const void *arg), const void *arg);

/* device.c */
int device_open(void);
int device_number(dev_t *number);
const char *device_strerror(int error);

#endif /* _TOOLS_COMMON_H */
