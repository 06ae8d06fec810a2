// SPDX-License-Identifier: GPL-2.0
/*
 * A small printf: into memory for the status page, and to the console.
 */
#include <stdarg.h>

#include "board.h"
#include "text.h"

struct text {
	char *at;
	char *end;
	uint32_t len;
};

static void put(struct text *text, char c)
{
	text->len++;
	if (!text->end)
		board_putc(c);
	else if (text->at < text->end)
		*text->at++ = c;
}

static void put_number(struct text *text, uint32_t value, unsigned int base,
		       int width, char fill)
{
	char digits[10];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (width-- > n)
		put(text, fill);
	while (n)
		put(text, digits[--n]);
}

static void put_string(struct text *text, const char *s, int width)
{
	for (; *s; s++, width--)
		put(text, *s);
	while (width-- > 0)
		put(text, ' ');
}

/* One conversion, at the character behind its '%'. Returns where it ends. */
static const char *convert(struct text *text, const char *format, va_list *args)
{
	char fill = ' ';
	int width = 0, value;

	if (*format == '-')
		format++;
	if (*format == '0')
		fill = *format++;
	for (; *format >= '0' && *format <= '9'; format++)
		width = width * 10 + *format - '0';

	switch (*format) {
	case 's':
		put_string(text, va_arg(*args, const char *), width);
		break;
	case 'c':
		put(text, va_arg(*args, int));
		break;
	case 'd':
		value = va_arg(*args, int);
		if (value < 0)
			put(text, '-');
		put_number(text, value < 0 ? -(uint32_t)value : (uint32_t)value,
			   10, width, fill);
		break;
	case 'u':
		put_number(text, va_arg(*args, unsigned int), 10, width, fill);
		break;
	case 'x':
		put_number(text, va_arg(*args, unsigned int), 16, width, fill);
		break;
	default:
		put(text, *format);
		break;
	}
	return format;
}

static void print(struct text *text, const char *format, va_list *args)
{
	for (; *format; format++) {
		if (*format != '%') {
			put(text, *format);
			continue;
		}
		format = convert(text, format + 1, args);
		if (!*format)
			break;
	}
}

void board_log(const char *format, ...)
{
	struct text text = { 0 };
	va_list args;

	va_start(args, format);
	print(&text, format, &args);
	va_end(args);
}

uint32_t text_add(char *to, uint32_t at, uint32_t size, const char *format, ...)
{
	struct text text = { to + at, to + size, 0 };
	va_list args;

	if (at >= size)
		return size;
	va_start(args, format);
	print(&text, format, &args);
	va_end(args);
	return text.len < size - at ? at + text.len : size;
}

_Noreturn void board_fail(const char *why)
{
	board_log("%s\n", why);
	board_halt();
}
