/* SPDX-License-Identifier: GPL-2.0 */
/* What the examples have in common, and is about ordinary sockets */
#ifndef EXAMPLES_NET_H
#define EXAMPLES_NET_H

int listen_on(const char *port);
int accept_from(int listener); /* -1: nobody is waiting */
int connect_to(const char *host, const char *port);

#endif /* EXAMPLES_NET_H */
