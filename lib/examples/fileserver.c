// SPDX-License-Identifier: GPL-2.0
/*
 * An HTTP file server that reads straight into the transmit buffer
 *
 * read(2) puts the file's data where it is sent from: sl_tx_head() says where and
 * how much, sl_tx_commit() sends it.  A thread to a connection, one pool for all.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <sockloan.h>

#include "net.h"

static const char usage[] =
	"usage: fileserver PORT DIRECTORY\n"
	"\n"
	"Serves the files of DIRECTORY, not those below it, by HTTP/1.0.\n";

static struct sl_pool *pool;
static int directory;

/* The name in "GET /NAME HTTP/1.0"; NULL: something else */
static char *name_of(char *request)
{
	char *name, *end;

	if (strncmp(request, "GET /", 5))
		return NULL;
	name = request + 5;
	end = strpbrk(name, " \r\n");
	if (!end)
		return NULL;
	*end = '\0';
	return *name && !strchr(name, '/') && name[0] != '.' ? name : NULL;
}

/* All of a request's head, looked at where it arrived, and released */
static ssize_t read_request(int fd, char *request, size_t size)
{
	size_t have = 0;

	while (have < size - 1) {
		const void *data;
		ssize_t n = sl_recv_zc(pool, fd, &data);

		if (n <= 0)
			return -1;
		if ((size_t)n > size - 1 - have)
			n = size - 1 - have;
		memcpy(request + have, data, n);
		if (sl_release(pool, fd, n))
			return -1;
		have += n;
		request[have] = '\0';
		if (strstr(request, "\r\n\r\n"))
			return have;
	}
	return -1;
}

static int answer(int fd, const char *status, long long length)
{
	size_t room;
	char *head = sl_tx_head(pool, fd, &room);
	int n;

	if (!head)
		return -1;
	n = snprintf(head, room,
		     "HTTP/1.0 %s\r\nContent-Length: %lld\r\n"
		     "Connection: close\r\n\r\n",
		     status, length);
	return sl_tx_commit(pool, fd, n) < 0 ? -1 : 0;
}

static int send_file(int fd, int file)
{
	size_t room;
	ssize_t n;
	void *head;

	do {
		head = sl_tx_head(pool, fd, &room);
		if (!head)
			return -1;
		n = read(file, head, room);
		if (n > 0 && sl_tx_commit(pool, fd, n) < 0)
			return -1;
	} while (n > 0);
	return n;
}

static void respond(int fd)
{
	char request[4096], *name;
	struct stat st;
	int file;

	if (read_request(fd, request, sizeof(request)) < 0)
		return;
	name = name_of(request);
	file = name ? openat(directory, name, O_RDONLY | O_NOFOLLOW) : -1;
	if (file < 0 || fstat(file, &st) || !S_ISREG(st.st_mode))
		answer(fd, "404 Not Found", 0);
	else if (answer(fd, "200 OK", st.st_size) || send_file(fd, file))
		warn("%s", name);
	if (file >= 0)
		close(file);
}

static void *serve(void *arg)
{
	int fd = (long)arg;

	respond(fd);
	sl_leave(pool, fd);
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_attr_t detached;
	pthread_t thread;
	int listener;
	long fd;

	if (argc != 3) {
		bool help = argc > 1 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	directory = open(argv[2], O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		err(1, "%s", argv[2]);
	pool = sl_pool_open(NULL);
	if (!pool)
		err(1, "/dev/sockloan");
	listener = listen_on(argv[1]);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		fd = accept_from(listener);
		if (fd < 0)
			continue;
		errno = pthread_create(&thread, &detached, serve, (void *)fd);
		if (errno) {
			warn("thread");
			close(fd);
		}
	}
}
