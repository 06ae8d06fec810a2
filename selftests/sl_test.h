/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers shared by the sockloan selftests
 *
 * With SOCKLOAN_PLAIN=1 in the environment nothing is attached and nothing is
 * asserted about counters: every test then runs against plain TCP, which is
 * what an attached socket has to be indistinguishable from.
 */
#ifndef SL_TEST_H
#define SL_TEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/sockloan.h>

#define SL_KIB 1024UL
#define SL_MIB (1024UL * 1024)
#define SL_TIMEOUT_S 8 /* no receive waits longer than this */

extern size_t sl_page; /* the page size */

/* -- the module ---------------------------------------------------------- */

#define SL_COUNTERS_MAX 64

struct sl_counters { /* one reading of /proc/net/sockloan */
	int nr;
	struct {
		char name[32];
		unsigned long long value;
	} c[SL_COUNTERS_MAX];
};

int sl_slow(void); /* how many times: 1 on most machines */
bool sl_plain(void);

/* The linker's names: --wrap=alarm */
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

int sl_ioctl(unsigned long cmd, void *arg);
int sl_attach(int fd);
int sl_detach(int fd);
int sl_sockstat(int fd, struct sockloan_sockstat *st);
long long sl_lent(int fd);
long long sl_copied(int fd);
long long sl_protected(int fd);
void sl_count(struct sl_counters *c);
long long sl_value(const struct sl_counters *c, const char *name);
long long sl_rise(const struct sl_counters *since, const char *name);
void sl_log_counters(void);
int sl_sysctl(const char *name, const char *value);
int sl_sysctl_read(const char *name, char *value, size_t len);

/* Counter assertions: usable where EXPECT_* is, vacuous with SOCKLOAN_PLAIN */
#define EXPECT_LENT(_fd, _bytes)       \
	EXPECT_EQ((long long)(_bytes), \
		  sl_plain() ? (long long)(_bytes) : sl_lent(_fd))
#define EXPECT_LENT_SOME(_fd) EXPECT_LT(0, sl_plain() ? 1 : sl_lent(_fd))
#define EXPECT_COPIED(_fd, _bytes)     \
	EXPECT_EQ((long long)(_bytes), \
		  sl_plain() ? (long long)(_bytes) : sl_copied(_fd))
#define EXPECT_PROTECTED(_fd, _pages)  \
	EXPECT_EQ((long long)(_pages), \
		  sl_plain() ? (long long)(_pages) : sl_protected(_fd))
#define EXPECT_RISE(_since, _name) \
	EXPECT_LT(0, sl_plain() ? 1 : sl_rise(_since, _name))
#define EXPECT_NO_RISE(_since, _name) \
	EXPECT_EQ(0, sl_plain() ? 0 : sl_rise(_since, _name))
#define EXPECT_RISE_BY(_since, _name, _n) \
	EXPECT_EQ((long long)(_n),        \
		  sl_plain() ? (long long)(_n) : sl_rise(_since, _name))

/* -- sockets ------------------------------------------------------------- */

struct sl_addr {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

struct sl_pair {
	int tx; /* attached unless plain */
	int rx;
};

/* Roomy pairs take SL_ROOM bytes before the receiver has read anything */
#define SL_ROOM (4 * SL_MIB)

void sl_loopback(struct sl_addr *a, int family);
int sl_listen(int family, struct sl_addr *a);
int sl_connect(const struct sl_addr *a);
int sl_pair_sized(struct sl_pair *p, int family, int sndbuf, int rcvbuf);
int sl_pair_plain(struct sl_pair *p, int family);
int sl_pair(struct sl_pair *p, int family);
void sl_pair_close(struct sl_pair *p);
int sl_nonblock(int fd, bool on);
int sl_lo_up(void);

/* -- data ---------------------------------------------------------------- */

struct sl_buf { /* anonymous memory with a stream in it */
	unsigned char *map;
	size_t map_len;
	unsigned char *data;
	size_t len;
};

int sl_buf_map(struct sl_buf *b, size_t len, size_t offset, uint64_t seed);
void sl_buf_unmap(struct sl_buf *b);
void sl_fill_at(void *buf, size_t len, uint64_t seed, uint64_t pos);
void sl_fill(void *buf, size_t len, uint64_t seed);
long long sl_differs_at(const void *buf, size_t len, uint64_t seed,
			uint64_t pos);
long long sl_differs(const void *buf, size_t len, uint64_t seed);
size_t sl_whole(const void *data, size_t len);
ssize_t sl_send_all(int fd, const void *buf, size_t len, int flags);
int sl_drain_at(int fd, size_t len, uint64_t seed, uint64_t pos);
int sl_drain(int fd, size_t len, uint64_t seed);
int sl_drain_eof(int fd);
int sl_drain_raw(int fd, void *buf, size_t len);

struct sl_reader { /* a thread that drains and compares */
	pthread_t thread;
	int fd;
	size_t len;
	uint64_t seed;
	int result;
};

int sl_reader_start(struct sl_reader *r, int fd, size_t len, uint64_t seed);
int sl_reader_join(struct sl_reader *r);

/* -- the rest ------------------------------------------------------------ */

int sl_put(const char *path, const char *value);
long long sl_get(const char *path);
int sl_cpu(int cpu);
void sl_settle(void);
uint64_t sl_ms(void);
void sl_sleep_ms(unsigned int ms);
int sl_exited(pid_t pid);

#endif /* SL_TEST_H */
