// SPDX-License-Identifier: GPL-2.0
/*
 * From reset to main(): vector table, memory protection, caches, .data and .bss; and what
 * becomes of faults.  The FPU stays off: nothing here calculates in floating point, and an
 * exception has eight words to save instead of twenty-six.  Should anything use it after
 * all, that is a usage fault with a message.
 */
#include "board.h"
#include "otg.h"

#define STACK_PAINT 0x5ac5ac5au
#define FAULT_STACK 256

extern uint32_t ld_stack_bottom[], ld_stack_top[];
extern uint32_t ld_data_load[], ld_data_start[], ld_data_end[];
extern uint32_t ld_fast_bss_start[], ld_fast_bss_end[], ld_bss_start[], ld_bss_end[];

_Noreturn void start(void);
void fault_entry(void);
extern uint32_t fault_stack[FAULT_STACK];

typedef void (*vector)(void);

/* Behind the initial stack pointer: 15 exceptions, then the interrupts */
static const struct {
	uint32_t *stack;
	vector exceptions[15];
	vector interrupts[IRQS];
} vectors __attribute__((section(".vectors"), used)) = {
	.stack = ld_stack_top,
	.exceptions = {
		[0] = start,
		[1 ... 13] = fault_entry,
		[14] = systick_interrupt,
	},
	.interrupts = {
		[0 ... OTG_IRQ - 1] = fault_entry,
		[OTG_IRQ] = otg_interrupt,
		[OTG_IRQ + 1 ... IRQS - 1] = fault_entry,
	},
};

/* -- faults ------------------------------------------------------------------------------ */

uint32_t fault_stack[FAULT_STACK] __attribute__((aligned(8)));

/* With a stack of its own: the other one may be what the fault is about. */
__attribute__((naked)) void fault_entry(void)
{
	__asm__ volatile("cpsid	i\n\t"
			 "mrs	r0, msp\n\t"
			 "mrs	r1, ipsr\n\t"
			 "ldr	r2, =fault_stack + 4 * %c0\n\t"
			 "msr	msp, r2\n\t"
			 "b	fault\n\t"
			 ".ltorg"
			 :
			 : "i"(FAULT_STACK));
}

static const char *fault_name(uint32_t exception)
{
	static const char *const names[] = { "NMI", "hard fault", "memory fault", "bus fault",
					     "usage fault" };

	return exception >= 2 && exception < 7 ? names[exception - 2] : "unexpected exception";
}

static void fault_word(const char *name, uint32_t value)
{
	board_log(" %s %08x", name, (unsigned int)value);
}

/* The frame is what the processor has saved: r0-r3, r12, lr, pc, psr. */
__attribute__((used)) void fault(const uint32_t *frame, uint32_t exception)
{
	static const char *const words[] = { "r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr" };

	board_log("\n%s (%u):", fault_name(exception), (unsigned int)exception);
	fault_word("CFSR", SCB_CFSR);
	fault_word("HFSR", SCB_HFSR);
	fault_word("MMFAR", SCB_MMFAR);
	fault_word("BFAR", SCB_BFAR);
	fault_word("sp", (uintptr_t)frame);
	if (frame < ld_stack_bottom || frame + 8 > ld_stack_top)
		board_log(": stack overflow");
	else
		for (unsigned int i = 0; i < 8; i++)
			fault_word(words[i], frame[i]);
	board_putc('\n');
	board_halt();
}

/* -- memory protection and caches ---------------------------------------------------------- */

static void protect_region(unsigned int n, uint32_t base, unsigned int log2)
{
	MPU_RBAR = base | MPU_RBAR_VALID | n;
	MPU_RASR = MPU_RASR_XN | MPU_RASR_SIZE(log2) | MPU_RASR_ENABLE;
}

/*
 * No access to ITCM, which nobody uses, so that null pointers are found out; nor to where
 * external memory would be, which the processor must not read ahead from: there is no clock.
 * All else is as the default map has it: RAM cached, peripherals not.
 */
static void protect(void)
{
	protect_region(0, 0, 14);
	protect_region(1, 0x60000000u, 29);
	protect_region(2, 0x80000000u, 29);
	MPU_CTRL = MPU_CTRL_PRIVDEFENA | MPU_CTRL_ENABLE;
	SCB_SHCSR |= SCB_SHCSR_FAULTS;
	cpu_barrier();
}

/* What the caches hold after a reset is undefined. */
static void caches_on(void)
{
	uint32_t size, sets, ways;

	SCB_ICIALLU = 0;
	cpu_barrier();
	SCB_CSSELR = 0;
	cpu_barrier();
	size = SCB_CCSIDR;
	sets = (size >> 13) & 0x7fff;
	ways = (size >> 3) & 0x3ff;
	/* Lines of 32 bytes; 4 ways, whose number is at the top */
	for (uint32_t set = 0; set <= sets; set++) {
		for (uint32_t way = 0; way <= ways; way++)
			SCB_DCISW = way << 30 | set << 5;
	}
	cpu_barrier();
	SCB_CCR |= SCB_CCR_IC | SCB_CCR_DC | SCB_CCR_DIV_0_TRP;
	cpu_barrier();
}

/* -- memory --------------------------------------------------------------------------------- */

static void clear(uint32_t *from, const uint32_t *end)
{
	while (from < end)
		*from++ = 0;
}

static void stack_paint(void)
{
	uint32_t *here = __builtin_frame_address(0);

	/* Leaves what is in use now, this function's own part below the frame included. */
	for (uint32_t *p = ld_stack_bottom; p < here - 32; p++)
		*(volatile uint32_t *)p = STACK_PAINT;
}

uint32_t board_stack_used(void)
{
	const uint32_t *p = ld_stack_bottom;

	while (p < ld_stack_top && *p == STACK_PAINT)
		p++;
	return (uint32_t)(ld_stack_top - p) * 4;
}

static uint32_t bytes(const uint32_t *from, const uint32_t *end)
{
	return (uint32_t)(end - from) * 4;
}

uint32_t board_ram_static(void)
{
	return bytes(ld_stack_bottom, ld_stack_top) + bytes(ld_data_start, ld_data_end) +
	       bytes(ld_fast_bss_start, ld_fast_bss_end) + bytes(ld_bss_start, ld_bss_end);
}

_Noreturn void start(void)
{
	const uint32_t *load = ld_data_load;

	SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
	protect();
	caches_on();
	for (uint32_t *p = ld_data_start; p < ld_data_end;)
		*p++ = *load++;
	clear(ld_fast_bss_start, ld_fast_bss_end);
	clear(ld_bss_start, ld_bss_end);
	stack_paint();
	main();
	board_halt();
}
