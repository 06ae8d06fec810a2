// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of single sockets
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockstat.h"
#include "target.h"

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void format_v6(char *to, const struct sockaddr_in6 *from)
{
	char address[INET6_ADDRSTRLEN];
	char scope[16] = "";

	inet_ntop(AF_INET6, &from->sin6_addr, address, sizeof(address));
	if (from->sin6_scope_id)
		snprintf(scope, sizeof(scope), "%%%u", from->sin6_scope_id);
	snprintf(to, ENDPOINT_SIZE, "[%s%s]:%u", address, scope,
		 ntohs(from->sin6_port));
}

static void format_endpoint(char *to, const union endpoint *from)
{
	char address[INET_ADDRSTRLEN];

	switch (from->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &from->v4.sin_addr, address,
			  sizeof(address));
		snprintf(to, ENDPOINT_SIZE, "%s:%u", address,
			 ntohs(from->v4.sin_port));
		break;
	case AF_INET6:
		format_v6(to, &from->v6);
		break;
	default:
		snprintf(to, ENDPOINT_SIZE, "-");
	}
}

static void read_endpoints(struct sockstat *row, int fd)
{
	union endpoint local = {}, remote = {};
	socklen_t len = sizeof(local);

	if (getsockname(fd, &local.any, &len))
		local.any.sa_family = AF_UNSPEC;
	len = sizeof(remote);
	if (getpeername(fd, &remote.any, &len))
		remote.any.sa_family = AF_UNSPEC;
	format_endpoint(row->local, &local);
	format_endpoint(row->remote, &remote);
}

/* Of a descriptor of the target; returns 0 or an errno value. */
int sockstat_read(int device, const struct target *target, int fd,
		  struct sockstat *row)
{
	int error = 0;

	row->fd = fd;
	row->stat = (struct sockloan_sockstat){ .size = sizeof(row->stat) };
	row->stat.fd = target_borrow(target, fd);
	if (row->stat.fd < 0)
		return errno;
	fd = row->stat.fd;
	if (ioctl(device, SOCKLOAN_IOC_SOCKSTAT, &row->stat))
		error = errno;
	else
		read_endpoints(row, fd);
	close(fd);
	return error;
}

static bool skippable(const struct target *target, int error)
{
	if (target->named)
		return false;
	return error == ENOENT || error == EOPNOTSUPP || error == ENOTSOCK ||
	       error == EBADF;
}

/*
 * Fill @rows, which has room for all of the target's descriptors; returns an
 * exit status.
 */
static int read_rows(const struct target *target, struct sockstat *rows,
		     size_t *nr)
{
	int device = device_open();
	int status = STATUS_OK;
	int error;
	size_t i;

	if (device < 0)
		return STATUS_FAILURE;
	for (i = 0; i < target->nr; i++) {
		error = sockstat_read(device, target, target->fds[i].fd,
				      &rows[*nr]);
		if (!error) {
			(*nr)++;
		} else if (!skippable(target, error)) {
			status = STATUS_FAILURE;
			warnx("process %d, descriptor %d: %s", target->pid,
			      target->fds[i].fd, device_strerror(error));
		}
	}
	close(device);
	return status;
}

const char *sockstat_state(unsigned int state)
{
	switch (state) {
	case SOCKLOAN_STATE_ATTACHED:
		return "attached";
	case SOCKLOAN_STATE_DETACHED:
		return "detached";
	default:
		return "unknown";
	}
}

static void print_table(const struct sockstat *rows, size_t nr)
{
	int local = 5, remote = 6, len;
	size_t i;

	if (!nr)
		return;
	for (i = 0; i < nr; i++) {
		len = snprintf(NULL, 0, "%s", rows[i].local);
		local = len > local ? len : local;
		len = snprintf(NULL, 0, "%s", rows[i].remote);
		remote = len > remote ? len : remote;
	}
	printf("%4s  %-*s  %-*s  %-8s %10s %10s %10s %6s %11s %11s %11s %10s %10s\n",
	       "FD", local, "LOCAL", remote, "REMOTE", "STATE", "CALLS",
	       "MB-LENT", "MB-COPIED", "LENT%", "PAGES", "PROTECTED",
	       "REWRITTEN", "BACKOFFS", "FALLBACKS");
	for (i = 0; i < nr; i++) {
		const struct sockloan_sockstat *s = &rows[i].stat;
		double all = (double)s->bytes_lent + s->bytes_copied;

		printf("%4d  %-*s  %-*s  %-8s %10llu %10.1f %10.1f %6.1f ",
		       rows[i].fd, local, rows[i].local, remote, rows[i].remote,
		       sockstat_state(s->state), s->calls, s->bytes_lent / 1e6,
		       s->bytes_copied / 1e6,
		       all > 0 ? 100 * s->bytes_lent / all : 0.0);
		printf("%11llu %11llu %11llu %10llu %10llu\n", s->pages_lent,
		       s->pages_protected, s->pages_rewritten, s->backoffs,
		       s->fallbacks);
	}
}

static void print_json(const struct sockstat *rows, size_t nr)
{
	size_t i;

	putchar('[');
	for (i = 0; i < nr; i++) {
		const struct sockloan_sockstat *s = &rows[i].stat;

		printf("%s\n  {\"fd\": %d, \"local\": \"%s\", ", i ? "," : "",
		       rows[i].fd, rows[i].local);
		printf("\"remote\": \"%s\", \"state\": \"%s\", ",
		       rows[i].remote, sockstat_state(s->state));
		printf("\"calls\": %llu, \"bytes_lent\": %llu, ", s->calls,
		       s->bytes_lent);
		printf("\"bytes_copied\": %llu, \"pages_lent\": %llu, ",
		       s->bytes_copied, s->pages_lent);
		printf("\"pages_protected\": %llu, \"fallbacks\": %llu, ",
		       s->pages_protected, s->fallbacks);
		printf("\"pages_rewritten\": %llu, \"backoffs\": %llu}",
		       s->pages_rewritten, s->backoffs);
	}
	printf("%s]\n", nr ? "\n" : "");
}

static int show(const struct target *target,
		void (*print)(const struct sockstat *rows, size_t nr))
{
	struct sockstat *rows = calloc(target->nr + 1, sizeof(*rows));
	size_t nr = 0;
	int status;

	if (!rows) {
		warn(NULL);
		return STATUS_FAILURE;
	}
	status = read_rows(target, rows, &nr);
	if (nr || status == STATUS_OK)
		print(rows, nr);
	if (!nr && status == STATUS_OK)
		warnx("process %d has no attached socket (see 'sockloan attach --help')",
		      target->pid);
	free(rows);
	return status;
}

int sockstat_table(struct target *target)
{
	return show(target, print_table);
}

int sockstat_json(struct target *target)
{
	return show(target, print_json);
}
