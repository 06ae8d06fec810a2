// SPDX-License-Identifier: GPL-2.0
/* Receives what bench/sender sends, as the sender asks it to. */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "control.h"
#include "options.h"
#include "receive_job.h"

static const char usage[] =
	"usage: receiver [-p PORT] [-d PORT] [-1]\n"
	"\n"
	"Waits for senders (see sender --help) and receives what they send, the way they\n"
	"ask for, each in a process of its own.  Prints the port that it waits on.\n"
	"\n"
	"  -p PORT  wait on this one, 0 for any (default 5310)\n"
	"  -d PORT  data on this one, and UDP's on those from it on (default: any)\n"
	"  -1       end after one sender, with an exit status that says how it went\n";

static int listen_on(unsigned int port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in any4 = { .sin_family = AF_INET };
	struct sockaddr_storage addr = { 0 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	/* IPv6 sockets take IPv4, too; kernels may have none. */
	if (fd >= 0) {
		close(fd);
		memcpy(&addr, &any6, sizeof(any6));
	} else {
		memcpy(&addr, &any4, sizeof(any4));
	}
	address_set_port(&addr, port);
	fd = address_bind(&addr, SOCK_STREAM);
	if (listen(fd, 16))
		err(1, "listen");
	address_local(fd, &addr);
	printf("receiver: port %u\n", address_port(&addr));
	fflush(stdout);
	return fd;
}

static void serve(int listener, unsigned int data_port)
{
	int fd = accept(listener, NULL, NULL);
	pid_t pid;

	if (fd < 0) {
		if (errno != EINTR && errno != ECONNABORTED)
			err(1, "accept");
		return;
	}
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(listener);
		exit(receive_job(fd, data_port));
	}
	close(fd);
}

/* How the one child ended */
static int status_of_child(void)
{
	int status;

	if (wait(&status) < 0)
		err(1, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	unsigned int port = DEFAULT_PORT, data_port = 0;
	bool once = false;
	int option, listener;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	while ((option = getopt(argc, argv, "p:d:1h")) != -1) {
		switch (option) {
		case 'p':
			port = number_option('p', optarg, 0, 65535);
			break;
		case 'd':
			data_port = number_option('d', optarg, 1, 65535 - 256);
			break;
		case '1':
			once = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	listener = listen_on(port);
	if (once) {
		serve(listener, data_port);
		return status_of_child();
	}
	/* Nobody waits for the children. */
	signal(SIGCHLD, SIG_IGN);
	for (;;)
		serve(listener, data_port);
}
