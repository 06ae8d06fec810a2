// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator's standard input and output, by semihosting calls.  The machine's
 * UARTs would do, but the emulator hands over one character at a time between two
 * threads: 10 KB/s on a busy machine, where this is 13 MB/s.  What has started the
 * emulator has made input and output not wait.
 */
#include <stddef.h>

#include "mps2.h"
#include "stream.h"

enum {
	SYS_OPEN = 0x01,
	SYS_WRITE = 0x05,
	SYS_READ = 0x06,
	SYS_EXIT = 0x18,
};

#define MODE_READ	0
#define MODE_WRITE	4
#define EXIT_REASON	0x20026		/* ADP_Stopped_ApplicationExit */

static int32_t input, output;

static int32_t semihost(uint32_t call, const void *arguments)
{
	register uint32_t r0 __asm__("r0") = call;
	register const void *r1 __asm__("r1") = arguments;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

static int32_t open_console(uint32_t mode)
{
	const uint32_t arguments[] = { (uint32_t)":tt", mode, 3 };

	return semihost(SYS_OPEN, arguments);
}

void stream_open(void)
{
	input = open_console(MODE_READ);
	output = open_console(MODE_WRITE);
}

/*
 * The emulator tells neither from nothing to read, or no room, that the peer has gone;
 * what has started it switches the machine off then.
 */
int32_t stream_read(void *to, uint32_t len)
{
	const uint32_t arguments[] = { input, (uint32_t)to, len };
	int32_t missing = semihost(SYS_READ, arguments);

	return missing < 0 ? 0 : (int32_t)len - missing;
}

bool stream_write(const void *from, uint32_t len)
{
	uint32_t arguments[] = { output, (uint32_t)from, len };

	while (arguments[2]) {
		int32_t missing = semihost(SYS_WRITE, arguments);

		if (missing < 0 || (uint32_t)missing == arguments[2]) {
			mps2_sleep(MPS2_CLOCK / 1000);
			continue;
		}
		arguments[1] += arguments[2] - missing;
		arguments[2] = missing;
	}
	return true;
}

_Noreturn void stream_exit(void)
{
	for (;;)
		semihost(SYS_EXIT, (const void *)EXIT_REASON);
}
