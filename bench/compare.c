// SPDX-License-Identifier: GPL-2.0
/*
 * The same transfers from plain and from attached sockets, in turn, so that
 * whatever drifts hits both.
 */
#include "compare.h"

static bool add(const struct transfer *transfer, const struct effort *effort,
		double *rate, double *lent)
{
	struct result result;
	bool attached = run_transfer(transfer, effort->bytes, &result);

	*rate += result.rate / effort->rounds;
	*lent += result.lent / effort->rounds;
	return attached;
}

bool compare(struct transfer transfer, enum how plain,
	     const struct effort *effort, struct comparison *result)
{
	double none = 0;
	int i;

	*result = (struct comparison){ 0 };
	for (i = 0; i < effort->rounds; i++) {
		transfer.how = plain;
		transfer.lend = false;
		add(&transfer, effort, &result->copy, &none);
		transfer.how = BY_SEND;
		transfer.lend = true;
		if (!add(&transfer, effort, &result->loan, &result->lent))
			return false;
	}
	return true;
}
