/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the driver reaches the OTG block, and what it has to know of the board.  The unit
 * tests put a model in the place of both (tests/otg_model.h).
 */
#ifndef STM32_OTG_IO_H
#define STM32_OTG_IO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef OTG_MODEL
#include "tests/otg_model.h"
#else

#include "stm32.h"

#ifdef OTG_HIGH_SPEED
#define OTG_BASE	OTG_HS_BASE
#define OTG_FIFO_WORDS	1006
#else
#define OTG_BASE	OTG_FS_BASE
#define OTG_FIFO_WORDS	320
#endif

static inline uint32_t otg_read(uint32_t offset)
{
	return *(volatile uint32_t *)(OTG_BASE + offset);
}

static inline void otg_write(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(OTG_BASE + offset) = value;
}

static inline bool otg_high_speed(void)
{
#ifdef OTG_HIGH_SPEED
	return true;
#else
	return false;
#endif
}

static inline uint32_t otg_fifo_words(void)
{
	return OTG_FIFO_WORDS;
}

#endif

/* Clocks, pins and the PHY's supply: before the first access to a register. */
void otg_board_init(void);
/* Lets the interrupt through. */
void otg_board_interrupt(void);

#endif /* STM32_OTG_IO_H */
