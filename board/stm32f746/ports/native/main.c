// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware as a process: its bus is a socket, at which QEMU's usb-redir device
 * (or another that speaks that protocol) plugs it in.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "native.h"
#include "usb/dcd.h"

#define IDLE_MS 5

static const char usage[] =
	"usage: board -s SOCKET [-f]\n"
	"\n"
	"The board's firmware as a process.  It listens at SOCKET for one peer at a time that\n"
	"speaks usbredir, for example\n"
	"\n"
	"  qemu-system-x86_64 ... -device qemu-xhci \\\n"
	"      -chardev socket,id=board,path=SOCKET -device usb-redir,chardev=board\n"
	"\n"
	"  -s SOCKET   a path\n"
	"  -f          be a full speed device, not a high speed one\n"
	"\n"
	"The firmware's console is the standard output.\n";

static enum usb_speed speed = USB_SPEED_HIGH;

enum usb_speed dcd_speed_max(void)
{
	return speed;
}

static uint32_t started;

uint32_t board_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000u + now.tv_nsec / 1000000 - started;
}

void board_idle(void)
{
	line_wait(parser_has_output(), IDLE_MS);
}

void board_putc(char c)
{
	putchar(c);
}

_Noreturn void board_halt(void)
{
	exit(EXIT_FAILURE);
}

uint32_t board_stack_used(void)
{
	return 0;
}

uint32_t board_ram_static(void)
{
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "s:fh", options, NULL)) !=
	       -1) {
		switch (option) {
		case 's':
			path = optarg;
			break;
		case 'f':
			speed = USB_SPEED_FULL;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (!path || optind < argc) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	line_listen(path);
	started = board_ms();
	board_run();
}
