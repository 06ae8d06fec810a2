/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts the firmware's own instructions, where the emulator's clock counts
 * instructions (-icount); built with BOARD_METER.  The meter stands still while the firmware is
 * idle, and while the port does what a controller would do.
 */
#ifndef BOARD_METER_H
#define BOARD_METER_H

#include <stdbool.h>

#ifdef BOARD_METER
void meter_init(void);

/* May be nested: it runs when each stop has been followed by a start. */
void meter_stop(void);
void meter_start(void);

/*
 * While it stands still because nothing is left to do: takes back what the search for
 * something took, unless there was something, and says how things stand now and then.
 */
void meter_idle(bool busy);
#else
static inline void meter_init(void)
{
}

static inline void meter_stop(void)
{
}

static inline void meter_start(void)
{
}

static inline void meter_idle(bool busy)
{
	(void)busy;
}
#endif

#endif /* BOARD_METER_H */
