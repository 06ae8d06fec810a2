// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: streams of data
 *
 * A stream is named by its seed.  Every position of every stream looks
 * different, so that bytes which are lost, doubled, moved or taken from
 * another stream are noticed.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "sl_test.h"

/* Word nr. i of stream "seed": every position and every seed looks different */
static uint64_t word(uint64_t seed, uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ULL ^
		     seed * 0xd1342543de82ef95ULL;

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
