// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "chksum.h"

#define BLOCK	32

/*
 * Adds blocks, at least one, at an address that is a multiple of 4, to a sum of
 * words.  On the Cortex-M7 with the carry flag from word to word, which C cannot say.
 */
#ifdef __ARM_ARCH_7EM__
static uint32_t add_blocks(uint32_t sum, const uint8_t *at, uint32_t blocks)
{
	/* Nothing between the first and the last addition may touch the flag. */
	__asm__ volatile("	adds	%0, %0, #0\n"
			 "1:	ldmia	%1!, {r3, r4, r5, r6, r8, r9, r10, r12}\n"
			 "	adcs	%0, %0, r3\n"
			 "	adcs	%0, %0, r4\n"
			 "	adcs	%0, %0, r5\n"
			 "	adcs	%0, %0, r6\n"
			 "	adcs	%0, %0, r8\n"
			 "	adcs	%0, %0, r9\n"
			 "	adcs	%0, %0, r10\n"
			 "	adcs	%0, %0, r12\n"
			 "	sub.w	%2, %2, #1\n"
			 "	teq	%2, #0\n"
			 "	bne	1b\n"
			 "	adcs	%0, %0, #0\n"
			 "	adc	%0, %0, #0\n"
			 : "+r"(sum), "+r"(at), "+r"(blocks)
			 :
			 : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
	return sum;
}
#else
static uint32_t add_blocks(uint32_t sum, const uint8_t *at, uint32_t blocks)
{
	uint64_t wide = sum;
	uint32_t word, i;

	for (i = 0; i < blocks * BLOCK; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		wide += word;
	}
	wide = (wide & 0xffffffff) + (wide >> 32);
	return (wide & 0xffffffff) + (wide >> 32);
}
#endif

static uint32_t fold(uint32_t sum)
{
	return (sum & 0xffff) + (sum >> 16);
}

uint16_t chksum(const void *data, int len)
{
	const uint8_t *at = data;
	uint32_t odd = (uintptr_t)at & 1, sum = 0;
	uint16_t half;

	/* From an odd address on, every byte is the other half of its word. */
	if (odd && len) {
		sum = *at++ << 8;
		len--;
	}
	if ((uintptr_t)at & 2 && len >= 2) {
		memcpy(&half, at, sizeof(half));
		sum += half;
		at += 2;
		len -= 2;
	}
	if (len >= BLOCK) {
		sum = fold(add_blocks(sum, at, len / BLOCK));
		at += len / BLOCK * BLOCK;
		len %= BLOCK;
	}
	for (; len >= 2; at += 2, len -= 2) {
		memcpy(&half, at, sizeof(half));
		sum += half;
	}
	if (len)
		sum += *at;
	sum = fold(fold(sum));
	return odd ? (uint16_t)(sum << 8 | sum >> 8) : sum;
}
