// SPDX-License-Identifier: GPL-2.0
/*
 * The first kernel TLS sockets of a system are attached ones
 *
 * Kernel TLS copies what it finds in sock->ops of the first socket of each
 * family, and uses the copy for all later ones.  Were that our table, every TLS
 * socket would go through the module from then on, and through freed memory
 * once it is unloaded.  To be run on a freshly booted machine; it unloads the
 * module and loads it again from SOCKLOAN_KO.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "sl_ktls.h"
#include "sl_uffd.h"

#define LEN (64 * SL_KIB)

static int transfer(const struct sl_pair *p, uint64_t seed)
{
	struct sl_buf b;
	int ret = -1;

	if (sl_buf_map(&b, LEN, 0, seed))
		return -1;
	if (sl_send_all(p->tx, b.data, b.len, 0) == (ssize_t)LEN)
		ret = sl_drain(p->rx, LEN, seed);
	sl_buf_unmap(&b);
	return ret;
}

static const int families[] = { AF_INET, AF_INET6 };

static int insert(void)
{
	char command[4096];

	snprintf(command, sizeof(command), "insmod %s", getenv("SOCKLOAN_KO"));
	return system(command);
}

/*
 * A setsockopt that went past the module, because it began before the attach,
 * and reaches TLS after it.
 */
TEST(under_way_before_the_attach)
{
	struct sl_pair p[2], plain[2];
	int i;

	if (!sl_ktls_there())
		SKIP(return, "no kernel TLS in this kernel");
	if (sl_plain())
		SKIP(return, "nothing is attached");
	for (i = 0; i < 2; i++) {
		struct slow_option o = {
			.level = IPPROTO_TCP,
			.name = TCP_ULP,
			.len = 3,
		};

		ASSERT_EQ(0, sl_pair_plain(&p[i], families[i]));
		o.fd = p[i].tx;
		ASSERT_EQ(0, slow_option_start(&o));
		ASSERT_EQ(0, sl_attach(p[i].tx));
		ASSERT_EQ(0, slow_option_end(&o, "tls"));
		ASSERT_EQ(0, sl_ktls_keys(p[i].tx, TLS_TX));
		ASSERT_EQ(0, sl_ulp(p[i].rx, "tls"));
		ASSERT_EQ(0, sl_ktls_keys(p[i].rx, TLS_RX));
		EXPECT_EQ(0, transfer(&p[i], 1));

		ASSERT_EQ(0, sl_pair_plain(&plain[i], families[i]));
		ASSERT_EQ(0, sl_ktls(&plain[i]));
		EXPECT_EQ(0, transfer(&plain[i], 2));
	}
	for (i = 0; i < 2; i++)
		sl_pair_close(&p[i]);
	ASSERT_EQ(0, system("rmmod sockloan"));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, transfer(&plain[i], 3));
		sl_pair_close(&plain[i]);
	}
	ASSERT_EQ(0, insert());
}

TEST(first_then_unload)
{
	struct sl_pair attached[2], plain[2];
	int i;

	if (!sl_ktls_there())
		SKIP(return, "no kernel TLS in this kernel");

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sl_pair(&attached[i], families[i]));
		ASSERT_EQ(0, transfer(&attached[i], 1));
		EXPECT_LENT(attached[i].tx, LEN);
		ASSERT_EQ(0, sl_ktls(&attached[i]));
		EXPECT_EQ(0, transfer(&attached[i], 2));
		/* Nothing of it was lent. */
		EXPECT_LENT(attached[i].tx, LEN);

		/* These have the copies. */
		ASSERT_EQ(0, sl_pair_plain(&plain[i], families[i]));
		ASSERT_EQ(0, sl_ktls(&plain[i]));
		EXPECT_EQ(0, transfer(&plain[i], 3));
	}
	if (!sl_plain())
		EXPECT_NE(0, system("rmmod sockloan 2>/dev/null"));
	for (i = 0; i < 2; i++)
		sl_pair_close(&attached[i]);
	if (sl_plain())
		return;

	/* The plain TLS sockets are open and must not need the module. */
	ASSERT_EQ(0, system("rmmod sockloan"));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, transfer(&plain[i], 4));
		sl_pair_close(&plain[i]);
		ASSERT_EQ(0, sl_pair_plain(&plain[i], families[i]));
		ASSERT_EQ(0, sl_ktls(&plain[i]));
		EXPECT_EQ(0, transfer(&plain[i], 5));
		sl_pair_close(&plain[i]);
	}
	ASSERT_EQ(0, insert());
}

TEST_HARNESS_MAIN
