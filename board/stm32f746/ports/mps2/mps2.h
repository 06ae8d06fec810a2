/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine: what of its registers is used here.
 */
#ifndef BOARD_MPS2_H
#define BOARD_MPS2_H

#include <stdint.h>

#define REG(address)	(*(volatile uint32_t *)(address))

#define MPS2_CLOCK	25000000	/* Hz, of processor and peripherals */

/* CMSDK UART 0: the console */
#define UART_DATA	0x40004000
#define UART_STATE	0x40004004
#define UART_TX_FULL	0x1
#define UART_CTRL	0x40004008
#define UART_TX_ENABLE	0x1
#define UART_BAUDDIV	0x40004010

/* CMSDK dual timer, its first half: runs down from all ones for ever */
#define TIMER_VALUE	0x40002004
#define TIMER_CTRL	0x40002008
#define TIMER_RUN	0x82		/* enabled, 32 bits, free running, not divided */

#define SYST_CSR	0xe000e010
#define SYST_RUN	0x7		/* enabled, with interrupts, by the processor's clock */
#define SYST_RVR	0xe000e014
#define SYST_CVR	0xe000e018

#define SCB_CFSR	0xe000ed28
#define SCB_BFAR	0xe000ed38

/* In memory of the bus's own: no part of what the firmware uses */
#define BUS_MEMORY	__attribute__((section(".bss.bus")))

/* Ticks of MPS2_CLOCK, upwards; wraps after less than three minutes. */
static inline uint32_t mps2_ticks(void)
{
	return -REG(TIMER_VALUE);
}

/* Sleeps until the next tick of the given length. */
void mps2_sleep(uint32_t ticks);

_Noreturn void mps2_main(void);

#endif /* BOARD_MPS2_H */
