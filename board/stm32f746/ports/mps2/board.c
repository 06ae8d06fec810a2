// SPDX-License-Identifier: GPL-2.0
/*
 * Clock, console, sleep.
 */
#include "board.h"
#include "meter.h"
#include "mps2.h"
#include "stream.h"
#include "usb/dcd.h"
#include "usbredir.h"

/*
 * How long a sleep may be: there is no interrupt when something comes, so that it is
 * short while messages come, and doubles while none do.
 */
#define SLEEP_MIN	(MPS2_CLOCK / 8000)
#define SLEEP_MAX	(MPS2_CLOCK / 250)

/* The emulator's clock is the host's or counts instructions; ticks of it are never lost. */
uint32_t board_ms(void)
{
	static uint32_t before, rest, ms;
	uint32_t now = mps2_ticks();

	rest += now - before;
	before = now;
	ms += rest / (MPS2_CLOCK / 1000);
	rest %= MPS2_CLOCK / 1000;
	return ms;
}

enum usb_speed dcd_speed_max(void)
{
	return USB_SPEED_HIGH;
}

void mps2_sleep(uint32_t ticks)
{
	REG(SYST_RVR) = ticks;
	REG(SYST_CVR) = 0;
	REG(SYST_CSR) = SYST_RUN;
	__asm__ volatile("wfi" : : : "memory");
	REG(SYST_CSR) = 0;
}

void board_idle(void)
{
	static uint32_t ticks = SLEEP_MIN;

	bool busy = usbredir_busy();

	if (usbredir_gone())
		stream_exit();
	meter_stop();
	meter_idle(busy);
	if (busy)
		ticks = SLEEP_MIN;
	else if (ticks < SLEEP_MAX)
		ticks *= 2;
	mps2_sleep(ticks);
	meter_start();
}

void board_putc(char c)
{
	meter_stop();
	while (REG(UART_STATE) & UART_TX_FULL)
		;
	REG(UART_DATA) = c;
	meter_start();
}

_Noreturn void board_halt(void)
{
	stream_exit();
}

_Noreturn void mps2_main(void)
{
	REG(UART_BAUDDIV) = 16;
	REG(UART_CTRL) = UART_TX_ENABLE;
	REG(TIMER_CTRL) = TIMER_RUN;
	meter_init();
	board_run();
}
