// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and their descriptors, as /proc has them
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "proc.h"

/*
 * Call @act for every process until it returns something else than 0.  Returns
 * that, or -1 after telling the user that there is no /proc.
 */
int proc_each(int (*act)(int pid, void *arg), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int ret = 0, pid;

	if (!dir) {
		warn("/proc");
		return -1;
	}
	while (!ret && (entry = readdir(dir)))
		if (!parse_int(entry->d_name, 1, &pid))
			ret = act(pid, arg);
	closedir(dir);
	return ret;
}

/*
 * Call @act for every descriptor of a process until it returns something else
 * than 0.  Returns that, or an errno value if the process cannot be looked into.
 */
int proc_each_fd(int pid, int (*act)(const struct proc_fd *fd, void *arg),
		 void *arg)
{
	char path[32], link[PATH_MAX];
	struct proc_fd fd = { .pid = pid, .link = link };
	struct dirent *entry;
	int ret = 0;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno;
	fd.dir = dirfd(dir);
	while (!ret && (entry = readdir(dir))) {
		if (parse_int(entry->d_name, 0, &fd.fd))
			continue;
		len = readlinkat(fd.dir, entry->d_name, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		fd.name = entry->d_name;
		ret = act(&fd, arg);
	}
	closedir(dir);
	return ret;
}

/* For what proc_each_fd() returns */
const char *proc_strerror(int error)
{
	switch (error) {
	case EACCES:
		return device_strerror(EPERM);
	case ENOENT:
		return strerror(ESRCH);
	default:
		return strerror(error);
	}
}

/* The name of its program; "" when it has exited */
void proc_command(int pid, char *to, size_t size)
{
	char path[32];
	size_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file) {
		/* A name may contain newlines besides the one behind it. */
		len = fread(to, 1, size - 1, file);
		fclose(file);
	}
	if (len && to[len - 1] == '\n')
		len--;
	to[len] = '\0';
}

/* One word, as lsof(8) makes it: a blank becomes \x20; PROC_WORD_SIZE */
void proc_word(const char *command, char *to)
{
	const unsigned char *c;

	for (c = (const unsigned char *)command; *c; c++)
		if (*c <= ' ' || *c == '\\' || *c == 0x7f)
			to += sprintf(to, "\\x%02x", *c);
		else
			*to++ = *c;
	*to = '\0';
}

/* Quoted.  Nobody knows the encoding of what is not ASCII. */
void proc_print_json(FILE *out, const char *command)
{
	const unsigned char *c;

	fputc('"', out);
	for (c = (const unsigned char *)command; *c; c++)
		if (*c < ' ' || *c == '"' || *c == '\\' || *c >= 0x7f)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	fputc('"', out);
}
