// SPDX-License-Identifier: GPL-2.0
/* One job at the receiver, in a process of its own. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "control.h"
#include "cpu.h"
#include "mech.h"
#include "receive_how.h"
#include "receive_job.h"

/* Room for datagrams, if we may */
#define DATAGRAM_BUFFER (8 << 20)
#define DATAGRAMS_MAX 64

static struct job job;
static struct control control = { .peer = "the sender" };
static struct rx_conn conns[MAX_CONNECTIONS];
/* Where threads say that they have done a phase, or have failed */
static int words[2];
static char reason[LINE - 16];
static pthread_mutex_t reason_lock = PTHREAD_MUTEX_INITIALIZER;

#define FAILED 'f'

/* The main thread tells the sender and ends the process. */
static void __attribute__((format(printf, 1, 2), noreturn))
fail(const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&reason_lock);
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (write(words[1], &(char){ FAILED }, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void *receive_phases(void *arg)
{
	struct rx_conn *conn = arg;

	rx_receive(conn, job.warm_up);
	if (write(words[1], "0", 1) != 1)
		_exit(1);
	rx_receive(conn, job.calls);
	if (write(words[1], "1", 1) != 1)
		_exit(1);
	return NULL;
}

/* Says it to both sides. */
static void __attribute__((noreturn)) give_up(const char *why)
{
	warnx("%s", why);
	control_say(&control, "fail %s", why);
	exit(1);
}

/* Waits for @fd; whoever waits for a sender that is gone goes, too. */
static void wait_for(int fd, int seconds)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			       { .fd = control.fd, .events = POLLIN } };
	int n;

	do
		n = poll(p, 2, seconds < 0 ? -1 : seconds * 1000);
	while (n < 0 && errno == EINTR);
	if (!n)
		give_up("not all connections came");
	if (p[1].revents)
		errx(1, "the sender is gone");
}

/* Until all connections have done @phase */
static void wait_for_phase(char phase)
{
	uint64_t left = job.connections;
	char word;

	while (left) {
		wait_for(words[0], -1);
		if (read(words[0], &word, 1) != 1)
			err(1, "pipe");
		if (word == FAILED)
			give_up(reason);
		left -= word == phase;
	}
}

static int accept_one(int listener, uint64_t *index)
{
	uint32_t hello;
	int fd;

	wait_for(listener, PATIENCE);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	wait_for(fd, PATIENCE);
	if (recv(fd, &hello, HELLO_BYTES, MSG_WAITALL) != HELLO_BYTES)
		errx(1, "a connection says nothing");
	*index = ntohl(hello);
	if (*index >= job.connections || conns[*index].job)
		give_up("a connection that nobody expects");
	return fd;
}

/*
 * How many datagrams of the job's size a buffer of @bytes surely holds: what comes from a
 * wire may have a page for each packet, and 60 KiB come in some forty of them.
 */
static uint32_t datagrams(int bytes)
{
	uint32_t room = bytes / (4 * (job.size + 1024));

	return room < DATAGRAMS_MAX ? room : DATAGRAMS_MAX;
}

/* Tells the sender, by @credit, where the socket is and what it has room for. */
static int open_udp(int credit, uint64_t index, unsigned int port)
{
	int bytes = DATAGRAM_BUFFER, fd;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(bytes);
	uint32_t tell[2];

	address_local(control.fd, &addr);
	address_set_port(&addr, port ? port + index : 0);
	fd = address_bind(&addr, SOCK_DGRAM);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len))
		err(1, "SO_RCVBUF");
	address_local(fd, &addr);
	tell[0] = htonl(address_port(&addr));
	tell[1] = htonl(datagrams(bytes));
	if (!datagrams(bytes))
		give_up("no room for a datagram (net.core.rmem_max, or be root)");
	conns[index].unit = credit_unit(datagrams(bytes));
	if (send(credit, tell, sizeof(tell), MSG_NOSIGNAL) != sizeof(tell))
		err(1, "the sender is gone");
	return fd;
}

static void connect_all(unsigned int port)
{
	struct sockaddr_storage addr;
	int listener, fd;
	uint64_t i, index;

	address_local(control.fd, &addr);
	address_set_port(&addr, port);
	listener = address_bind(&addr, SOCK_STREAM);
	if (listen(listener, MAX_CONNECTIONS))
		err(1, "listen");
	address_local(listener, &addr);
	control_say(&control, "ready %u", address_port(&addr));
	for (i = 0; i < job.connections; i++) {
		fd = accept_one(listener, &index);
		conns[index] = (struct rx_conn){
			.job = &job,
			.index = index,
			.fd = fd,
			.credit = -1,
			.fail = fail,
		};
		if (job.transport == UDP) {
			conns[index].credit = fd;
			conns[index].fd = open_udp(fd, index, port);
		}
	}
	close(listener);
}

static void say_stats(int64_t busy)
{
	uint64_t checked = 0, mapped = 0, copied = 0, m, c, i;

	for (i = 0; i < job.connections; i++) {
		rx_usage(&conns[i], &m, &c);
		mapped += m;
		copied += c;
		checked += conns[i].checked;
	}
	control_say(&control, "stats %jd %ju %ju %ju", (intmax_t)busy, checked,
		    mapped, copied);
}

/* Opens all, on a thread of its own: it may fail(). */
static void *receive_all(void *arg)
{
	pthread_t thread;
	uint64_t i;

	(void)arg;
	for (i = 0; i < job.connections; i++)
		rx_open(&conns[i]);
	if (write(words[1], "o", 1) != 1)
		_exit(1);
	for (i = 0; i < job.connections; i++)
		if (pthread_create(&thread, NULL, receive_phases, &conns[i]))
			fail("no thread");
	return NULL;
}

static void start(void)
{
	pthread_t thread;
	char word;

	if (pipe(words) || pthread_create(&thread, NULL, receive_all, NULL))
		err(1, "threads");
	wait_for(words[0], -1);
	if (read(words[0], &word, 1) != 1 || word == FAILED)
		give_up(reason);
	control_say(&control, "connected");
}

int receive_job(int fd, unsigned int port)
{
	char line[LINE];
	int64_t busy;

	control.fd = fd;
	control_keepalive(fd);
	if (!control_hear(&control, line, PATIENCE))
		errx(1, "a sender that says nothing");
	if (!job_parse(&job, line))
		give_up("this receiver does not know such a job");
	job_schedule(&job);
	connect_all(port);
	start();
	wait_for_phase('0');
	busy = busy_ns(true);
	control_say(&control, "got 0");
	wait_for_phase('1');
	control_say(&control, "got 1");
	say_stats(busy_ns(false) - busy);
	/* Until the sender has what it wants and goes */
	control_hear(&control, line, PATIENCE);
	return 0;
}
