// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's one loop.
 */
#include "board.h"
#include "lwip/timeouts.h"
#include "net/net.h"
#include "services/services.h"
#include "usb/core.h"

_Noreturn void board_run(void)
{
	uint32_t now, before = board_ms();

	net_init();
	services_init();
	usb_init();
	board_log("sockloan board: ready\n");
	for (;;) {
		bool any = dcd_poll();

		any |= net_rx_poll();
		now = board_ms();
		if (now != before) {
			before = now;
			sys_check_timeouts();
		}
		if (!any)
			board_idle();
	}
}
