// SPDX-License-Identifier: GPL-2.0
/* Functions of the kernel, by address, and which kind of work each of them does. */
#include <err.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

const char *const group_names[GROUPS] = { "copy", "page", "protocol", "user",
					  "idle" };

struct symbol {
	uint64_t at;
	enum group group;
	uint64_t samples;
	char name[48];
};

static struct symbol *symbols;
static size_t count;

/* The first that matches says it. What matches none is the protocol's. */
static const struct {
	const char *pattern;
	enum group group;
} kinds[] = {
	{ "*copy_user*", COPYING },
	{ "copy_page_to_iter*", COPYING },
	{ "copy_page_from_iter*", COPYING },
	{ "*copy_to_iter*", COPYING },
	{ "*copy_from_iter*", COPYING },
	{ "*csum_and_copy*", COPYING },
	{ "csum_partial*", COPYING },
	{ "rep_movs*", COPYING },
	{ "memcpy*", COPYING },
	{ "__memcpy*", COPYING },
	{ "memmove*", COPYING },
	{ "copy_page*", COPYING },
	{ "clear_page*", COPYING },
	{ "copy_mc_*", COPYING },
	{ "skb_copy_bits", COPYING },
	{ "skb_copy_datagram*", COPYING },
	{ "__skb_datagram_iter", COPYING },
	{ "simple_copy_to_iter", COPYING },
	{ "skb_copy_ubufs", COPYING },

	{ "*idle*", IDLE },
	{ "default_idle*", IDLE },
	{ "sl_loan*", PAGES_WORK },
	{ "sl_flush*", PAGES_WORK },
	{ "sl_*map*", PAGES_WORK },
	{ "sl_*page*", PAGES_WORK },
	{ "*pagevec*", PAGES_WORK },
	{ "*folio*", PAGES_WORK },
	{ "*_page", PAGES_WORK },
	{ "*_pages", PAGES_WORK },
	{ "*_page_*", PAGES_WORK },
	{ "*_pages_*", PAGES_WORK },
	{ "*page_fault*", PAGES_WORK },
	{ "*_fault*", PAGES_WORK },
	{ "*_pte*", PAGES_WORK },
	{ "*_pmd*", PAGES_WORK },
	{ "*_vma*", PAGES_WORK },
	{ "*mmap*", PAGES_WORK },
	{ "*munmap*", PAGES_WORK },
	{ "mas_*", PAGES_WORK },
	{ "mt_*", PAGES_WORK },
	{ "*tlb*", PAGES_WORK },
	{ "*rmqueue*", PAGES_WORK },
	{ "*lru*", PAGES_WORK },
	{ "*mem_cgroup*", PAGES_WORK },
	{ "*memcg*", PAGES_WORK },
	{ "follow_*", PAGES_WORK },
	{ "*get_user_pages*", PAGES_WORK },
	{ "*gup*", PAGES_WORK },
	{ "iov_iter_get_pages*", PAGES_WORK },
	{ "xas_*", PAGES_WORK },
	{ "filemap_*", PAGES_WORK },
	{ "shmem_*", PAGES_WORK },
	{ "unmap_*", PAGES_WORK },
	{ "zap_*", PAGES_WORK },
	{ "vm_normal_page", PAGES_WORK },
	{ "wp_*", PAGES_WORK },
	{ "do_wp_page", PAGES_WORK },
	{ "get_page_from_freelist", PAGES_WORK },
};

static enum group kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!fnmatch(kinds[i].pattern, name, 0))
			return kinds[i].group;
	return PROTOCOL;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

void symbols_load(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	size_t room = 0;
	unsigned long long at;
	char name[128], type;

	if (!file)
		err(1, "/proc/kallsyms");
	while (fscanf(file, "%llx %c %127s%*[^\n]", &at, &type, name) == 3) {
		if (type != 't' && type != 'T' && type != 'w' && type != 'W')
			continue;
		if (count == room) {
			room = room ? 2 * room : 65536;
			symbols = realloc(symbols, room * sizeof(*symbols));
			if (!symbols)
				err(1, "memory");
		}
		symbols[count].at = at;
		symbols[count].samples = 0;
		snprintf(symbols[count].name, sizeof(symbols->name), "%.47s",
			 name);
		count++;
	}
	fclose(file);
	qsort(symbols, count, sizeof(*symbols), by_address);
	if (!count || !symbols[count - 1].at)
		errx(1, "no addresses in /proc/kallsyms: be root");
}

enum group symbols_count(uint64_t ip, bool idle)
{
	size_t low = 0, high = count, mid;
	enum group group;

	while (low < high) {
		mid = (low + high) / 2;
		if (symbols[mid].at <= ip)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		errx(1, "an address below all functions: %jx", ip);
	symbols[low - 1].samples++;
	group = kind(symbols[low - 1].name);
	/* Interrupts come while it idles, and their work is counted for what it is. */
	if (group == IDLE && !idle)
		group = PROTOCOL;
	symbols[low - 1].group = group;
	return group;
}

static int by_samples(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->samples > y->samples ? -1 : x->samples < y->samples;
}

void symbols_print(unsigned int lines)
{
	size_t i;

	if (lines)
		qsort(symbols, count, sizeof(*symbols), by_samples);
	for (i = 0; i < lines && i < count && symbols[i].samples; i++)
		printf("%8ju  %-8s  %s\n", symbols[i].samples,
		       group_names[symbols[i].group], symbols[i].name);
}
