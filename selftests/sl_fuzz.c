// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers shared by the sockloan selftests: arguments that are nearly right, each
 * field now and then a value that tries a limit
 */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sl_fuzz.h"

uint32_t sl_fuzz_any(struct sl_fuzz *f)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 7;
	f->state ^= f->state << 17;
	return f->state >> 16;
}

bool sl_fuzz_one_in(struct sl_fuzz *f, uint32_t n)
{
	return sl_fuzz_any(f) % n == 0;
}

/* @right, but now and then another value */
uint32_t sl_fuzz_field(struct sl_fuzz *f, uint32_t right)
{
	static const uint32_t odd[] = {
		0, 1, 2, 7, 8, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff,
	};

	switch (sl_fuzz_any(f) % 16) {
	case 0:
		return odd[sl_fuzz_any(f) % (sizeof(odd) / sizeof(*odd))];
	case 1:
		return right + sl_fuzz_any(f) % 3 - 1;
	case 2:
		return sl_fuzz_one_in(f, 4) ? sl_fuzz_any(f) : right;
	default:
		return right;
	}
}

uint64_t sl_fuzz_address(struct sl_fuzz *f, void *right)
{
	switch (sl_fuzz_any(f) % 24) {
	case 0:
		return 0;
	case 1:
		return 0xffff888000000000; /* the kernel's */
	case 2:
		return (uintptr_t)right + sl_fuzz_any(f) % 4096;
	case 3:
		return UINT64_MAX - sl_fuzz_any(f) % 16;
	default:
		return (uintptr_t)right;
	}
}

/* The number says how long the structure is; the kernel looks itself. */
unsigned long sl_fuzz_number(struct sl_fuzz *f, unsigned long command)
{
	if (sl_fuzz_one_in(f, 32))
		command ^= sl_fuzz_any(f) % 256 << _IOC_SIZESHIFT;
	return command;
}

/* The end of a page with nothing behind it: @len bytes, or too few */
void *sl_fuzz_page_end(size_t len)
{
	char *page = mmap(NULL, 2 * sl_page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || munmap(page + sl_page, sl_page))
		return NULL;
	return page + sl_page - len;
}

void sl_fuzz_unmap_page(void *at)
{
	munmap((void *)(((uintptr_t)at - 1) & ~(sl_page - 1)), sl_page);
}
