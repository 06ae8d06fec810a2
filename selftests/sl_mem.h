/* SPDX-License-Identifier: GPL-2.0 */
/* Huge pages, swap space, and what a process has of either. */
#ifndef SL_MEM_H
#define SL_MEM_H

#include "sl_test.h"

#define SL_HUGE (2 * SL_MIB)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

unsigned char *sl_huge_area(size_t len);
unsigned char *sl_huge_map(size_t len, uint64_t seed);
size_t sl_huge_kib(const unsigned char *p);
bool sl_is_huge(const unsigned char *p);
long long sl_status_kib(const char *name);
int sl_swap_on(void);
void sl_swap_off(void);

#endif /* SL_MEM_H */
