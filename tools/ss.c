// SPDX-License-Identifier: GPL-2.0
/*
 * Run ss(8) of iproute2, and read what it prints: a line for each socket, and
 * below it one that begins with a blank, for what TCP has to tell
 *
 *   tcp ESTAB 0 5120 10.0.0.1:5201 10.0.0.2:40022 uid:1000 ino:4711 sk:1 <->
 *       ts sack cubic wscale:7,7 ... retrans:0/3 ...
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "ss.h"

extern char **environ;

/* The signals that this command blocks while it watches are to end the child. */
static int spawn(pid_t *pid, int output)
{
	char *argv[] = { "ss", "-H", "-n", "-e", "-i", "-t", "-u", "-a", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int error;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn_file_actions_adddup2(&actions, output,
						 STDOUT_FILENO);
	if (!error)
		error = posix_spawnp(pid, argv[0], &actions, &attributes, argv,
				     environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Returns where to read from, or NULL after telling the user why not. */
static FILE *start(pid_t *pid)
{
	FILE *file = NULL;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC)) {
		warn(NULL);
		return NULL;
	}
	error = spawn(pid, ends[1]);
	close(ends[1]);
	if (error == ENOENT)
		warnx("there is no ss here: install the package iproute2");
	else if (error)
		warnx("ss: %s", strerror(error));
	else
		file = fdopen(ends[0], "r");
	if (!file)
		close(ends[0]);
	return file;
}

/* Returns 0; 1: the user has stopped it; or -1 after telling what went wrong. */
static int finish(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		warn("ss");
		return -1;
	}
	if (WIFSIGNALED(status) &&
	    (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM))
		return 1;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status))
		warnx("ss failed: exit status %d", WEXITSTATUS(status));
	else
		warnx("ss failed: signal %d", WTERMSIG(status));
	return -1;
}

/* Returns false for a socket that no process has. */
static bool parse_socket(const char *line, struct ss_socket *to)
{
	const char *inode = strstr(line, " ino:");

	memset(to, 0, sizeof(*to));
	if (!inode)
		return false;
	to->inode = strtoull(inode + strlen(" ino:"), NULL, 10);
	return sscanf(line, "%7s %11s %u %u %69s %69s", to->protocol, to->state,
		      &to->recv_q, &to->send_q, to->local, to->remote) == 6 &&
	       to->inode;
}

/* "retrans:UNACKNOWLEDGED/ALL", left out when there are none */
static void parse_details(const char *line, struct ss_socket *to)
{
	const char *retrans = strstr(line, " retrans:");

	if (retrans)
		sscanf(retrans, " retrans:%*u/%u", &to->retransmits);
}

static int read_lines(FILE *file, struct ss *ss)
{
	struct ss_socket *last = NULL;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	_Static_assert(ENDPOINT_SIZE == 70, "as in parse_socket()");
	while (getline(&line, &size, file) > 0) {
		if (isspace((unsigned char)*line)) {
			if (last)
				parse_details(line, last);
			continue;
		}
		ret = array_grow((void **)&ss->socket, ss->nr,
				 sizeof(*ss->socket));
		if (ret) {
			warn(NULL);
			break;
		}
		last = parse_socket(line, &ss->socket[ss->nr]) ?
			       &ss->socket[ss->nr++] :
			       NULL;
	}
	free(line);
	return ret;
}

static int by_inode(const void *a, const void *b)
{
	const struct ss_socket *l = a, *r = b;

	if (l->inode == r->inode)
		return 0;
	return l->inode < r->inode ? -1 : 1;
}

/*
 * Returns 0; 1: the user has stopped it (Ctrl-C); or -1 after telling what went
 * wrong.  ss_free() has to follow in any case.
 */
int ss_read(struct ss *ss)
{
	FILE *file;
	pid_t pid;
	int ret, end;

	memset(ss, 0, sizeof(*ss));
	file = start(&pid);
	if (!file)
		return -1;
	ret = read_lines(file, ss);
	fclose(file);
	end = finish(pid);
	if (ss->nr)
		qsort(ss->socket, ss->nr, sizeof(*ss->socket), by_inode);
	return ret ? ret : end;
}

/* NULL: it does not know the socket; that is in another network namespace. */
const struct ss_socket *ss_find(const struct ss *ss, unsigned long long inode)
{
	const struct ss_socket key = { .inode = inode };

	if (!ss->nr)
		return NULL;
	return bsearch(&key, ss->socket, ss->nr, sizeof(*ss->socket), by_inode);
}

void ss_free(struct ss *ss)
{
	free(ss->socket);
}
