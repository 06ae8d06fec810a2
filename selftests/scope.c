// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets attached without asking: namespaces and processes; and the sysctls
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kselftest_harness.h"
#include "sl_net.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define LEN (64 * SL_KIB)

FIXTURE(scope)
{
	struct sl_counters c;
};

FIXTURE_VARIANT(scope)
{
	int family;
};

FIXTURE_VARIANT_ADD(scope, v4){
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(scope, v6){
	.family = AF_INET6,
};

FIXTURE_SETUP(scope)
{
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(scope)
{
	sl_sysctl("sockloan/auto", "0");
}

#define SKIP_PLAIN()                                      \
	do {                                              \
		if (sl_plain())                           \
			SKIP(return, "needs the module"); \
	} while (0)

enum { ATTACHED, NOT_ATTACHED, ERROR };

/* Whether a socket is attached, as the module says */
static int state(int fd)
{
	struct sockloan_sockstat st;

	if (!sl_sockstat(fd, &st))
		return st.state == SOCKLOAN_STATE_ATTACHED ? ATTACHED : ERROR;
	return errno == ENOENT ? NOT_ATTACHED : ERROR;
}

static int state_of_new(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);
	int ret;

	if (fd < 0)
		return ERROR;
	ret = state(fd);
	close(fd);
	return ret;
}

/* Sockets of a new connection, and what they do with a large send */
static int state_of_pair(int family)
{
	struct sl_pair p;
	struct sl_buf b;
	int ret = ERROR;

	if (sl_pair_plain(&p, family))
		return ERROR;
	if (sl_buf_map(&b, LEN, 0, 1))
		goto out;
	if (sl_send_all(p.tx, b.data, LEN, 0) != LEN)
		goto out;
	sl_fill(b.data, LEN, 2);
	if (sl_drain(p.rx, LEN, 1))
		goto out;
	sl_buf_unmap(&b);
	ret = state(p.tx);
	if (state(p.rx) != ret)
		ret = ERROR;
	if (ret == ATTACHED && sl_lent(p.tx) != LEN)
		ret = ERROR;
out:
	sl_pair_close(&p);
	return ret;
}

/* The same in a child process */
static int state_in_child(int family)
{
	pid_t pid = fork();

	if (!pid)
		_exit(state_of_pair(family));
	return sl_exited(pid);
}

static int run_ioctl(void)
{
	struct sockloan_run r = { .size = sizeof(r) };

	return sl_ioctl(SOCKLOAN_IOC_RUN, &r);
}

/* -- per network namespace ------------------------------------------------- */

TEST_F(scope, off)
{
	char value[16];

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_sysctl_read("sockloan/auto", value, sizeof(value)));
	EXPECT_STREQ("0", value);
	EXPECT_EQ(NOT_ATTACHED, state_of_pair(variant->family));
	EXPECT_NO_RISE(&self->c, "Attaches");
}

TEST_F(scope, auto_on)
{
	int before;

	SKIP_PLAIN();
	before = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "1"));
	EXPECT_EQ(ATTACHED, state_of_pair(variant->family));
	EXPECT_EQ(ATTACHED, state_in_child(variant->family));
	EXPECT_RISE(&self->c, "Inherited");
	EXPECT_EQ(NOT_ATTACHED, state(before));
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "0"));
	EXPECT_EQ(NOT_ATTACHED, state_of_pair(variant->family));
	EXPECT_NO_RISE(&self->c, "Sockets");
	close(before);
}

/* What is neither plain TCP nor UDP stays as it is, and works */
TEST_F(scope, auto_other_sockets)
{
	static const struct {
		int type, protocol;
	} other[] = {
		{ SOCK_DGRAM, IPPROTO_UDPLITE },
		{ SOCK_RAW, IPPROTO_ICMP },
		{ SOCK_STREAM, IPPROTO_MPTCP },
		{ SOCK_STREAM, IPPROTO_SCTP },
	};
	size_t i;
	int fd;

	SKIP_PLAIN();
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "1"));
	sl_count(&self->c);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		struct sockloan_sockstat st;

		fd = socket(variant->family, other[i].type, other[i].protocol);
		if (fd < 0)
			continue;
		EXPECT_EQ(-1, sl_sockstat(fd, &st));
		EXPECT_EQ(EOPNOTSUPP, errno);
		close(fd);
	}
	EXPECT_NO_RISE(&self->c, "Attaches");
	EXPECT_EQ(ATTACHED, state_of_pair(variant->family));
}

/* Creating a socket may fail: there is nothing to attach then */
TEST_F(scope, auto_failing_socket)
{
	SKIP_PLAIN();
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "1"));
	EXPECT_EQ(-1, socket(variant->family, SOCK_STREAM, IPPROTO_UDP));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
	EXPECT_EQ(-1, socket(variant->family, SOCK_STREAM, 254));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
	EXPECT_NO_RISE(&self->c, "Attaches");
}

TEST_F(scope, auto_is_of_one_namespace)
{
	int own, fd;

	SKIP_PLAIN();
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(own, 0);
	ASSERT_EQ(0, sl_sysctl("sockloan/auto", "1"));
	fd = socket(variant->family, SOCK_STREAM, 0);
	EXPECT_EQ(ATTACHED, state(fd));

	/* A new one starts with it off, and with counters of its own */
	ASSERT_LE(0, sl_netns_new());
	sl_count(&self->c);
	EXPECT_EQ(0, sl_value(&self->c, "Attaches"));
	EXPECT_EQ(0, sl_value(&self->c, "Sockets"));
	EXPECT_EQ(NOT_ATTACHED, state_of_pair(variant->family));
	/* A socket stays what it is, wherever its program goes */
	EXPECT_EQ(ATTACHED, state(fd));

	ASSERT_EQ(0, sl_netns_enter(own));
	EXPECT_EQ(ATTACHED, state_of_pair(variant->family));
	close(fd);
}

/* -- per process ----------------------------------------------------------- */

/* In a child, since it is for good */
#define IN_CHILD(_body)              \
	({                           \
		pid_t _pid = fork(); \
		if (!_pid) {         \
			_body;       \
			_exit(0);    \
		}                    \
		sl_exited(_pid);     \
	})

TEST_F(scope, run)
{
	SKIP_PLAIN();
	EXPECT_EQ(ATTACHED, IN_CHILD({
			  if (run_ioctl())
				  _exit(ERROR);
			  _exit(state_of_pair(variant->family));
		  }));
	/* Not us, who are only its parent, and not our other children */
	EXPECT_EQ(NOT_ATTACHED, state_of_pair(variant->family));
	EXPECT_EQ(NOT_ATTACHED, state_in_child(variant->family));
}

TEST_F(scope, run_children)
{
	SKIP_PLAIN();
	EXPECT_EQ(
		ATTACHED, IN_CHILD({
			if (run_ioctl())
				_exit(ERROR);
			_exit(IN_CHILD(_exit(state_in_child(variant->family))));
		}));
}

/* Born before: not one of those that it forks from now on */
TEST_F(scope, run_is_not_for_older_children)
{
	int pfd[2];
	pid_t pid;
	char c;

	SKIP_PLAIN();
	ASSERT_EQ(0, pipe(pfd));
	EXPECT_EQ(NOT_ATTACHED, IN_CHILD({
			  pid = fork();
			  if (!pid) {
				  if (read(pfd[0], &c, 1) != 1)
					  _exit(ERROR);
				  _exit(state_of_new(variant->family));
			  }
			  if (run_ioctl() || write(pfd[1], "", 1) != 1)
				  _exit(ERROR);
			  _exit(sl_exited(pid));
		  }));
}

struct thread {
	pthread_t thread;
	int family;
	int state;
};

static void *thread_run(void *arg)
{
	struct thread *t = arg;

	t->state = state_of_pair(t->family);
	return NULL;
}

TEST_F(scope, run_threads)
{
	SKIP_PLAIN();
	EXPECT_EQ(ATTACHED, IN_CHILD({
			  struct thread t = { .family = variant->family };

			  if (run_ioctl() ||
			      pthread_create(&t.thread, NULL, thread_run, &t))
				  _exit(ERROR);
			  pthread_join(t.thread, NULL);
			  _exit(t.state);
		  }));
}

/* The process number of one that ran may come again: it starts afresh */
TEST_F(scope, run_ends_with_the_process)
{
	int i;

	SKIP_PLAIN();
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, IN_CHILD(_exit(run_ioctl() ? ERROR : 0)));
		ASSERT_EQ(NOT_ATTACHED,
			  IN_CHILD(_exit(state_of_new(variant->family))));
	}
}

/* -- sysctls --------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *standard;
	const char *good[4];
	const char *bad[8];
} knob[] = {
	{
		.name = "sockloan/auto",
		.standard = "0",
		.good = { "1", "0" },
		.bad = { "2", "-1", "256", "on", "4294967296" },
	},
	{
		.name = "sockloan/threshold",
		.standard = "4096",
		.good = { "65536", "5000", "4096" },
		.bad = { "-1", "large", "4294967296", "99999999999" },
	},
	{
		.name = "sockloan/chunk",
		.standard = "262144",
		.good = { "4096", "65536", "262144" },
		.bad = { "0", "-4096", "4095", "5000", "266240", "large",
			 "4294967296" },
	},
};

TEST(sysctls)
{
	char value[32];
	size_t i, j;

	SKIP_PLAIN();
	for (i = 0; i < ARRAY_SIZE(knob); i++) {
		ASSERT_EQ(0,
			  sl_sysctl_read(knob[i].name, value, sizeof(value)));
		EXPECT_STREQ(knob[i].standard, value);
		for (j = 0; j < 4 && knob[i].good[j]; j++) {
			EXPECT_EQ(0, sl_sysctl(knob[i].name, knob[i].good[j]));
			sl_sysctl_read(knob[i].name, value, sizeof(value));
			EXPECT_STREQ(knob[i].good[j], value);
		}
		for (j = 0; j < 8 && knob[i].bad[j]; j++) {
			EXPECT_EQ(-1, sl_sysctl(knob[i].name, knob[i].bad[j]))
			TH_LOG("%s = %s", knob[i].name, knob[i].bad[j]);
			EXPECT_EQ(EINVAL, errno);
			sl_sysctl_read(knob[i].name, value, sizeof(value));
			EXPECT_STREQ(knob[i].standard, value);
		}
	}
}

/* Every counter that the documentation names is there, and once */
TEST(counters)
{
	static const char *const name[] = {
		"Sockets",    "Attaches",	"Detaches",    "Inherited",
		"Calls",      "SmallCalls",	"BytesLent",   "BytesCopied",
		"PagesLent",  "PagesProtected", "PagesShared", "PagesZero",
		"Flushes",    "FaultIns",	"FbState",     "FbFlags",
		"FbCmsg",     "FbProto",	"FbNoSg",      "FbStamp",
		"FbNotifier", "FbVma",		"FbShared",    "FbFile",
		"FbHuge",     "FbUffd",		"FbPkey",      "FbPinned",
		"FbBusy",     "FbAbsent",	"FbNuma",      "FbSpecial",
		"FbNoMem",
	};
	struct sl_counters c;
	size_t i;
	int j, n;

	SKIP_PLAIN();
	sl_count(&c);
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		for (j = 0, n = 0; j < c.nr; j++)
			n += !strcmp(c.c[j].name, name[i]);
		EXPECT_EQ(1, n)
		TH_LOG("%s", name[i]);
	}
}

TEST_HARNESS_MAIN
