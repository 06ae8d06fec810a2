// SPDX-License-Identifier: GPL-2.0
/*
 * Flags, options and control messages: the same as plain
 *
 * Scenes run on a plain connection and on an attached one, with room for all
 * that they send.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "sl_scene.h"

#define LEN (256 * SL_KIB)
#define OLD SL_SCENE_STREAM
#define NEW 2

FIXTURE(flags)
{
	struct sl_buf b;
	struct sl_counters c;
};

FIXTURE_VARIANT(flags)
{
	int family;
	size_t offset;
};

FIXTURE_VARIANT_ADD(flags, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(flags, v6_unaligned){
	.family = AF_INET6,
	.offset = 1003,
};

FIXTURE_SETUP(flags)
{
	ASSERT_EQ(0, sl_buf_map(&self->b, LEN, variant->offset, OLD));
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(flags)
{
	sl_buf_unmap(&self->b);
}

#define EXPECT_SAME(_scene) \
	EXPECT_TRUE(sl_same(&self->b, variant->family, SL_ROOM, _scene))

static void set(struct sl_scene *s, int level, int name, int value)
{
	sl_note(s, "setsockopt",
		setsockopt(s->p.tx, level, name, &value, sizeof(value)));
}

/*
 * How much is there to be received.  The loopback device delivers at once, but
 * for when its soft interrupt is put off; nothing else comes so soon.
 */
static void note_unread(struct sl_scene *s)
{
	int n = -1, before, same = 0;

	while (same < 3) {
		before = n;
		ioctl(s->p.rx, FIONREAD, &n);
		same = n == before ? same + 1 : 0;
		sl_sleep_ms(4);
	}
	sl_note(s, "unread", n);
}

/* All of the buffer was sent, and nothing else */
static void note_arrival(struct sl_scene *s)
{
	sl_note_arrival(s, LEN);
	note_unread(s);
}

/* -- flags ----------------------------------------------------------------- */

static void oob(struct sl_scene *s)
{
	char c = 0;
	int at = -1;

	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, MSG_OOB), LEN);
	sl_note(s, "urgent", recv(s->p.rx, &c, 1, MSG_OOB));
	sl_note(s, "urgent", (unsigned char)c == s->b->data[LEN - 1]);
	sl_note(s, "arrival", sl_drain(s->p.rx, LEN - 1, OLD));
	sl_note(s, "mark", ioctl(s->p.rx, SIOCATMARK, &at));
	sl_note(s, "mark", at);
}

TEST_F(flags, msg_oob)
{
	EXPECT_SAME(oob);
	EXPECT_RISE(&self->c, "FbFlags");
}

/* Every other flag there could be, the kernel's own among them */
static void every_flag(struct sl_scene *s)
{
	unsigned int bit;
	ssize_t n;

	set(s, IPPROTO_TCP, TCP_NODELAY, 1);
	for (bit = 0; bit < 32; bit++) {
		if (1U << bit == MSG_OOB)
			continue;
		n = send(s->p.tx, s->b->data, LEN, 1U << bit | MSG_NOSIGNAL);
		sl_note_call(s, "send", n, LEN);
		sl_fill(s->b->data, LEN, NEW);
		if (n > 0)
			sl_note(s, "arrival", sl_drain(s->p.rx, n, OLD));
		sl_fill(s->b->data, LEN, OLD);
	}
	sl_note_so_error(s);
}

TEST_F(flags, every_flag)
{
	EXPECT_SAME(every_flag);
}

/* -- zero-copy as the program asks for it ---------------------------------- */

static void note_completion(struct sl_scene *s)
{
	struct pollfd pfd = { .fd = s->p.tx };
	struct sock_extended_err *ee;
	char control[256];
	struct msghdr msg = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm;

	poll(&pfd, 1, SL_TIMEOUT_S * 1000);
	sl_note(s, "events", pfd.revents);
	sl_note(s, "notice", recvmsg(s->p.tx, &msg, MSG_ERRQUEUE));
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm)
		return;
	ee = (struct sock_extended_err *)CMSG_DATA(cm);
	sl_note(s, "origin", ee->ee_origin);
	sl_note(s, "first", ee->ee_info);
	sl_note(s, "last", ee->ee_data);
	sl_note(s, "more notices", recvmsg(s->p.tx, &msg, MSG_ERRQUEUE));
}

static void zerocopy(struct sl_scene *s)
{
	set(s, SOL_SOCKET, SO_ZEROCOPY, 1);
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, MSG_ZEROCOPY),
		     LEN);
	sl_note(s, "arrival", sl_drain(s->p.rx, LEN, OLD));
	note_completion(s);
	/* And a send of the other kind beside it */
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(flags, msg_zerocopy)
{
	EXPECT_SAME(zerocopy);
	EXPECT_RISE(&self->c, "FbFlags");
}

/* Without the option the flag means nothing */
static void zerocopy_not_enabled(struct sl_scene *s)
{
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, MSG_ZEROCOPY),
		     LEN);
	note_arrival(s);
}

TEST_F(flags, msg_zerocopy_not_enabled)
{
	EXPECT_SAME(zerocopy_not_enabled);
}

/* -- TCP fast open --------------------------------------------------------- */

static void renew(struct sl_scene *s, struct sl_addr *a, int *lfd)
{
	int one = 1;

	sl_pair_close(&s->p);
	*lfd = sl_listen(s->family, a);
	setsockopt(*lfd, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one));
	s->p.tx = socket(s->family, SOCK_STREAM, 0);
	sl_scene_attach(s, s->p.tx);
}

static void fastopen(struct sl_scene *s)
{
	struct sl_addr a;
	int lfd, i;

	/* The first has no cookie yet */
	for (i = 0; i < 2; i++) {
		renew(s, &a, &lfd);
		sl_note_call(s, "sendto",
			     sendto(s->p.tx, s->b->data, sl_page, MSG_FASTOPEN,
				    &a.sa, a.len),
			     sl_page);
		s->p.rx = accept(lfd, NULL, NULL);
		close(lfd);
		sl_note_call(s, "send",
			     send(s->p.tx, s->b->data + sl_page, LEN - sl_page,
				  0),
			     LEN - sl_page);
		note_arrival(s);
		sl_note_loans(s, 1);
	}
}

TEST_F(flags, msg_fastopen)
{
	ASSERT_EQ(0, sl_sysctl("ipv4/tcp_fastopen", "3"));
	EXPECT_SAME(fastopen);
}

static void fastopen_connect(struct sl_scene *s)
{
	struct sl_addr a;
	ssize_t n;
	int lfd;

	renew(s, &a, &lfd);
	set(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	sl_note(s, "connect", connect(s->p.tx, &a.sa, a.len));
	/* The first send is the one that connects */
	n = sl_send_all(s->p.tx, s->b->data, LEN, 0);
	sl_note_call(s, "send", n, LEN);
	s->p.rx = accept(lfd, NULL, NULL);
	close(lfd);
	note_arrival(s);
	sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
	note_arrival(s);
	sl_note_loans(s, 1);
}

TEST_F(flags, fastopen_connect)
{
	EXPECT_SAME(fastopen_connect);
}

/* -- control messages and time stamps -------------------------------------- */

static ssize_t send_cmsg(struct sl_scene *s, int level, int type, __u32 value)
{
	struct iovec v = { s->b->data, LEN };
	char control[CMSG_SPACE(sizeof(value))];
	struct msghdr msg = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	memset(control, 0, sizeof(control));
	cm->cmsg_level = level;
	cm->cmsg_type = type;
	cm->cmsg_len = CMSG_LEN(sizeof(value));
	memcpy(CMSG_DATA(cm), &value, sizeof(value));
	return sendmsg(s->p.tx, &msg, 0);
}

static void control(struct sl_scene *s)
{
	sl_note_call(s, "time stamp",
		     send_cmsg(s, SOL_SOCKET, SO_TIMESTAMPING,
			       SOF_TIMESTAMPING_TX_SOFTWARE),
		     LEN);
	note_arrival(s);
	sl_note_call(s, "mark", send_cmsg(s, SOL_SOCKET, SO_MARK, 1), LEN);
	sl_note_call(s, "unknown", send_cmsg(s, SOL_SOCKET, 9999, 1), LEN);
	sl_note_call(s, "other level", send_cmsg(s, IPPROTO_IP, 9999, 1), LEN);
}

TEST_F(flags, control_message)
{
	EXPECT_SAME(control);
	EXPECT_RISE(&self->c, "FbCmsg");
}

/* One time stamp a call, whatever it is made of */
static void stamps(struct sl_scene *s)
{
	int i;

	set(s, SOL_SOCKET, SO_TIMESTAMPING,
	    SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
	for (i = 0; i < 2; i++) {
		struct pollfd pfd = { .fd = s->p.tx };
		struct sock_extended_err *ee;
		char control[512];
		struct msghdr msg = {
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *cm;

		sl_note_call(s, "send", send(s->p.tx, s->b->data, LEN, 0), LEN);
		note_arrival(s);
		poll(&pfd, 1, SL_TIMEOUT_S * 1000);
		sl_note(s, "notice", recvmsg(s->p.tx, &msg, MSG_ERRQUEUE));
		for (cm = CMSG_FIRSTHDR(&msg); cm; cm = CMSG_NXTHDR(&msg, cm)) {
			if (cm->cmsg_level == SOL_SOCKET)
				continue;
			ee = (struct sock_extended_err *)CMSG_DATA(cm);
			sl_note(s, "origin", ee->ee_origin);
			sl_note(s, "kind", ee->ee_info);
			sl_note(s, "at byte", ee->ee_data);
		}
		msg.msg_controllen = sizeof(control);
		sl_note(s, "more", recvmsg(s->p.tx, &msg, MSG_ERRQUEUE));
	}
}

TEST_F(flags, timestamping)
{
	EXPECT_SAME(stamps);
	EXPECT_RISE(&self->c, "FbStamp");
}

/* -- arguments ------------------------------------------------------------- */

static void nothing(struct sl_scene *s)
{
	struct iovec v[3] = { { NULL, 0 }, { (void *)1, 0 }, { NULL, 0 } };
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 0 };

	sl_note_call(s, "send", send(s->p.tx, s->b->data, 0, 0), 0);
	sl_note_call(s, "null", send(s->p.tx, NULL, 0, 0), 0);
	sl_note_call(s, "write", write(s->p.tx, s->b->data, 0), 0);
	sl_note_call(s, "writev", writev(s->p.tx, v, 0), 0);
	sl_note_call(s, "writev", writev(s->p.tx, v, 3), 0);
	sl_note_call(s, "sendmsg", sendmsg(s->p.tx, &msg, 0), 0);
	msg.msg_iovlen = 3;
	sl_note_call(s, "sendmsg", sendmsg(s->p.tx, &msg, 0), 0);
	note_unread(s);
}

TEST_F(flags, nothing)
{
	EXPECT_SAME(nothing);
}

static void iovecs(struct sl_scene *s)
{
	static struct iovec v[IOV_MAX + 1];
	struct msghdr msg = { .msg_iov = v };
	size_t each = LEN / IOV_MAX;
	int i;

	for (i = 0; i < IOV_MAX; i++)
		v[i] = (struct iovec){ s->b->data + i * each, each };
	v[i] = (struct iovec){ s->b->data, 1 };
	sl_note_call(s, "writev", writev(s->p.tx, v, IOV_MAX), LEN);
	note_arrival(s);
	sl_note_call(s, "too many", writev(s->p.tx, v, IOV_MAX + 1), LEN);
	msg.msg_iovlen = IOV_MAX;
	sl_note_call(s, "sendmsg", sendmsg(s->p.tx, &msg, 0), LEN);
	note_arrival(s);
	msg.msg_iovlen = IOV_MAX + 1;
	sl_note_call(s, "too many", sendmsg(s->p.tx, &msg, 0), LEN);
	v[0].iov_len = (size_t)-1;
	sl_note_call(s, "negative", writev(s->p.tx, v, 2), LEN);
	msg.msg_iovlen = 2;
	sl_note_call(s, "negative", sendmsg(s->p.tx, &msg, 0), LEN);
	note_unread(s);
}

TEST_F(flags, iovecs)
{
	EXPECT_SAME(iovecs);
}

static void bad_pointers(struct sl_scene *s)
{
	struct iovec v[2] = { { s->b->data, 128 * SL_KIB },
			      { (void *)8, 64 * SL_KIB } };
	struct msghdr msg = { .msg_iov = v, .msg_iovlen = 2 };
	struct mmsghdr mm[2];
	unsigned char *got;
	ssize_t n;

	n = sendmsg(s->p.tx, &msg, 0);
	sl_note_call(s, "second", n, LEN);
	got = malloc(128 * SL_KIB);
	if (n > 0 && n <= 128 * (ssize_t)SL_KIB &&
	    !sl_drain_raw(s->p.rx, got, n))
		sl_note(s, "arrival", sl_differs(got, n, OLD));
	free(got);
	v[0].iov_base = (void *)8;
	sl_note_call(s, "first", sendmsg(s->p.tx, &msg, 0), LEN);
	msg.msg_iov = (void *)8;
	sl_note_call(s, "iovec", sendmsg(s->p.tx, &msg, 0), LEN);
	msg.msg_iov = v;
	v[0].iov_base = s->b->data;
	msg.msg_control = (void *)8;
	msg.msg_controllen = 64;
	sl_note_call(s, "control", sendmsg(s->p.tx, &msg, 0), LEN);
	sl_note_call(s, "msghdr", sendmsg(s->p.tx, (void *)8, 0), LEN);

	/* The second of two messages */
	v[0] = (struct iovec){ s->b->data, LEN };
	v[1] = (struct iovec){ (void *)8, LEN };
	memset(mm, 0, sizeof(mm));
	mm[0].msg_hdr.msg_iov = &v[0];
	mm[0].msg_hdr.msg_iovlen = 1;
	mm[1].msg_hdr.msg_iov = &v[1];
	mm[1].msg_hdr.msg_iovlen = 1;
	sl_note(s, "sendmmsg", sendmmsg(s->p.tx, mm, 2, 0));
	note_arrival(s);
	sl_note_so_error(s);
}

TEST_F(flags, bad_pointers)
{
	EXPECT_SAME(bad_pointers);
}

/* A connection being saved */
static void repair(struct sl_scene *s)
{
	int unsent = -1;

	set(s, IPPROTO_TCP, TCP_REPAIR, 1);
	sl_note_call(s, "no queue", send(s->p.tx, s->b->data, LEN, 0), LEN);
	set(s, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
	sl_note_call(s, "queue", send(s->p.tx, s->b->data, LEN, 0), LEN);
	ioctl(s->p.tx, SIOCOUTQ, &unsent);
	sl_note(s, "queued", unsent);
	note_unread(s);
	set(s, IPPROTO_TCP, TCP_REPAIR, 0);
}

TEST_F(flags, tcp_repair)
{
	EXPECT_SAME(repair);
}

/* -- the module's own settings --------------------------------------------- */

TEST_F(flags, threshold)
{
	struct sl_pair p;

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, sl_pair(&p, variant->family));
	ASSERT_EQ(4095, send(p.tx, self->b.data, 4095, 0));
	EXPECT_NO_RISE(&self->c, "SmallCalls");
	EXPECT_NO_RISE(&self->c, "Calls");
	ASSERT_EQ(0, sl_sysctl("sockloan/threshold", "131072"));
	ASSERT_EQ(131071, send(p.tx, self->b.data, 131071, 0));
	EXPECT_RISE_BY(&self->c, "SmallCalls", 1);
	EXPECT_LENT(p.tx, 0);
	ASSERT_EQ(131072, send(p.tx, self->b.data, 131072, 0));
	EXPECT_RISE_BY(&self->c, "SmallCalls", 1);
	EXPECT_RISE_BY(&self->c, "Calls", 1);
	EXPECT_LENT(p.tx, sl_whole(self->b.data, 131072));
	ASSERT_EQ(0, sl_sysctl("sockloan/threshold", "4096"));
	sl_fill(self->b.data, LEN, NEW);
	EXPECT_EQ(0, sl_drain(p.rx, 4095, OLD));
	EXPECT_EQ(0, sl_drain(p.rx, 131071, OLD));
	EXPECT_EQ(0, sl_drain(p.rx, 131072, OLD));
	sl_pair_close(&p);
}

TEST_F(flags, chunk)
{
	static const char *const chunk[] = {
		"4096", "8192", "69632", "131072", "262144", "65536",
	};
	struct sl_pair p;
	size_t i;

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, sl_pair(&p, variant->family));
	for (i = 0; i < ARRAY_SIZE(chunk); i++) {
		ASSERT_EQ(0, sl_sysctl("sockloan/chunk", chunk[i]));
		ASSERT_EQ(LEN, send(p.tx, self->b.data, LEN, 0));
		sl_fill(self->b.data, LEN, NEW);
		EXPECT_EQ(0, sl_drain(p.rx, LEN, OLD));
		EXPECT_LENT(p.tx, (i + 1) * sl_whole(self->b.data, LEN));
		sl_fill(self->b.data, LEN, OLD);
	}
	sl_pair_close(&p);
}

TEST_HARNESS_MAIN
