// SPDX-License-Identifier: GPL-2.0
/* What the examples have in common, and is about ordinary sockets */
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>
#include <sys/socket.h>

#include "net.h"

static int open_socket(const char *host, const char *port, int flags,
		       int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = flags };
	struct addrinfo *list, *a;
	int fd = -1, one = 1, no = 0;

	if (getaddrinfo(host, port, &hints, &list))
		return -1;
	for (a = list; a; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		/* One socket for both families */
		if (a->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no,
				   sizeof(no));
		if (!use(fd, a->ai_addr, a->ai_addrlen))
			break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

int listen_on(const char *port)
{
	int fd = open_socket("::", port, AI_PASSIVE, bind);

	if (fd < 0)
		fd = open_socket("0.0.0.0", port, AI_PASSIVE, bind);
	if (fd < 0 || listen(fd, 128))
		err(1, "port %s", port);
	return fd;
}

int accept_from(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

int connect_to(const char *host, const char *port)
{
	return open_socket(host, port, 0, connect);
}
