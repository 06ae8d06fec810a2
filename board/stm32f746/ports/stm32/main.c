// SPDX-License-Identifier: GPL-2.0
/*
 * The STM32F746 Discovery.  The port's main(), and what the portable firmware asks of it:
 * time, sleep, the console (the ST-LINK's serial port, 115200 baud).
 *
 *	start.c		vector table, faults, memory protection, caches, RAM
 *	clock.c		216 MHz from the crystal; pins
 *	otg*.c		the USB controller, see otg.h
 *	stm32f746.ld	which memory holds what
 */
#include "board.h"
#include "otg.h"

#define CONSOLE_BAUD 115200u

static volatile uint32_t milliseconds;

void systick_interrupt(void)
{
	milliseconds++;
}

uint32_t board_ms(void)
{
	return milliseconds;
}

/* An interrupt that comes after the question wakes the processor all the same. */
void board_idle(void)
{
	cpu_interrupts_off();
	if (otg_idle())
		cpu_wait();
	cpu_interrupts_on();
}

/* On the ST-LINK's serial port: PA9 sends; PB7 would receive. */
void console_init(void)
{
	static const struct pin pins[] = { { GPIO_A, 9 }, { GPIO_B, 7 } };

	pins_init(pins, 2, GPIO_AF_USART1);
	RCC_APB2ENR |= RCC_APB2_USART1;
	(void)RCC_APB2ENR;
	USART1_BRR = (APB2_HZ + CONSOLE_BAUD / 2) / CONSOLE_BAUD;
	USART1_CR1 = USART_CR1_UE | USART_CR1_TE;
}

static void console_put(char c)
{
	while (!(USART1_ISR & USART_ISR_TXE))
		;
	USART1_TDR = (uint8_t)c;
}

void board_putc(char c)
{
	if (c == '\n')
		console_put('\r');
	console_put(c);
}

_Noreturn void board_halt(void)
{
	cpu_interrupts_off();
	for (;;)
		cpu_wait();
}

int main(void)
{
	clock_init();
	console_init();
	SYST_RVR = CPU_HZ / 1000 - 1;
	SYST_CVR = 0;
	SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CPU;
	board_run();
}
