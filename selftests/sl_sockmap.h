/* SPDX-License-Identifier: GPL-2.0 */
/* A sockmap without programs: it gives its sockets another sk_prot. */
#ifndef SL_SOCKMAP_H
#define SL_SOCKMAP_H

#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

static inline int sl_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A map with room for one socket: its descriptor */
static inline int sl_sockmap(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_SOCKMAP;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	return sl_bpf(BPF_MAP_CREATE, &attr);
}

static inline int sl_sockmap_change(int cmd, int map, int fd)
{
	__u32 key = 0, value = fd;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&key;
	if (cmd == BPF_MAP_UPDATE_ELEM)
		attr.value = (unsigned long)&value;
	return sl_bpf(cmd, &attr);
}

static inline int sl_sockmap_put(int map, int fd)
{
	return sl_sockmap_change(BPF_MAP_UPDATE_ELEM, map, fd);
}

static inline int sl_sockmap_take(int map)
{
	return sl_sockmap_change(BPF_MAP_DELETE_ELEM, map, -1);
}

#endif /* SL_SOCKMAP_H */
