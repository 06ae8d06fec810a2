/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of the gadgets that there are
 */
#ifndef _TOOLS_GADGETS_H
#define _TOOLS_GADGETS_H

#include "common.h"

int gadgets_print(void);

#endif /* _TOOLS_GADGETS_H */
