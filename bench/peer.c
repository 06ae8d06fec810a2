// SPDX-License-Identifier: GPL-2.0
/*
 * Receivers, and connections to them, as real programs have them: processes of
 * their own, blocking, with all socket options as they are.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

/* What the receiver asks for at a time */
#define RECEIVE (128 << 10)
/* Room for DATAGRAMS large ones */
#define DATAGRAM_BUFFER (8 << 20)

static void say(int word)
{
	if (write(word, "", 1) != 1)
		err(1, "receiver");
}

static void receive(const struct traffic *traffic, int fd, char *buf,
		    size_t calls, int word)
{
	int flags = traffic->reads ? 0 : MSG_TRUNC;
	size_t want = calls * traffic->size, i;
	ssize_t got;

	if (traffic->udp) {
		/* A datagram is discarded by asking for nothing of it. */
		for (i = 0; i < calls; i++) {
			got = recv(fd, buf, traffic->reads ? RECEIVE : 0,
				   flags);
			if (got != (ssize_t)traffic->size)
				err(1, "a datagram of %zd bytes", got);
			if (i % DATAGRAMS == DATAGRAMS - 1)
				say(word);
		}
	} else {
		for (; want; want -= got) {
			got = recv(fd, buf, want < RECEIVE ? want : RECEIVE,
				   flags);
			if (got <= 0)
				err(1, "recv");
		}
	}
	say(word);
}

static int listener(const struct traffic *traffic, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int buffer = DATAGRAM_BUFFER;
	int fd = socket(AF_INET, traffic->udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) ||
	    getsockname(fd, (struct sockaddr *)addr, &len))
		err(1, "receiver's socket");
	if (traffic->udp ? setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
				      sizeof(buffer)) :
			   listen(fd, 1))
		err(1, "receiver's socket");
	return fd;
}

static void receiver(const struct traffic *traffic, int fd, int word)
{
	char *buf = malloc(RECEIVE);

	if (!buf)
		err(1, "memory");
	memset(buf, 1, RECEIVE);
	if (!traffic->udp)
		fd = accept(fd, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	receive(traffic, fd, buf, traffic->warm_up, word);
	receive(traffic, fd, buf, traffic->calls, word);
	exit(0);
}

void start_peer(const struct traffic *traffic, struct peer *peer)
{
	struct sockaddr_in addr;
	int words[2], fd = listener(traffic, &addr);

	if (pipe(words))
		err(1, "pipe");
	/* Or the child prints again what is still in our buffer. */
	fflush(NULL);
	peer->pid = fork();
	if (peer->pid < 0)
		err(1, "fork");
	if (!peer->pid) {
		close(words[0]);
		receiver(traffic, fd, words[1]);
	}
	close(words[1]);
	close(fd);
	peer->word = words[0];
	peer->fd = socket(AF_INET, traffic->udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (peer->fd < 0 ||
	    connect(peer->fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "sender's socket");
}

void wait_for_word(const struct peer *peer)
{
	char byte;

	if (read(peer->word, &byte, 1) != 1)
		errx(1, "a receiver failed");
}

void end_peer(const struct peer *peer)
{
	int status;

	close(peer->fd);
	close(peer->word);
	if (waitpid(peer->pid, &status, 0) < 0 || status)
		errx(1, "a receiver failed");
}
