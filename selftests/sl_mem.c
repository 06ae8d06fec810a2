// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: huge pages and swap
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "sl_mem.h"

/* Room for huge pages, aligned, not touched yet; its neighbours are its own */
unsigned char *sl_huge_area(size_t len)
{
	uintptr_t p;

	p = (uintptr_t)mmap(NULL, len + 2 * SL_HUGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if ((void *)p == MAP_FAILED)
		return NULL;
	p = (p + SL_HUGE) & ~(SL_HUGE - 1);
	if (mprotect((void *)p, len, PROT_READ | PROT_WRITE) ||
	    madvise((void *)p, len, MADV_HUGEPAGE))
		return NULL;
	return (void *)p;
}

/* Huge pages full of a stream; NULL where there are none to be had */
unsigned char *sl_huge_map(size_t len, uint64_t seed)
{
	unsigned char *p = sl_huge_area(len);

	if (!p)
		return NULL;
	sl_fill(p, len, seed);
	return sl_huge_kib(p) * SL_KIB >= len ? p : NULL;
}

/* How much of the area around here is mapped by huge entries */
size_t sl_huge_kib(const unsigned char *p)
{
	unsigned long from, to, kib = 0;
	bool here = false;
	char line[256];
	FILE *f;

	f = fopen("/proc/self/smaps", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (here && sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			break;
	}
	fclose(f);
	return kib;
}

bool sl_is_huge(const unsigned char *p)
{
	return sl_huge_kib(p) >= SL_HUGE / SL_KIB;
}

/* A line of /proc/self/status that is in kB, such as VmSwap */
long long sl_status_kib(const char *name)
{
	size_t len = strlen(name);
	long long kib = -1;
	char line[256];
	FILE *f;

	f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			kib = atoll(line + len + 1);
	if (f)
		fclose(f);
	return kib;
}

int sl_swap_on(void)
{
	if (!system("grep -q zram0 /proc/swaps"))
		return 0;
	if (access("/sys/block/zram0", F_OK) && system("modprobe -q zram"))
		return -1;
	if (sl_put("/sys/block/zram0/disksize", "32M"))
		return -1;
	return system("mkswap -q /dev/zram0 && swapon /dev/zram0") ? -1 : 0;
}

void sl_swap_off(void)
{
	if (system("swapoff /dev/zram0; echo 1 >/sys/block/zram0/reset"))
		fprintf(stderr, "# cannot take down the swap\n");
}
