/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the sockloan command shares
 */
#ifndef _TOOLS_COMMON_H
#define _TOOLS_COMMON_H

#include <stddef.h>

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
extern const struct command cmd_status;

/* util.c */
#define PARSE_ON (-1)
int parse_help_only(const struct command *self, int argc, char **argv);
__printf(2, 3) int usage_error(const struct command *self, const char *format,
			       ...);
int parse_int(const char *text, int min, int *value);
int read_line(const char *path, char *line, size_t size);

/* device.c */
int device_open(void);
const char *device_strerror(int error);

#endif /* _TOOLS_COMMON_H */
