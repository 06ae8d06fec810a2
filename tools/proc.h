/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes and their descriptors, as /proc has them
 */
#ifndef _TOOLS_PROC_H
#define _TOOLS_PROC_H

#include <stdio.h>

#define PROC_COMMAND_SIZE 64 /* kernel threads have the longest names */
#define PROC_WORD_SIZE (4 * PROC_COMMAND_SIZE)

/**
 * struct proc_fd - a descriptor of a process
 * @pid: the process
 * @fd: its number there
 * @dir: of ours, for /proc/PID/fd
 * @name: @fd as a text
 * @link: what it points to
 */
struct proc_fd {
	int pid;
	int fd;
	int dir;
	const char *name;
	const char *link;
};

int proc_each(int (*act)(int pid, void *arg), void *arg);
int proc_each_fd(int pid, int (*act)(const struct proc_fd *fd, void *arg),
		 void *arg);
const char *proc_strerror(int error);
void proc_command(int pid, char *to, size_t size);
void proc_word(const char *command, char *to);
void proc_print_json(FILE *out, const char *command);

#endif /* _TOOLS_PROC_H */
