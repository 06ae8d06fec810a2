/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the portable firmware and a port have of each other, beside the controller
 * (usb/dcd.h).
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* -- a port's ------------------------------------------------------------------------- */

/* Milliseconds since the start; wraps. */
uint32_t board_ms(void);

/* Sleeps until there is something for dcd_poll() to do, a few milliseconds at most. */
void board_idle(void);

/* One character to the console, '\n' as the console wants it. */
void board_putc(char c);

/* The end: nothing but a reset brings it back. */
_Noreturn void board_halt(void);

/* Bytes of the stack that have been in use at most; 0 where a port does not know. */
uint32_t board_stack_used(void);

/* Bytes of RAM that the linker has given away: data, bss and the stack; 0 likewise. */
uint32_t board_ram_static(void);

/* -- the portable part's -------------------------------------------------------------- */

/* Small printf to the console: %s, %c, %d, %u and %x with width and 0, %%. */
void board_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why, then board_halt(). */
_Noreturn void board_fail(const char *why);

/* Sets everything up and serves for ever; the port's main() calls it when dcd_init() can run. */
_Noreturn void board_run(void);

#endif /* BOARD_H */
