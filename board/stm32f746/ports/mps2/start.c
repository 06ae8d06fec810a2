// SPDX-License-Identifier: GPL-2.0
/*
 * From reset to mps2_main(), and where faults end.
 */
#include <string.h>

#include "board.h"
#include "mps2.h"

extern uint32_t data_start[], data_end[], data_from[], bss_start[], bss_end[];
extern uint32_t stack_start[], stack_end[];

#define STACK_PAINT	0x5aa55aa5

uint32_t board_stack_used(void)
{
	const uint32_t *at = stack_start;

	while (at < stack_end && *at == STACK_PAINT)
		at++;
	return (stack_end - at) * sizeof(*at);
}

uint32_t board_ram_static(void)
{
	return (stack_end - data_start) * sizeof(*data_start);
}

/* Everything below the frame that is in use */
static inline void paint_stack(void)
{
	uint32_t *to = stack_start, *end;

	__asm__ volatile("mov %0, sp" : "=r"(end));
	while (to < end)
		*to++ = STACK_PAINT;
}

_Noreturn void reset(void);

_Noreturn void reset(void)
{
	paint_stack();
	memcpy(data_start, data_from, (data_end - data_start) * sizeof(*data_start));
	memset(bss_start, 0, (bss_end - bss_start) * sizeof(*bss_start));
	mps2_main();
}

static void fault(void)
{
	board_log("fault: status %08x, address %08x\n", (unsigned int)REG(SCB_CFSR),
		  (unsigned int)REG(SCB_BFAR));
	board_halt();
}

/* Nothing but to wake up from WFI */
static void tick(void)
{
}

static void (*const vectors[])(void) __attribute__((used, section(".vectors"))) = {
	(void (*)(void))stack_end,
	(void (*)(void))reset,
	[2] = fault,		/* NMI */
	[3] = fault,		/* HardFault */
	[4] = fault,		/* MemManage */
	[5] = fault,		/* BusFault */
	[6] = fault,		/* UsageFault */
	[11] = fault,		/* SVCall */
	[12] = fault,		/* DebugMonitor */
	[14] = fault,		/* PendSV */
	[15] = tick,		/* SysTick */
};
