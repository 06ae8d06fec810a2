// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI of /dev/sockloan: what can be attached, and every error
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "sl_test.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define LEN (64 * SL_KIB)
#define NOBODY 65534

FIXTURE(abi)
{
	struct sl_pair p;
	struct sl_buf b;
	struct sl_counters c;
};

FIXTURE_VARIANT(abi)
{
	int family;
};

FIXTURE_VARIANT_ADD(abi, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(abi, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, sl_pair_plain(&self->p, variant->family));
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, 0, 1));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(abi)
{
	sl_pair_close(&self->p);
	sl_buf_unmap(&self->b);
}

#define SKIP_PLAIN()                                      \
	do {                                              \
		if (sl_plain())                           \
			SKIP(return, "needs the module"); \
	} while (0)

#define EXPECT_ERRNO(_errno, _call)       \
	do {                              \
		errno = 0;                \
		EXPECT_EQ(-1, _call);     \
		EXPECT_EQ(_errno, errno); \
	} while (0)

/* Send the buffer and receive it: 0 if it arrives as it was */
static int send_buf(FIXTURE_DATA(abi) * self)
{
	if (sl_send_all(self->p.tx, self->b.data, LEN, 0) != LEN)
		return -1;
	return sl_drain(self->p.rx, LEN, 1);
}

TEST_F(abi, attach_lends)
{
	EXPECT_EQ(0, send_buf(self));
	EXPECT_NO_RISE(&self->c, "Calls");
	EXPECT_NO_RISE(&self->c, "BytesLent");
	ASSERT_EQ(0, sl_attach(self->p.tx));
	EXPECT_EQ(0, send_buf(self));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_RISE_BY(&self->c, "Attaches", 1);
	EXPECT_RISE_BY(&self->c, "Sockets", 1);
	EXPECT_RISE_BY(&self->c, "Calls", 1);
	EXPECT_RISE_BY(&self->c, "BytesLent", LEN);
	EXPECT_RISE_BY(&self->c, "BytesCopied", 0);
	EXPECT_RISE_BY(&self->c, "PagesLent", LEN / sl_page);
	EXPECT_RISE_BY(&self->c, "PagesProtected", LEN / sl_page);
	EXPECT_RISE(&self->c, "Flushes");
	close(self->p.tx);
	self->p.tx = -1;
	EXPECT_NO_RISE(&self->c, "Sockets");
	EXPECT_NO_RISE(&self->c, "Detaches");
}

TEST_F(abi, attach_twice)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = self->p.tx };

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
	EXPECT_ERRNO(EALREADY, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
	a.fd = dup(self->p.tx);
	EXPECT_ERRNO(EALREADY, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
	close(a.fd);
	EXPECT_EQ(0, send_buf(self));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_RISE_BY(&self->c, "Attaches", 1);
	EXPECT_RISE_BY(&self->c, "Sockets", 1);
}

TEST_F(abi, detach)
{
	struct sockloan_sockstat st;

	SKIP_PLAIN();
	EXPECT_ERRNO(ENOENT, sl_detach(self->p.tx));
	ASSERT_EQ(0, sl_attach(self->p.tx));
	EXPECT_EQ(0, send_buf(self));
	ASSERT_EQ(0, sl_detach(self->p.tx));
	EXPECT_RISE_BY(&self->c, "Detaches", 1);
	EXPECT_NO_RISE(&self->c, "Sockets");
	EXPECT_ERRNO(ENOENT, sl_detach(self->p.tx));
	EXPECT_EQ(0, send_buf(self));
	EXPECT_RISE_BY(&self->c, "BytesLent", LEN);
	ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
	EXPECT_EQ(SOCKLOAN_STATE_DETACHED, st.state);
	EXPECT_EQ(LEN, st.bytes_lent);
}

TEST_F(abi, reattach)
{
	struct sockloan_sockstat st;
	int i;

	SKIP_PLAIN();
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(0, sl_attach(self->p.tx));
		EXPECT_EQ(0, send_buf(self));
		EXPECT_RISE_BY(&self->c, "BytesLent", i * LEN);
		EXPECT_RISE_BY(&self->c, "Sockets", 1);
		ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
		EXPECT_EQ(SOCKLOAN_STATE_ATTACHED, st.state);
		ASSERT_EQ(0, sl_detach(self->p.tx));
		EXPECT_EQ(0, send_buf(self));
		EXPECT_RISE_BY(&self->c, "BytesLent", i * LEN);
		EXPECT_NO_RISE(&self->c, "Sockets");
	}
}

/* What is on loan stays on loan */
TEST_F(abi, detach_in_flight)
{
	struct sl_pair p;

	ASSERT_EQ(0, sl_pair(&p, variant->family));
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	ASSERT_EQ(0, sl_detach(p.tx));
	sl_fill(self->b.data, LEN, 2);
	ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
	sl_fill(self->b.data, LEN, 3);
	close(p.tx);
	p.tx = -1;
	sl_fill(self->b.data, LEN, 4);
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 1));
	EXPECT_EQ(0, sl_drain(p.rx, LEN, 2));
	EXPECT_EQ(0, sl_drain_eof(p.rx));
	EXPECT_EQ(-1, sl_differs(self->b.data, LEN, 4));
	EXPECT_RISE_BY(&self->c, "BytesLent", LEN);
	sl_pair_close(&p);
}

/* Attached before it is connected, it lends afterwards */
TEST_F(abi, attach_unconnected)
{
	struct sl_addr addr;
	int lfd;

	sl_pair_close(&self->p);
	lfd = sl_listen(variant->family, &addr);
	ASSERT_GE(lfd, 0);
	self->p.tx = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_GE(self->p.tx, 0);
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, connect(self->p.tx, &addr.sa, addr.len));
	self->p.rx = accept(lfd, NULL, NULL);
	ASSERT_GE(self->p.rx, 0);
	EXPECT_EQ(0, send_buf(self));
	EXPECT_LENT(self->p.tx, LEN);
	close(lfd);
}

TEST_F(abi, attach_both_ends)
{
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, sl_attach(self->p.rx));
	EXPECT_EQ(0, send_buf(self));
	ASSERT_EQ(LEN, sl_send_all(self->p.rx, self->b.data, LEN, 0));
	sl_fill(self->b.data, LEN, 2);
	EXPECT_EQ(0, sl_drain(self->p.tx, LEN, 1));
	EXPECT_LENT(self->p.tx, LEN);
	EXPECT_LENT(self->p.rx, LEN);
}

TEST_F(abi, sockstat)
{
	struct sockloan_sockstat st;

	SKIP_PLAIN();
	EXPECT_ERRNO(ENOENT, sl_sockstat(self->p.tx, &st));
	ASSERT_EQ(0, sl_attach(self->p.tx));
	ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(SOCKLOAN_STATE_ATTACHED, st.state);
	EXPECT_EQ(0, st.calls);
	EXPECT_EQ(0, st.bytes_lent);
	ASSERT_EQ(100, send(self->p.tx, self->b.data, 100, 0));
	ASSERT_EQ(LEN - 100,
		  send(self->p.tx, self->b.data + 100, LEN - 100, 0));
	ASSERT_EQ(0, sl_sockstat(self->p.tx, &st));
	EXPECT_EQ(1, st.calls);
	EXPECT_EQ(LEN - sl_page, st.bytes_lent);
	EXPECT_EQ(sl_page - 100, st.bytes_copied);
	EXPECT_EQ(LEN / sl_page - 1, st.pages_lent);
	EXPECT_EQ(LEN / sl_page - 1, st.pages_protected);
	EXPECT_EQ(0, st.fallbacks);
	/* Those below 4 KiB are counted nowhere */
	EXPECT_NO_RISE(&self->c, "SmallCalls");
	EXPECT_RISE_BY(&self->c, "Calls", 1);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, 1));
}

/* A socket is a socket, whoever holds it and whatever the descriptor */
TEST_F(abi, unprivileged)
{
	pid_t pid;

	SKIP_PLAIN();
	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(1);
		if (sl_attach(self->p.tx))
			_exit(2);
		_exit(send_buf(self) ? 3 : 0);
	}
	EXPECT_EQ(0, sl_exited(pid));
	EXPECT_LENT(self->p.tx, LEN);
}

TEST(device_mode)
{
	struct stat st;

	SKIP_PLAIN();
	ASSERT_EQ(0, stat("/dev/sockloan", &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0666, st.st_mode & 0777);
}

/* -- what cannot be attached ---------------------------------------------- */

static void expect_refused(struct __test_metadata *_metadata, int fd, int err)
{
	struct sockloan_sockstat st;

	ASSERT_GE(fd, 0);
	EXPECT_ERRNO(err, sl_attach(fd));
	EXPECT_ERRNO(err, sl_detach(fd));
	EXPECT_ERRNO(err, sl_sockstat(fd, &st));
	close(fd);
}

TEST(not_open)
{
	struct sockloan_sockstat st;

	SKIP_PLAIN();
	EXPECT_ERRNO(EBADF, sl_attach(-1));
	EXPECT_ERRNO(EBADF, sl_attach(987));
	EXPECT_ERRNO(EBADF, sl_detach(-1));
	EXPECT_ERRNO(EBADF, sl_sockstat(-1, &st));
}

TEST(not_a_socket)
{
	int pfd[2];

	SKIP_PLAIN();
	ASSERT_EQ(0, pipe(pfd));
	expect_refused(_metadata, pfd[0], ENOTSOCK);
	expect_refused(_metadata, pfd[1], ENOTSOCK);
	expect_refused(_metadata, open("/dev/null", O_RDWR), ENOTSOCK);
	expect_refused(_metadata, open("/dev/sockloan", O_RDWR), ENOTSOCK);
	expect_refused(_metadata, open("/", O_PATH), EBADF);
}

TEST(neither_tcp_nor_udp)
{
	int fds[2];

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_sysctl("ipv4/ping_group_range", "0 0"));
	expect_refused(_metadata, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
		       EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6),
		       EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP),
		       EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6),
		       EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_UNIX, SOCK_STREAM, 0), EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_UNIX, SOCK_DGRAM, 0), EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
		       EOPNOTSUPP);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
	expect_refused(_metadata, fds[0], EOPNOTSUPP);
	expect_refused(_metadata, fds[1], EOPNOTSUPP);
}

TEST(not_packet)
{
	int fd;

	SKIP_PLAIN();
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (fd < 0)
		SKIP(return, "no packet sockets");
	expect_refused(_metadata, fd, EOPNOTSUPP);
}

TEST(not_mptcp)
{
	int fd;

	SKIP_PLAIN();
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (fd < 0)
		SKIP(return, "no Multipath TCP");
	expect_refused(_metadata, fd, EOPNOTSUPP);
	expect_refused(_metadata, socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP),
		       EOPNOTSUPP);
}

TEST(not_smc)
{
	int fd;

	SKIP_PLAIN();
	fd = socket(43 /* AF_SMC */, SOCK_STREAM, 0);
	if (fd < 0)
		SKIP(return, "no SMC");
	expect_refused(_metadata, fd, EOPNOTSUPP);
}

/* -- the structures -------------------------------------------------------- */

struct longer { /* a newer caller's structure */
	struct sockloan_attach a;
	unsigned char tail[48];
};

TEST_F(abi, attach_structure)
{
	struct sockloan_attach a = { .size = sizeof(a), .fd = self->p.tx };
	struct longer l = { .a = { .size = sizeof(l), .fd = self->p.tx } };

	SKIP_PLAIN();
	for (a.size = 0; a.size < sizeof(a); a.size += 4) {
		EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
		EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_DETACH, &a));
	}
	a.size = sizeof(a);
	for (a.flags = 1; a.flags; a.flags <<= 1) {
		EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
	}
	a.reserved = 1;
	EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_ATTACH, &a));
	EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_DETACH, &a));
	l.tail[sizeof(l.tail) - 1] = 1;
	EXPECT_ERRNO(E2BIG, sl_ioctl(SOCKLOAN_IOC_ATTACH, &l));
	EXPECT_ERRNO(E2BIG, sl_ioctl(SOCKLOAN_IOC_DETACH, &l));
	EXPECT_NO_RISE(&self->c, "Attaches");

	l.tail[sizeof(l.tail) - 1] = 0;
	EXPECT_EQ(0, sl_ioctl(SOCKLOAN_IOC_ATTACH, &l));
	EXPECT_EQ(0, sl_ioctl(SOCKLOAN_IOC_DETACH, &l));
}

TEST_F(abi, sockstat_structure)
{
	struct {
		struct sockloan_sockstat st;
		unsigned char tail[48];
	} l = { .st = { .size = sizeof(l), .fd = self->p.tx } };
	struct sockloan_sockstat *st = &l.st;

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_attach(self->p.tx));
	EXPECT_EQ(0, sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, &l));
	EXPECT_EQ(sizeof(*st), st->size);
	EXPECT_EQ(SOCKLOAN_STATE_ATTACHED, st->state);
	st->size = sizeof(l);
	l.tail[0] = 1;
	EXPECT_ERRNO(E2BIG, sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, &l));
	st->size = 8;
	EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, st));
	st->size = sizeof(*st);
	st->flags = 1;
	EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, st));
}

TEST_F(abi, run_structure)
{
	struct sockloan_run r = { .size = sizeof(r), .flags = 1 };

	SKIP_PLAIN();
	EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_RUN, &r));
	r.flags = 0;
	for (r.size = 0; r.size < sizeof(r); r.size += 4) {
		EXPECT_ERRNO(EINVAL, sl_ioctl(SOCKLOAN_IOC_RUN, &r));
	}
	EXPECT_ERRNO(EFAULT, sl_ioctl(SOCKLOAN_IOC_RUN, NULL));
}

TEST_F(abi, bad_pointer)
{
	struct sockloan_attach *a;
	char *map;

	SKIP_PLAIN();
	EXPECT_ERRNO(EFAULT, sl_ioctl(SOCKLOAN_IOC_ATTACH, NULL));
	EXPECT_ERRNO(EFAULT, sl_ioctl(SOCKLOAN_IOC_DETACH, NULL));
	EXPECT_ERRNO(EFAULT, sl_ioctl(SOCKLOAN_IOC_SOCKSTAT, NULL));

	/* The size can be read, the rest cannot */
	map = mmap(NULL, 2 * sl_page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, mprotect(map + sl_page, sl_page, PROT_NONE));
	a = (void *)(map + sl_page - 4);
	*(__u32 *)a = sizeof(*a);
	EXPECT_ERRNO(EFAULT, sl_ioctl(SOCKLOAN_IOC_ATTACH, a));
	munmap(map, 2 * sl_page);
	EXPECT_NO_RISE(&self->c, "Attaches");
}

TEST(unknown_ioctl)
{
	struct sockloan_attach a = { .size = sizeof(a) };

	SKIP_PLAIN();
	EXPECT_ERRNO(ENOTTY, sl_ioctl(_IOW(SOCKLOAN_IOC_MAGIC, 0x0f,
					   struct sockloan_attach),
				      &a));
	EXPECT_ERRNO(ENOTTY, sl_ioctl(_IO(SOCKLOAN_IOC_MAGIC, 0x7f), &a));
	EXPECT_ERRNO(ENOTTY,
		     sl_ioctl(_IOW('S', 0x10, struct sockloan_attach), &a));
}

#ifdef __x86_64__
/* The same structures from a 32-bit caller */
static long ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "0"(54L /* ioctl */), "b"((long)fd), "c"((long)cmd),
		       "d"((long)arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

TEST_F(abi, compat)
{
	struct sockloan_sockstat *st;
	struct sockloan_attach *a;
	int fd;

	SKIP_PLAIN();
	a = mmap(NULL, sl_page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)a);
	fd = open("/dev/sockloan", O_RDWR);
	ASSERT_GE(fd, 0);
	if (ioctl32(-1, 0, NULL) != -EBADF)
		SKIP(return, "no 32-bit system calls");
	a->size = sizeof(*a);
	a->fd = self->p.tx;
	ASSERT_EQ(0, ioctl32(fd, SOCKLOAN_IOC_ATTACH, a));
	EXPECT_EQ(-EALREADY, ioctl32(fd, SOCKLOAN_IOC_ATTACH, a));
	EXPECT_EQ(0, send_buf(self));
	st = (void *)(a + 1);
	st->size = sizeof(*st);
	st->fd = self->p.tx;
	ASSERT_EQ(0, ioctl32(fd, SOCKLOAN_IOC_SOCKSTAT, st));
	EXPECT_EQ(LEN, st->bytes_lent);
	EXPECT_EQ(0, ioctl32(fd, SOCKLOAN_IOC_DETACH, a));
	EXPECT_EQ(-EFAULT, ioctl32(fd, SOCKLOAN_IOC_ATTACH, NULL));
	close(fd);
	munmap(a, sl_page);
}
#endif

TEST_HARNESS_MAIN
