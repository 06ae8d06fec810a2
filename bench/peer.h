/* SPDX-License-Identifier: GPL-2.0 */
/* Receivers, and connections to them. */
#ifndef _BENCH_PEER_H
#define _BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * UDP drops what the receiver's buffer has no room for: the receiver says a word
 * after so many datagrams, and the sender is to wait for it.
 */
#define DATAGRAMS 16

/**
 * struct peer - one connection over loopback
 * @fd: the sending socket
 * @word: where the receiver's words arrive
 * @pid: the receiver, a process of its own
 */
struct peer {
	int fd;
	int word;
	pid_t pid;
};

/**
 * struct traffic - what a receiver gets
 * @udp: datagrams, rather than a TCP stream
 * @reads: it reads what it gets; it discards it with MSG_TRUNC else
 * @size: bytes a call of the sender
 * @warm_up, @calls: it says a word after so many calls, and after so many more
 */
struct traffic {
	bool udp;
	bool reads;
	size_t size;
	size_t warm_up;
	size_t calls;
};

/*
 * Forks: to be called before the caller has memory to send, or fork() would
 * make it shared.
 */
void start_peer(const struct traffic *traffic, struct peer *peer);
void wait_for_word(const struct peer *peer);
void end_peer(const struct peer *peer);

#endif /* _BENCH_PEER_H */
