/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network interfaces and their namespaces, and programs that set them up
 */
#ifndef _TOOLS_NETIF_H
#define _TOOLS_NETIF_H

#include <stdbool.h>
#include <stddef.h>

#define NETNS_DIR "/var/run/netns" /* where ip-netns(8) has them */
#define NETNS_OWN (-1)

int netns_open(const char *name, char *path, size_t size);
int netns_open_checked(const char *name, char *path, size_t size);
bool netns_has(int netns, const char *ifname, const char *mac);
int netif_set_mtu(const char *ifname, int mtu);
int run_program(char *const argv[], int netns);

#endif /* _TOOLS_NETIF_H */
