// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program that uses all ioctls, and compares the layout of their arguments.
 * Without a C library, which is not there for it everywhere.  layout.c starts it, with
 * the two sockets.
 *
 * Exits with 0; 1 to 199: the number, modulo 199, of a line of sl_caller.h; 200: the
 * layout.
 */
#include "../sl_caller.h"

#define EXIT 1

static const struct {
	uint32_t is, want;
} layout[] = {
#define SIZE(_struct, _size)                             \
	{                                                \
		sizeof(struct sockloan_##_struct), _size \
	}
#define FIELD(_struct, _field, _offset, _size)                             \
	{ offsetof(struct sockloan_##_struct, _field), _offset },          \
	{                                                                  \
		sizeof(((struct sockloan_##_struct *)NULL)->_field), _size \
	}
#include "../sl_layout.h"
};

static struct caller caller;

void *memset(void *to, int c, size_t n)
{
	volatile char *p = to;

	while (n--)
		*p++ = c;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	volatile char *p = to;
	const char *q = from;

	while (n--)
		*p++ = *q++;
	return to;
}

void _start(void)
{
	unsigned int i;
	int ret;

	ret = caller_run(&caller, caller_int80);
	if (ret)
		ret = 1 + ret % 199;
	for (i = 0; i < sizeof(layout) / sizeof(*layout); i++)
		if (layout[i].is != layout[i].want)
			ret = 200;
	caller_int80(EXIT, ret, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
