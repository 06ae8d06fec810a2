// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O into memory that is on loan, was on loan, or is being sent
 *
 * The disk is a network block device served by a thread of this program, so
 * that a read can be held in flight for as long as a test wants: the device
 * has the program's pages by then, but has not written to them yet.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_mem.h"

#define OLD 1 /* the stream in the buffer at first */
#define NEW 2 /* what the program writes over it */
#define DISK 3 /* what the disk is full of */
#define DISK_SIZE (8 * SL_MIB)
#define SECTOR 512

struct disk {
	int fd; /* /dev/nbd0, O_DIRECT */
	int ctl; /* /dev/nbd0, for its ioctls */
	int sock[2]; /* the kernel's end, the server's end */
	pthread_t kernel, server;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool hold; /* do not answer */
	int arrived; /* requests seen while holding */
	long long wrong; /* first wrong byte written to it */
};

static void *disk_kernel(void *arg)
{
	struct disk *d = arg;

	ioctl(d->ctl, NBD_DO_IT);
	return NULL;
}

static bool get(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static bool put(int fd, const void *buf, size_t len)
{
	return sl_send_all(fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void disk_wait(struct disk *d)
{
	pthread_mutex_lock(&d->lock);
	d->arrived += d->hold;
	pthread_cond_broadcast(&d->cond);
	while (d->hold)
		pthread_cond_wait(&d->cond, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

static void *disk_server(void *arg)
{
	struct nbd_request req;
	struct nbd_reply rep;
	struct disk *d = arg;
	int fd = d->sock[1];
	char *data;
	size_t len;

	data = malloc(DISK_SIZE);
	while (data && get(fd, &req, sizeof(req))) {
		len = be32toh(req.len);
		if (be32toh(req.type) == NBD_CMD_DISC)
			break;
		if (be32toh(req.type) == NBD_CMD_WRITE) {
			if (!get(fd, data, len))
				break;
			if (d->wrong < 0)
				d->wrong = sl_differs_at(data, len, OLD,
							 be64toh(req.from));
		}
		disk_wait(d);
		rep.magic = htobe32(NBD_REPLY_MAGIC);
		rep.error = 0;
		memcpy(rep.handle, req.handle, sizeof(rep.handle));
		if (!put(fd, &rep, sizeof(rep)))
			break;
		if (be32toh(req.type) != NBD_CMD_READ)
			continue;
		sl_fill_at(data, len, DISK, be64toh(req.from));
		if (!put(fd, data, len))
			break;
	}
	free(data);
	return NULL;
}

/* The disk has its size once the kernel's side is up */
static int disk_started(struct disk *d)
{
	uint64_t size = 0;
	int i;

	for (i = 0; i < 1000 && size != DISK_SIZE; i++) {
		if (ioctl(d->ctl, BLKGETSIZE64, &size))
			return -1;
		sl_sleep_ms(1);
	}
	return size == DISK_SIZE ? 0 : -1;
}

static int disk_open(struct disk *d)
{
	memset(d, 0, sizeof(*d));
	d->wrong = -1;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->cond, NULL);
	if (access("/dev/nbd0", F_OK) && system("modprobe -q nbd max_part=0"))
		return -1;
	d->ctl = open("/dev/nbd0", O_RDWR | O_CLOEXEC);
	if (d->ctl < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d->sock) ||
	    ioctl(d->ctl, NBD_SET_BLKSIZE, SECTOR) ||
	    ioctl(d->ctl, NBD_SET_SIZE_BLOCKS, DISK_SIZE / SECTOR) ||
	    ioctl(d->ctl, NBD_SET_SOCK, d->sock[0]))
		return -1;
	if (pthread_create(&d->server, NULL, disk_server, d) ||
	    pthread_create(&d->kernel, NULL, disk_kernel, d))
		return -1;
	if (disk_started(d))
		return -1;
	d->fd = open("/dev/nbd0", O_RDWR | O_DIRECT | O_CLOEXEC);
	return d->fd < 0 ? -1 : 0;
}

static void disk_close(struct disk *d)
{
	if (d->ctl <= 0)
		return;
	if (d->fd > 0)
		close(d->fd);
	ioctl(d->ctl, NBD_DISCONNECT);
	pthread_join(d->server, NULL);
	close(d->sock[1]);
	pthread_join(d->kernel, NULL);
	ioctl(d->ctl, NBD_CLEAR_SOCK);
	close(d->sock[0]);
	close(d->ctl);
}

static void disk_hold(struct disk *d, bool on)
{
	pthread_mutex_lock(&d->lock);
	d->hold = on;
	d->arrived = 0;
	pthread_cond_broadcast(&d->cond);
	pthread_mutex_unlock(&d->lock);
}

/* Wait until a request is in flight, and let it hang there */
static int disk_await(struct disk *d)
{
	struct timespec ts;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += SL_TIMEOUT_S;
	pthread_mutex_lock(&d->lock);
	while (!d->arrived && !ret)
		ret = pthread_cond_timedwait(&d->cond, &d->lock, &ts);
	pthread_mutex_unlock(&d->lock);
	return ret ? -1 : 0;
}

FIXTURE(dio)
{
	struct disk disk;
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
	pthread_t thread;
	ssize_t result;
	struct iovec iov[256];
	int nr;
};

FIXTURE_VARIANT(dio)
{
	int family;
	size_t len;
	size_t offset;
	bool huge; /* half of a huge page */
	bool split; /* which has small entries */
};

FIXTURE_VARIANT_ADD(dio, v4_4k){
	.family = AF_INET,
	.len = 4 * SL_KIB,
};

FIXTURE_VARIANT_ADD(dio, v6_64k){
	.family = AF_INET6,
	.len = 64 * SL_KIB,
};

FIXTURE_VARIANT_ADD(dio, v4_64k_unaligned){
	.family = AF_INET,
	.len = 64 * SL_KIB,
	.offset = SECTOR,
};

FIXTURE_VARIANT_ADD(dio, v4_1m){
	.family = AF_INET,
	.len = SL_MIB,
};

FIXTURE_VARIANT_ADD(dio, v6_1m_huge){
	.family = AF_INET6,
	.len = SL_MIB,
	.huge = true,
};

FIXTURE_VARIANT_ADD(dio, v4_1m_huge_split){
	.family = AF_INET,
	.len = SL_MIB,
	.huge = true,
	.split = true,
};

static int map(struct sl_buf *b, const FIXTURE_VARIANT(dio) * variant)
{
	if (!variant->huge)
		return sl_buf_map(b, variant->len, variant->offset, OLD);
	b->map = sl_huge_map(SL_HUGE, OLD);
	b->map_len = SL_HUGE;
	b->data = b->map;
	b->len = variant->len;
	if (!b->map)
		return -1;
	return variant->split ? mprotect(b->map + SL_HUGE - sl_page, sl_page,
					 PROT_READ) :
				0;
}

FIXTURE_SETUP(dio)
{
	ASSERT_EQ(0, sl_pair(&self->p, variant->family));
	ASSERT_EQ(0, map(&self->b, variant));
	self->iov[0].iov_base = self->b.data;
	self->iov[0].iov_len = self->b.len;
	self->nr = 1;
	if (disk_open(&self->disk))
		self->disk.fd = -1;
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(dio)
{
	disk_close(&self->disk);
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

#define REQUIRE_DISK(_self)                                      \
	do {                                                     \
		if ((_self)->disk.fd < 0)                        \
			SKIP(return, "no network block device"); \
	} while (0)

/*
 * All "n" sends were lent.  Of a folio with small entries as much as goes into
 * one batch: what is on loan cannot be told from other references.
 */
#define EXPECT_LOANS(_self, _n)                                     \
	do {                                                        \
		if (variant->split) {                               \
			EXPECT_LENT_SOME((_self)->p.tx);            \
		} else {                                            \
			EXPECT_LENT((_self)->p.tx,                  \
				    (_n)*sl_whole((_self)->b.data,  \
						  (_self)->b.len)); \
		}                                                   \
	} while (0)

static int lend(FIXTURE_DATA(dio) * self)
{
	ssize_t n = send(self->p.tx, self->b.data, self->b.len, 0);

	return n == self->b.len ? 0 : -1;
}

static void *read_run(void *arg)
{
	FIXTURE_DATA(dio) *self = arg;

	self->result = preadv(self->disk.fd, self->iov, self->nr, 0);
	return NULL;
}

/* A read of the disk's first bytes into the buffer, which does not end yet */
static int read_begin(FIXTURE_DATA(dio) * self)
{
	disk_hold(&self->disk, true);
	if (pthread_create(&self->thread, NULL, read_run, self))
		return -1;
	return disk_await(&self->disk);
}

static ssize_t read_end(FIXTURE_DATA(dio) * self)
{
	disk_hold(&self->disk, false);
	pthread_join(self->thread, NULL);
	return self->result;
}

/* Pages that a device may be writing to are copied, and counted as such */
#define EXPECT_IN_USE(_self)                                       \
	EXPECT_LT(0, sl_plain() ? 1 :                              \
				  sl_rise(&(_self)->c, "FbBusy") + \
					  sl_rise(&(_self)->c, "FbPinned"))

TEST_F(dio, read_into_lent)
{
	REQUIRE_DISK(self);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len,
		  pread(self->disk.fd, self->b.data, self->b.len, 0));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, DISK));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LOANS(self, 1);
}

TEST_F(dio, read_into_returned)
{
	REQUIRE_DISK(self);
	ASSERT_EQ(0, lend(self));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	ASSERT_EQ(self->b.len,
		  pread(self->disk.fd, self->b.data, self->b.len, 0));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, DISK));
	/* The request wakes its reader first and drops its pages then. */
	sl_sleep_ms(20);
	ASSERT_EQ(0, lend(self));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, DISK));
	EXPECT_LOANS(self, 2);
}

TEST_F(dio, send_during_read)
{
	REQUIRE_DISK(self);
	ASSERT_EQ(0, read_begin(self));
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, read_end(self));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, DISK));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LENT(self->p.tx, 0);
	if (sl_whole(self->b.data, self->b.len)) {
		EXPECT_IN_USE(self);
	}
}

/* Afterwards the pages can be lent as before */
TEST_F(dio, send_after_read)
{
	REQUIRE_DISK(self);
	ASSERT_EQ(0, read_begin(self));
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, read_end(self));
	ASSERT_EQ(0, lend(self));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, DISK));
	EXPECT_LOANS(self, 1);
}

/* Into what comes behind what is sent: the same page, if that is a huge one */
TEST_F(dio, send_beside_read)
{
	size_t half = self->b.len / 2;

	if (half % sl_page)
		SKIP(return, "less than two pages");
	REQUIRE_DISK(self);
	self->iov[0].iov_base = self->b.data + half;
	self->iov[0].iov_len = half;
	ASSERT_EQ(0, read_begin(self));
	ASSERT_EQ(half, send(self->p.tx, self->b.data, half, 0));
	sl_fill(self->b.data, half, NEW);
	ASSERT_EQ(half, read_end(self));
	EXPECT_EQ(-1, sl_differs(self->b.data, half, NEW));
	EXPECT_EQ(-1, sl_differs(self->b.data + half, half, DISK));
	EXPECT_EQ(0, sl_drain(self->p.rx, half, OLD));
}

/*
 * The device writes the first half of each page, the program the second: a
 * page that is copied for the program's sake is one the device's half is not
 * in.
 */
TEST_F(dio, send_and_write_during_read)
{
	size_t half = sl_page / 2, at;

	REQUIRE_DISK(self);
	self->nr = 0;
	for (at = 0; at + half <= self->b.len; at += sl_page) {
		self->iov[self->nr].iov_base = self->b.data + at;
		self->iov[self->nr++].iov_len = half;
	}
	ASSERT_EQ(0, read_begin(self));
	ASSERT_EQ(0, lend(self));
	for (at = half; at + half <= self->b.len; at += sl_page)
		sl_fill_at(self->b.data + at, half, NEW, at);
	ASSERT_EQ(self->nr * half, read_end(self));
	for (at = 0; at + sl_page <= self->b.len; at += sl_page) {
		ASSERT_EQ(-1,
			  sl_differs_at(self->b.data + at, half, DISK, at / 2));
		ASSERT_EQ(-1, sl_differs_at(self->b.data + at + half, half, NEW,
					    at + half));
	}
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_IN_USE(self);
}

/* On loan when the read begins, and sent once more while it is in flight */
TEST_F(dio, send_again_during_read)
{
	long long lent;

	REQUIRE_DISK(self);
	ASSERT_EQ(0, lend(self));
	EXPECT_LOANS(self, 1);
	lent = sl_plain() ? 0 : sl_lent(self->p.tx);
	ASSERT_EQ(0, read_begin(self));
	ASSERT_EQ(0, lend(self));
	EXPECT_LENT(self->p.tx, lent);
	ASSERT_EQ(self->b.len, read_end(self));
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, DISK));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
}

TEST_F(dio, write_from_lent)
{
	REQUIRE_DISK(self);
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len,
		  pwrite(self->disk.fd, self->b.data, self->b.len, 0));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, self->disk.wrong);
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
	EXPECT_LOANS(self, 1);
}

static void *write_run(void *arg)
{
	FIXTURE_DATA(dio) *self = arg;

	self->result = pwritev(self->disk.fd, self->iov, self->nr, 0);
	return NULL;
}

TEST_F(dio, send_during_write)
{
	REQUIRE_DISK(self);
	disk_hold(&self->disk, true);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, write_run, self));
	ASSERT_EQ(0, disk_await(&self->disk));
	ASSERT_EQ(0, lend(self));
	ASSERT_EQ(self->b.len, read_end(self));
	sl_fill(self->b.data, self->b.len, NEW);
	EXPECT_EQ(-1, self->disk.wrong);
	EXPECT_EQ(-1, sl_differs(self->b.data, self->b.len, NEW));
	EXPECT_EQ(0, sl_drain(self->p.rx, self->b.len, OLD));
}

TEST_HARNESS_MAIN
