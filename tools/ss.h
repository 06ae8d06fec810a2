/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ss(8) knows of TCP and UDP sockets
 */
#ifndef _TOOLS_SS_H
#define _TOOLS_SS_H

#include <stddef.h>

#include "sockstat.h"

/**
 * struct ss_socket - a socket
 * @inode: of it
 * @protocol: "tcp" or "udp"
 * @state: "ESTAB", "LISTEN", ...
 * @recv_q: bytes not read yet; of a listener, connections not accepted yet
 * @send_q: bytes not acknowledged yet; of a listener, how many those may be
 * @retransmits: segments that were sent again so far
 * @local: its address
 * @remote: its peer's
 */
struct ss_socket {
	unsigned long long inode;
	char protocol[8];
	char state[12];
	unsigned int recv_q;
	unsigned int send_q;
	unsigned int retransmits;
	char local[ENDPOINT_SIZE];
	char remote[ENDPOINT_SIZE];
};

/**
 * struct ss - the sockets of this network namespace that have an inode
 * @socket: they, by inode
 * @nr: how many
 */
struct ss {
	struct ss_socket *socket;
	size_t nr;
};

int ss_read(struct ss *ss);
const struct ss_socket *ss_find(const struct ss *ss, unsigned long long inode);
void ss_free(struct ss *ss);

#endif /* _TOOLS_SS_H */
