// SPDX-License-Identifier: GPL-2.0
/* One job at the sender: the connections, the threads, the clock. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "control.h"
#include "cpu.h"
#include "pattern.h"
#include "send_job.h"

/* Seconds to wait for a receiver that is not up yet */
#define START 30
/* Seconds for what is under way to arrive */
#define ARRIVAL 300

/**
 * struct used - when a buffer was sent last
 * @conn: NULL: never
 */
struct used {
	struct conn *conn;
	uint64_t ticket;
};

/**
 * struct worker - one sending thread
 * @n: calls so far
 * @used: by buffer
 * @gate: where it waits for the main thread, before and after each phase
 */
struct worker {
	const struct job *job;
	uint64_t thread;
	uint64_t n;
	bool early;
	struct memory memory;
	struct used *used;
	pthread_barrier_t *gate;
	pthread_t pthread;
};

static struct control control = { .fd = -1, .peer = "the receiver" };
static struct conn conns[MAX_CONNECTIONS];

/* -- the control connection --------------------------------------------------- */

/* Most failures here are because the receiver has failed: it says why. */
static void tell_why(int status, void *unused)
{
	char line[LINE];

	(void)unused;
	while (status && control.fd >= 0 && control_hear(&control, line, 1))
		if (!strncmp(line, "fail ", 5))
			fprintf(stderr, "receiver: %s\n", line + 5);
}

/* The rest of the next line, which has to start with @word */
static char *expect(char *line, const char *word, int seconds)
{
	size_t len = strlen(word);

	if (!control_hear(&control, line, seconds))
		errx(1, "the receiver is gone, or silent for %d s", seconds);
	if (!strncmp(line, "fail ", 5))
		errx(1, "receiver: %s", line + 5);
	if (strncmp(line, word, len) || (line[len] && line[len] != ' '))
		errx(1, "the receiver says '%s', not '%s'", line, word);
	return line + len;
}

static int try_to_connect(const struct addrinfo *list)
{
	const struct addrinfo *a;
	int fd;

	for (a = list; a; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !connect(fd, a->ai_addr, a->ai_addrlen))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void meet_receiver(const char *host, unsigned int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char service[8];
	int error, tries;

	snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &list);
	if (error)
		errx(1, "%s: %s", host, gai_strerror(error));
	for (tries = 0; control.fd < 0; tries++) {
		control.fd = try_to_connect(list);
		if (control.fd < 0 && tries == START)
			err(1, "no receiver on %s, port %u", host, port);
		if (control.fd < 0)
			sleep(1);
	}
	freeaddrinfo(list);
	control_keepalive(control.fd);
	on_exit(tell_why, NULL);
}

/* -- data connections ---------------------------------------------------------- */

static int connect_stream(uint64_t index, unsigned int port)
{
	struct sockaddr_storage addr;
	uint32_t hello = htonl(index);
	int fd;

	address_peer(control.fd, &addr);
	address_set_port(&addr, port);
	fd = address_connect(&addr, SOCK_STREAM);
	control_keepalive(fd);
	if (send(fd, &hello, HELLO_BYTES, MSG_NOSIGNAL) != HELLO_BYTES)
		err(1, "connection");
	return fd;
}

/* The receiver says where its socket is, and for how many datagrams it has room. */
static int connect_udp(struct conn *conn)
{
	struct sockaddr_storage addr;
	uint32_t tell[2];

	if (recv(conn->credit, tell, sizeof(tell), MSG_WAITALL) != sizeof(tell))
		errx(1, "no word of a UDP socket");
	conn->room = ntohl(tell[1]);
	conn->unit = credit_unit(conn->room);
	address_peer(control.fd, &addr);
	address_set_port(&addr, ntohl(tell[0]));
	return address_connect(&addr, SOCK_DGRAM);
}

static void connect_all(const struct job *job, unsigned int port)
{
	const struct mechanism *mechanism = mechanisms[job->mechanism];
	char line[LINE];
	uint64_t i;
	int fd;

	for (i = 0; i < job->connections; i++) {
		fd = connect_stream(i, port);
		conns[i] = (struct conn){ .job = job,
					  .thread = i % job->threads,
					  .fd = fd,
					  .credit = -1,
					  .file = -1 };
		if (job->transport == UDP) {
			conns[i].credit = fd;
			conns[i].fd = connect_udp(&conns[i]);
		}
	}
	expect(line, "connected", PATIENCE);
	for (i = 0; i < job->connections; i++)
		if (mechanism->open)
			mechanism->open(&conns[i]);
}

static void take_credit(struct conn *conn)
{
	struct pollfd p = { .fd = conn->credit, .events = POLLIN };
	char bytes[64];
	ssize_t n;

	do
		n = poll(&p, 1, PATIENCE * 1000);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		errx(1, "the receiver gives no credit: datagrams are lost");
	n = recv(conn->credit, bytes, sizeof(bytes), 0);
	if (n <= 0)
		errx(1, "the receiver is gone");
	conn->room += n * conn->unit;
}

/* -- sending ------------------------------------------------------------------- */

static void call(struct worker *w, struct conn *conn)
{
	const struct mechanism *mechanism = mechanisms[w->job->mechanism];
	uint64_t n = w->n++, slot = n % w->job->buffers;
	struct used *used = &w->used[slot];
	char *buf;

	if (w->job->transport == UDP) {
		if (!conn->room)
			take_credit(conn);
		conn->room--;
	}
	conn->made++;
	if (mechanism->send_own) {
		mechanism->send_own(conn, n);
		return;
	}
	if (mechanism->wait && used->conn && !w->early &&
	    w->job->pattern != FRESH && pattern_writes(w->job))
		mechanism->wait(used->conn, used->ticket);
	buf = memory_get(&w->memory, n);
	memory_write(w->job, w->thread, n, buf, 0, w->job->size);
	used->ticket = mechanism->send(conn, buf, w->job->size,
				       slot * w->memory.stride);
	used->conn = conn;
	memory_put(&w->memory, buf);
}

static void phase(struct worker *w, uint64_t calls)
{
	uint64_t i;

	for (; calls; calls--)
		for (i = w->thread; i < w->job->connections;
		     i += w->job->threads)
			call(w, &conns[i]);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->gate);
	phase(w, w->job->warm_up);
	pthread_barrier_wait(w->gate);
	phase(w, w->job->calls);
	return NULL;
}

static void start_workers(const struct job *job, struct worker *workers,
			  bool early)
{
	static pthread_barrier_t gate;
	uint64_t t, i;

	if (pthread_barrier_init(&gate, NULL, job->threads + 1))
		err(1, "threads");
	for (t = 0; t < job->threads; t++) {
		workers[t] = (struct worker){
			.job = job, .thread = t, .early = early, .gate = &gate
		};
		workers[t].used = calloc(job->buffers, sizeof(struct used));
		if (!workers[t].used)
			err(1, "memory");
		memory_open(&workers[t].memory, job, t);
		for (i = t; i < job->connections; i += job->threads)
			conns[i].file = workers[t].memory.file;
		if (job->threads > 1 && pthread_create(&workers[t].pthread,
						       NULL, work, &workers[t]))
			errx(1, "no thread");
	}
}

/* One thread is this one: a program that has no other is cheaper for the kernel. */
static void run_phase(const struct job *job, struct worker *workers,
		      uint64_t calls)
{
	if (job->threads > 1)
		pthread_barrier_wait(workers->gate);
	else
		phase(workers, calls);
}

static void add_usage(const struct job *job, int sign, struct usage *sum)
{
	const struct mechanism *mechanism = mechanisms[job->mechanism];
	struct usage usage;
	uint64_t i;

	for (i = 0; i < job->connections; i++) {
		usage = (struct usage){ -1, -1 };
		if (mechanism->usage)
			mechanism->usage(&conns[i], &usage);
		if (usage.lent < 0) {
			*sum = usage;
			return;
		}
		sum->lent += sign * usage.lent;
		sum->copied += sign * usage.copied;
	}
}

static void finish(const struct job *job, struct worker *workers)
{
	const struct mechanism *mechanism = mechanisms[job->mechanism];
	uint64_t i;

	for (i = 0; job->threads > 1 && i < job->threads; i++)
		pthread_join(workers[i].pthread, NULL);
	for (i = 0; i < job->connections; i++) {
		if (mechanism->close)
			mechanism->close(&conns[i]);
		close(conns[i].fd);
		if (conns[i].credit >= 0)
			close(conns[i].credit);
	}
	for (i = 0; i < job->threads; i++) {
		memory_close(&workers[i].memory);
		free(workers[i].used);
	}
	close(control.fd);
	control.fd = -1;
}

void send_job(const struct job *job, const char *host, unsigned int port,
	      bool early, struct outcome *outcome)
{
	static struct worker workers[MAX_CONNECTIONS];
	char line[LINE];
	unsigned int data_port;

	*outcome = (struct outcome){ 0 };
	meet_receiver(host, port);
	job_schedule(job);
	job_print(job, line, sizeof(line));
	control_say(&control, "%s", line);
	if (sscanf(expect(line, "ready", PATIENCE), "%u", &data_port) != 1)
		errx(1, "no port for data");
	connect_all(job, data_port);
	start_workers(job, workers, early);

	run_phase(job, workers, job->warm_up);
	expect(line, "got 0", ARRIVAL);
	add_usage(job, -1, &outcome->usage);
	outcome->busy = busy_ns(true);
	outcome->wall = wall_ns();
	run_phase(job, workers, job->calls);
	expect(line, "got 1", -1);
	outcome->wall = wall_ns() - outcome->wall;
	outcome->busy = busy_ns(false) - outcome->busy;

	if (sscanf(expect(line, "stats", PATIENCE), "%jd %ju %ju %ju",
		   &outcome->rx_busy, &outcome->checked, &outcome->rx_mapped,
		   &outcome->rx_copied) != 4)
		errx(1, "no statistics");
	add_usage(job, 1, &outcome->usage);
	finish(job, workers);
}
