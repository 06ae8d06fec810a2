// SPDX-License-Identifier: GPL-2.0
/*
 * Packet pools: set-up, the mapping, allocation, and that every wrong id is told
 * apart
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "sl_pool.h"

FIXTURE(pool)
{
	struct pool p;
};

FIXTURE_SETUP(pool)
{
	ASSERT_EQ(0, pool_open(&self->p, BUF, BUFS));
}

FIXTURE_TEARDOWN(pool)
{
	pool_close(&self->p);
}

TEST_F(pool, says_what_it_is)
{
	struct sockloan_poolstat st = stat_of(&self->p);

	EXPECT_EQ(BUF, self->p.p.buf_size);
	EXPECT_EQ(BUF * BUFS, self->p.p.map_size);
	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(BUF, st.buf_size);
	EXPECT_EQ(BUFS, st.bufs);
	EXPECT_EQ(BUFS, st.free);
	EXPECT_EQ(BUFS, st.lowest_free);
	EXPECT_EQ(0, st.held + st.in_flight + st.allocs + st.bad_ids);
}

TEST_F(pool, begins_zeroed)
{
	size_t i, sum = 0;

	for (i = 0; i < BUF * BUFS; i++)
		sum += self->p.map[i];
	EXPECT_EQ(0, sum);
}

TEST_F(pool, rounds_up_to_pages)
{
	struct pool p;

	ASSERT_EQ(0, pool_open(&p, 5 * sl_page - 1, 3));
	EXPECT_EQ(5 * sl_page, p.p.buf_size);
	EXPECT_EQ(15 * sl_page, p.p.map_size);
	memset(p.map, 1, p.p.map_size);
	pool_close(&p);
}

TEST_F(pool, wrong_setups)
{
	struct sockloan_pool p = { .size = sizeof(p),
				   .buf_size = BUF,
				   .bufs = BUFS };
	int fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EBUSY, ioctl(self->p.fd, SOCKLOAN_IOC_POOL, &p));
	p.size = 8;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.size = sizeof(p);
	p.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.flags = 0;
	p.buf_size = 0;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.buf_size = SOCKLOAN_BUF_MAX + 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.buf_size = UINT32_MAX;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.buf_size = BUF;
	p.bufs = 0;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	p.bufs = SOCKLOAN_BUFS_MAX + 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SOCKLOAN_IOC_POOL, 8));
	/* More than the machine has */
	p.bufs = SOCKLOAN_BUFS_MAX;
	p.buf_size = SOCKLOAN_BUF_MAX;
	EXPECT_ERRNO(ENOMEM, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	/* None of that has made a pool of it. */
	p.buf_size = BUF;
	p.bufs = BUFS;
	EXPECT_EQ(0, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
	close(fd);
}

TEST_F(pool, nothing_without_setup)
{
	struct pool p = { .fd = open("/dev/sockloan", O_RDWR | O_CLOEXEC) };
	struct sockloan_poolstat st = { .size = sizeof(st) };
	uint32_t id = 0;

	ASSERT_LE(0, p.fd);
	EXPECT_ERRNO(ENXIO, pkt_alloc(&p, &id, 1));
	EXPECT_ERRNO(ENXIO, pkt_free(&p, id));
	EXPECT_ERRNO(ENXIO, xout(&p, 0, id, 0, 1, 0));
	EXPECT_ERRNO(ENXIO, ioctl(p.fd, SOCKLOAN_IOC_POOLSTAT, &st));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, BUF, PROT_READ, MAP_SHARED, p.fd, 0));
	EXPECT_EQ(ENXIO, errno);
	close(p.fd);
}

TEST_F(pool, counts_against_memlock)
{
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid;

	/* CAP_IPC_LOCK overrides the limit: not as nobody. */
	pid = fork();
	if (!pid) {
		struct pool p;

		if (setrlimit(RLIMIT_MEMLOCK, &none) || setuid(65534))
			_exit(1);
		_exit(!pool_open(&p, BUF, BUFS) ? 2 : errno == ENOMEM ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static long long locked_kib(void)
{
	char line[256];
	long long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %lld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

TEST_F(pool, memlock_comes_back)
{
	long long before = locked_kib();
	struct pool p;

	ASSERT_EQ(0, pool_open(&p, BUF, BUFS));
	EXPECT_EQ(before + BUF * BUFS / SL_KIB, locked_kib());
	/* The mapping holds the pool, as it holds the file. */
	close(p.fd);
	EXPECT_EQ(before + BUF * BUFS / SL_KIB, locked_kib());
	munmap(p.map, p.p.map_size);
	EXPECT_EQ(before, locked_kib());
}

/* The same of the memory cgroup, where the kernel has one */
TEST_F(pool, counts_against_the_cgroup)
{
	static const char dir[] = "/tmp/sl_cgroup";
	static const char group[] = "/tmp/sl_cgroup/sl_pool";
	static const char current[] = "/tmp/sl_cgroup/sl_pool/memory.current";
	struct sockloan_pool p = { .size = sizeof(p),
				   .buf_size = BUF,
				   .bufs = 64,
				   .window = 8 * SL_MIB };
	long long before, with, after;
	bool there;
	int fd;

	mkdir(dir, 0700);
	ASSERT_EQ(0, mount("none", dir, "cgroup2", 0, NULL));
	there = !sl_put("/tmp/sl_cgroup/cgroup.subtree_control", "+memory") &&
		!mkdir(group, 0700) && sl_get(current) >= 0;
	if (there) {
		ASSERT_EQ(0,
			  sl_put("/tmp/sl_cgroup/sl_pool/cgroup.procs", "0"));
		fd = open("/dev/sockloan", O_RDWR);
		before = sl_get(current);
		ASSERT_EQ(0, ioctl(fd, SOCKLOAN_IOC_POOL, &p));
		with = sl_get(current);
		close(fd);
		after = sl_get(current);
		/* 4 MiB of buffers, and a quarter of the window */
		EXPECT_LE((long long)(6 * SL_MIB - SL_MIB / 4), with - before);
		EXPECT_GT((long long)SL_MIB, after - before);
		ASSERT_EQ(0, sl_put("/tmp/sl_cgroup/cgroup.procs", "0"));
		rmdir(group);
	}
	umount(dir);
	if (!there)
		SKIP(return, "no memory cgroup");
}

TEST_F(pool, wrong_mappings)
{
	int fd = self->p.fd;

	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, BUF * BUFS + sl_page, PROT_READ,
				   MAP_SHARED, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, sl_page, PROT_READ, MAP_SHARED, fd, BUF * BUFS));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, BUF, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_ERRNO(EACCES, mprotect(self->p.map, BUF, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(self->p.map, BUF * BUFS,
				     BUF * BUFS + sl_page, MREMAP_MAYMOVE));
}

TEST_F(pool, is_shared_memory)
{
	unsigned char *other;
	int status;
	pid_t pid;

	other = mmap(NULL, BUF, PROT_READ, MAP_SHARED, self->p.fd, BUF);
	ASSERT_NE(MAP_FAILED, other);
	self->p.map[BUF + 5] = 7;
	EXPECT_EQ(7, other[5]);
	pid = fork();
	if (!pid) {
		self->p.map[BUF + 6] = 8;
		_exit(other[5] != 7);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(8, other[6]);
	munmap(other, BUF);
}

TEST_F(pool, alloc_and_free)
{
	uint32_t ids[BUFS + 1], seen = 0;
	int i;

	/* As many as there are, and each once. */
	EXPECT_EQ(BUFS, pkt_alloc(&self->p, ids, BUFS + 1));
	for (i = 0; i < BUFS; i++)
		seen |= 1 << SOCKLOAN_PKT_BUF(ids[i]);
	EXPECT_EQ((1 << BUFS) - 1, seen);
	EXPECT_ERRNO(ENOBUFS, pkt_alloc(&self->p, ids + BUFS, 1));
	EXPECT_EQ(2, stat_of(&self->p).alloc_failures);
	EXPECT_EQ(BUFS, pkts(&self->p, SOCKLOAN_IOC_FREE, ids, BUFS));
	EXPECT_EQ(BUFS, stat_of(&self->p).free);
	EXPECT_EQ(0, stat_of(&self->p).lowest_free);
}

TEST_F(pool, wrong_ids)
{
	uint32_t id, old, three[3];
	struct pool other;

	ASSERT_EQ(1, pkt_alloc(&self->p, &id, 1));
	old = id;
	EXPECT_EQ(1, pkt_free(&self->p, id));
	/* Twice; stale, when the same buffer is another packet; no such buffer. */
	EXPECT_ERRNO(ENOENT, pkt_free(&self->p, old));
	ASSERT_EQ(1, pkt_alloc(&self->p, &id, 1));
	EXPECT_EQ(SOCKLOAN_PKT_BUF(old), SOCKLOAN_PKT_BUF(id));
	EXPECT_ERRNO(ENOENT, pkt_free(&self->p, old));
	EXPECT_ERRNO(ENOENT, pkt_free(&self->p, BUFS));
	EXPECT_ERRNO(ENOENT, pkt_free(&self->p, UINT32_MAX));
	/* Never allocated here */
	ASSERT_EQ(0, pool_open(&other, BUF, 2 * BUFS));
	EXPECT_ERRNO(ENOENT, pkt_free(&other, id));
	pool_close(&other);

	EXPECT_EQ(4, stat_of(&self->p).bad_ids);
	EXPECT_EQ(1, stat_of(&self->p).held);
	/* It stops where the list goes wrong. */
	three[0] = id;
	three[1] = old;
	ASSERT_EQ(1, pkt_alloc(&self->p, &three[2], 1));
	EXPECT_EQ(1, pkts(&self->p, SOCKLOAN_IOC_FREE, three, 3));
	EXPECT_EQ(1, stat_of(&self->p).held);
}

TEST_F(pool, wrong_arguments)
{
	struct sockloan_pkts arg = { .size = sizeof(arg), .count = 1 };
	int fd = self->p.fd;

	/* Ids that could not be said are not lost. */
	EXPECT_ERRNO(EFAULT, ioctl(fd, SOCKLOAN_IOC_ALLOC, &arg));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SOCKLOAN_IOC_FREE, &arg));
	EXPECT_EQ(BUFS, stat_of(&self->p).free);
	arg.count = 0;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_ALLOC, &arg));
	arg.count = 1;
	arg.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_ALLOC, &arg));
	arg.flags = 0;
	arg.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, SOCKLOAN_IOC_FREE, &arg));
	EXPECT_ERRNO(EFAULT, ioctl(fd, SOCKLOAN_IOC_XOUT, NULL));
}

struct racer {
	pthread_t thread;
	struct pool *pool;
	int errors;
};

/* Allocates, marks, looks and frees: nobody else may have it meanwhile. */
static void *race(void *arg)
{
	struct racer *r = arg;
	uint32_t id, other;
	int i;

	for (i = 0; i < 20000 / sl_slow(); i++) {
		if (pkt_alloc(r->pool, &id, 1) != 1)
			continue;
		memcpy(pkt_data(r->pool, id), &id, sizeof(id));
		memcpy(&other, pkt_data(r->pool, id), sizeof(other));
		r->errors += other != id;
		r->errors += pkt_free(r->pool, id) != 1;
	}
	return NULL;
}

TEST_F(pool, threads_share_it)
{
	struct racer r[4] = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(r); i++) {
		r[i].pool = &self->p;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, race, &r[i]));
	}
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(0, r[i].errors);
	}
	EXPECT_EQ(BUFS, stat_of(&self->p).free);
	EXPECT_EQ(0, stat_of(&self->p).bad_ids);
}

TEST_HARNESS_MAIN
