// SPDX-License-Identifier: GPL-2.0
/*
 * A packet over a TCP connection to oneself, by nothing but the installed library:
 * built by library.sh, as C and as C++
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sockloan.h>

#define LEN 50000

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void connect_to_oneself(int *from, int *to)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int listener;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	check(!bind(listener, (struct sockaddr *)&a, len), "bind");
	check(!listen(listener, 1), "listen");
	check(!getsockname(listener, (struct sockaddr *)&a, &len), "name");
	*from = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(*from, (struct sockaddr *)&a, len), "connect");
	*to = accept(listener, NULL, NULL);
	check(*to >= 0, "accept");
	close(listener);
}

static unsigned char byte_at(size_t pos)
{
	return pos * 7 + (pos >> 8);
}

int main(void)
{
	struct sl_pool_options options;
	struct sockloan_poolstat stat;
	struct sl_pool *pool;
	struct sl_pkt *pkt;
	const void *data;
	int from, to;
	size_t pos;
	ssize_t n;

	memset(&options, 0, sizeof(options));
	options.buf_size = LEN;
	options.bufs = 2;
	pool = sl_pool_open(&options);
	check(pool != NULL, "sl_pool_open");
	connect_to_oneself(&from, &to);

	pkt = sl_pkt_alloc(pool, LEN);
	check(pkt != NULL, "sl_pkt_alloc");
	for (pos = 0; pos < LEN; pos++)
		pkt->data[pos] = byte_at(pos);
	pkt->len = LEN;
	check(sl_xout(from, pkt) >= 0, "sl_xout");

	for (pos = 0; pos < LEN;) {
		n = sl_recv_zc(pool, to, &data);
		check(n > 0, "sl_recv_zc");
		for (ssize_t i = 0; i < n; i++, pos++)
			check(((const unsigned char *)data)[i] == byte_at(pos),
			      "not what was sent");
		check(!sl_release(pool, to, n), "sl_release");
	}
	check(!sl_pool_stat(pool, &stat), "sl_pool_stat");
	check(stat.xouts == 1 && stat.bytes_released == LEN, "counters");
	check(!sl_leave(pool, to), "sl_leave");
	close(from);
	close(to);
	sl_pool_close(pool);
	puts("all of it");
	return 0;
}
