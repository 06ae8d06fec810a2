// SPDX-License-Identifier: GPL-2.0
/* Addresses of either family, and sockets there. */
#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include <unistd.h>

#include "address.h"

static void unmap(struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *v6 = (void *)addr;
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (addr->ss_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return;
	v4.sin_port = v6->sin6_port;
	memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, 4);
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, &v4, sizeof(v4));
}

void address_local(int fd, struct sockaddr_storage *addr)
{
	socklen_t len = sizeof(*addr);

	if (getsockname(fd, (struct sockaddr *)addr, &len))
		err(1, "getsockname");
	unmap(addr);
}

void address_peer(int fd, struct sockaddr_storage *addr)
{
	socklen_t len = sizeof(*addr);

	if (getpeername(fd, (struct sockaddr *)addr, &len))
		err(1, "getpeername");
	unmap(addr);
}

unsigned int address_port(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)addr)->sin6_port);
	return ntohs(((struct sockaddr_in *)addr)->sin_port);
}

void address_set_port(struct sockaddr_storage *addr, unsigned int port)
{
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)addr)->sin_port = htons(port);
}

static socklen_t length(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

int address_bind(const struct sockaddr_storage *addr, int type)
{
	int fd = socket(addr->ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 ||
	    (type == SOCK_STREAM &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on))))
		err(1, "socket");
	if (bind(fd, (const struct sockaddr *)addr, length(addr)))
		err(1, "port %u", address_port(addr));
	return fd;
}

int address_connect(const struct sockaddr_storage *addr, int type)
{
	int fd = socket(addr->ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)addr, length(addr)))
		err(1, "connection to port %u", address_port(addr));
	return fd;
}
