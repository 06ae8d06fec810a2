/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments that are nearly right */
#ifndef SL_FUZZ_H
#define SL_FUZZ_H

#include "sl_test.h"

/* What the numbers come from; the same ones again for the same seed */
struct sl_fuzz {
	uint64_t state;
};

/* Any of the structures, and room for a longer one */
union sl_fuzz_arg {
	uint32_t size;
	struct sockloan_attach attach;
	struct sockloan_sockstat sockstat;
	struct sockloan_pool pool;
	struct sockloan_pkts pkts;
	struct sockloan_xout xout;
	struct sockloan_poolstat poolstat;
	struct sockloan_join join;
	struct sockloan_peek peek;
	struct sockloan_release release;
	struct sockloan_forward forward;
	struct sockloan_windows windows;
	uint32_t word[64];
};

uint32_t sl_fuzz_any(struct sl_fuzz *f);
bool sl_fuzz_one_in(struct sl_fuzz *f, uint32_t n);
uint32_t sl_fuzz_field(struct sl_fuzz *f, uint32_t right);
uint64_t sl_fuzz_address(struct sl_fuzz *f, void *right);
unsigned long sl_fuzz_number(struct sl_fuzz *f, unsigned long command);
void *sl_fuzz_page_end(size_t len);
void sl_fuzz_unmap_page(void *at);

#endif /* SL_FUZZ_H */
