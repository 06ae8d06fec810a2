// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests
 *
 * Every program runs in a network namespace of its own, so that the counters
 * it reads and the sysctls it sets are nobody else's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "sl_test.h"

size_t sl_page;

/* -- the module ---------------------------------------------------------- */

bool sl_plain(void)
{
	const char *s = getenv("SOCKLOAN_PLAIN");

	return s && *s && strcmp(s, "0");
}

int sl_ioctl(unsigned long cmd, void *arg)
{
	int fd, ret, err;

	fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, cmd, arg);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

int sl_attach(int fd)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = fd };

	return sl_plain() ? 0 : sl_ioctl(SOCKLOAN_IOC_ATTACH, &a);
}

int sl_detach(int fd)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = fd };

	return sl_plain() ? 0 : sl_ioctl(SOCKLOAN_IOC_DETACH, &a);
}

int sl_sockstat(int fd, struct sockloan_sockstat *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->fd = fd;
	return sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, st);
}

long long sl_lent(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.bytes_lent;
}

long long sl_copied(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.bytes_copied;
}

long long sl_protected(int fd)
{
	struct sockloan_sockstat st;

	return sl_sockstat(fd, &st) ? -1 : (long long)st.pages_protected;
}

void sl_count(struct sl_counters *c)
{
	FILE *f;

	c->nr = 0;
	f = fopen("/proc/self/net/sockloan", "re");
	if (!f)
		return;
	while (c->nr < SL_COUNTERS_MAX &&
	       fscanf(f, "%31s %llu\n", c->c[c->nr].name,
		      &c->c[c->nr].value) == 2)
		c->nr++;
	fclose(f);
}

long long sl_value(const struct sl_counters *c, const char *name)
{
	int i;

	for (i = 0; i < c->nr; i++)
		if (!strcmp(c->c[i].name, name))
			return c->c[i].value;
	fprintf(stderr, "# no counter %s\n", name);
	return -1;
}

/* How much a counter has risen, or -1 when there is no such counter */
long long sl_rise(const struct sl_counters *since, const char *name)
{
	struct sl_counters now;
	long long before, after;

	sl_count(&now);
	before = sl_value(since, name);
	after = sl_value(&now, name);
	return before < 0 || after < 0 ? -1 : after - before;
}

/* For the log of a test that failed: every counter that is not 0 */
void sl_log_counters(void)
{
	struct sl_counters c;
	int i;

	sl_count(&c);
	for (i = 0; i < c.nr; i++)
		if (c.c[i].value)
			fprintf(stderr, "# %s %llu\n", c.c[i].name,
				c.c[i].value);
}

static int sysctl_path(char *path, size_t len, const char *name)
{
	int n = snprintf(path, len, "/proc/sys/net/%s", name);

	return n < 0 || (size_t)n >= len ? -1 : 0;
}

int sl_sysctl(const char *name, const char *value)
{
	char path[128];
	ssize_t ret;
	int fd, err;

	if (sysctl_path(path, sizeof(path), name))
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, value, strlen(value));
	err = errno;
	close(fd);
	errno = err;
	return ret < 0 ? -1 : 0;
}

int sl_sysctl_read(const char *name, char *value, size_t len)
{
	char path[128];
	ssize_t n;
	int fd;

	if (sysctl_path(path, sizeof(path), name))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, value, len - 1);
	close(fd);
	if (n < 0)
		return -1;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

/* -- sockets ------------------------------------------------------------- */

void sl_loopback(struct sl_addr *a, int family)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET6) {
		a->len = sizeof(a->in6);
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
	} else {
		a->len = sizeof(a->in);
		a->in.sin_family = AF_INET;
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
}

/* A listener on a free loopback port; *a becomes its address */
int sl_listen(int family, struct sl_addr *a)
{
	int one = 1;
	int fd;

	sl_loopback(a, family);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a->sa, a->len) || listen(fd, 128) ||
	    getsockname(fd, &a->sa, &a->len)) {
		close(fd);
		return -1;
	}
	return fd;
}

int sl_connect(const struct sl_addr *a)
{
	int fd;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, &a->sa, a->len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int set_buf(int fd, int forced, int plain, int bytes)
{
	if (!bytes)
		return 0;
	if (!setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)))
		return 0;
	return setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
}

/*
 * A connected pair that is not attached.  Sizes of 0 leave a buffer to the
 * kernel's autotuning.
 */
int sl_pair_sized(struct sl_pair *p, int family, int sndbuf, int rcvbuf)
{
	struct timeval tv = { .tv_sec = SL_TIMEOUT_S };
	struct sl_addr a;
	int lfd;

	p->tx = -1;
	p->rx = -1;
	lfd = sl_listen(family, &a);
	if (lfd < 0)
		return -1;
	if (set_buf(lfd, SO_RCVBUFFORCE, SO_RCVBUF, rcvbuf))
		goto out;
	p->tx = sl_connect(&a);
	if (p->tx < 0)
		goto out;
	p->rx = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	if (p->rx < 0)
		goto out_tx;
	close(lfd);
	setsockopt(p->rx, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (set_buf(p->tx, SO_SNDBUFFORCE, SO_SNDBUF, sndbuf))
		goto out_rx;
	return 0;

out_rx:
	close(p->rx);
	lfd = -1;
out_tx:
	close(p->tx);
out:
	if (lfd >= 0)
		close(lfd);
	return -1;
}

int sl_pair_plain(struct sl_pair *p, int family)
{
	return sl_pair_sized(p, family, 0, 0);
}

/* A connected pair, the sending side attached, with room for SL_ROOM bytes */
int sl_pair(struct sl_pair *p, int family)
{
	if (sl_pair_sized(p, family, SL_ROOM, SL_ROOM))
		return -1;
	if (!sl_attach(p->tx))
		return 0;
	perror("# attach");
	sl_pair_close(p);
	return -1;
}

void sl_pair_close(struct sl_pair *p)
{
	if (p->tx >= 0)
		close(p->tx);
	if (p->rx >= 0)
		close(p->rx);
	p->tx = -1;
	p->rx = -1;
}

int sl_nonblock(int fd, bool on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl < 0)
		return -1;
	return fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK);
}

int sl_lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd, ret;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCGIFFLAGS, &ifr);
	if (!ret) {
		ifr.ifr_flags |= IFF_UP | IFF_RUNNING;
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return ret;
}

/* -- data ---------------------------------------------------------------- */

/* Word nr. i of stream "seed": every position and every seed looks different */
static uint64_t word(uint64_t seed, uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL ^ seed * 0xd1342543de82ef95ULL;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ULL;
}

void sl_fill_at(void *buf, size_t len, uint64_t seed, uint64_t pos)
{
	unsigned char *p = buf;
	uint64_t w;
	size_t n;

	while (len) {
		w = word(seed, pos / 8);
		if (pos % 8 == 0 && len >= 8) {
			memcpy(p, &w, 8);
			n = 8;
		} else {
			n = 8 - pos % 8;
			if (n > len)
				n = len;
			memcpy(p, (char *)&w + pos % 8, n);
		}
		p += n;
		pos += n;
		len -= n;
	}
}

/*
 * Fill a buffer, and leave none of its pages in the LRU batch of a CPU that
 * the test may not be on when it sends them: that is a reference which cannot
 * be told from direct I/O, so that those pages would be copied.
 */
void sl_fill(void *buf, size_t len, uint64_t seed)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	sl_cpu(sched_getcpu());
	sl_fill_at(buf, len, seed, 0);
	sl_settle();
	sched_setaffinity(0, sizeof(set), &set);
}

/* Index of the first byte that is not the stream's, or -1 */
long long sl_differs_at(const void *buf, size_t len, uint64_t seed,
			uint64_t pos)
{
	const unsigned char *p = buf;
	unsigned char want[4096];
	size_t done = 0, n, i;

	while (done < len) {
		n = len - done < sizeof(want) ? len - done : sizeof(want);
		sl_fill_at(want, n, seed, pos + done);
		if (memcmp(p + done, want, n)) {
			for (i = 0; p[done + i] == want[i]; i++)
				;
			return done + i;
		}
		done += n;
	}
	return -1;
}

long long sl_differs(const void *buf, size_t len, uint64_t seed)
{
	return sl_differs_at(buf, len, seed, 0);
}

/*
 * Fresh private memory with "len" bytes of a stream at "offset".  Never huge
 * pages: those have a test of their own.
 */
int sl_buf_map(struct sl_buf *b, size_t len, size_t offset, uint64_t seed)
{
	b->map_len = (offset + len + sl_page - 1) / sl_page * sl_page;
	b->map = mmap(NULL, b->map_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->map == MAP_FAILED)
		return -1;
	madvise(b->map, b->map_len, MADV_NOHUGEPAGE);
	b->data = b->map + offset;
	b->len = len;
	sl_fill(b->data, len, seed);
	return 0;
}

void sl_buf_unmap(struct sl_buf *b)
{
	munmap(b->map, b->map_len);
	b->map = NULL;
}

/* How many bytes of a range lie in whole pages, and so can be lent */
size_t sl_whole(const void *data, size_t len)
{
	uintptr_t from = ((uintptr_t)data + sl_page - 1) / sl_page * sl_page;
	uintptr_t to = ((uintptr_t)data + len) / sl_page * sl_page;

	return to > from ? to - from : 0;
}

/* Send it all, waiting for room where the socket is non-blocking */
ssize_t sl_send_all(int fd, const void *buf, size_t len, int flags)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(fd, (const char *)buf + done, len - done, flags);
		if (n > 0) {
			done += n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN &&
		    poll(&pfd, 1, SL_TIMEOUT_S * 1000) == 1)
			continue;
		return -1;
	}
	return done;
}

int sl_drain_raw(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, (char *)buf + done, len - done, MSG_WAITALL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fprintf(stderr, "# recv: %s after %zu of %zu bytes\n",
				n ? strerror(errno) : "end", done, len);
			return -1;
		}
		done += n;
	}
	return 0;
}

/* Receive "len" bytes; 0 if they are the stream's from byte "pos" on */
int sl_drain_at(int fd, size_t len, uint64_t seed, uint64_t pos)
{
	static __thread unsigned char buf[64 * 1024];
	size_t done = 0, n;
	long long at;
	int bad = 0;

	while (done < len) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		if (sl_drain_raw(fd, buf, n))
			return -1;
		at = bad ? -1 : sl_differs_at(buf, n, seed, pos + done);
		if (at >= 0) {
			fprintf(stderr, "# stream differs at byte %llu\n",
				pos + done + at);
			bad = -1;
		}
		done += n;
	}
	return bad;
}

int sl_drain(int fd, size_t len, uint64_t seed)
{
	return sl_drain_at(fd, len, seed, 0);
}

/* 0 if the peer has closed and nothing is left */
int sl_drain_eof(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0 ? 0 : -1;
}

static void *reader(void *arg)
{
	struct sl_reader *r = arg;

	r->result = sl_drain(r->fd, r->len, r->seed);
	return NULL;
}

int sl_reader_start(struct sl_reader *r, int fd, size_t len, uint64_t seed)
{
	r->fd = fd;
	r->len = len;
	r->seed = seed;
	r->result = -1;
	return pthread_create(&r->thread, NULL, reader, r);
}

int sl_reader_join(struct sl_reader *r)
{
	pthread_join(r->thread, NULL);
	return r->result;
}

/* -- the rest ------------------------------------------------------------ */

/* Pin the calling thread, as far as there are that many CPUs */
int sl_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* Drain this CPU's LRU batches, which every madvise(MADV_COLD) begins with */
void sl_settle(void)
{
	static char page[65536] __attribute__((aligned(65536)));

	madvise(page, sizeof(page), MADV_COLD);
}

uint64_t sl_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void sl_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Reap a child: its exit status, or -1 when it did not exit by itself */
int sl_exited(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void __attribute__((constructor)) sl_init(void)
{
	const char *own = getenv("SOCKLOAN_NETNS");

	sl_page = sysconf(_SC_PAGESIZE);
	if (!sl_plain() && access("/dev/sockloan", R_OK | W_OK)) {
		printf("TAP version 13\n1..0 # SKIP no /dev/sockloan\n");
		exit(4);
	}
	if (own && !strcmp(own, "0"))
		return;
	if (unshare(CLONE_NEWNET) || sl_lo_up())
		fprintf(stderr, "# no network namespace of its own: %s\n",
			strerror(errno));
}
