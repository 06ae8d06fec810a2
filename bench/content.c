// SPDX-License-Identifier: GPL-2.0
/* Bytes that tell where they belong. */
#include <string.h>

#include "content.h"

#define CHANGES (1ULL << 47)

static bool page_changes(const struct job *job, size_t at)
{
	switch (job->pattern) {
	case REWRITE:
	case FRESH:
		return true;
	case PART:
		return at / PAGE % PART_PAGES == 0;
	default:
		return false;
	}
}

/* What all bytes of a page have in common */
static uint64_t version(const struct job *job, uint64_t thread, uint64_t n,
			size_t at)
{
	uint64_t v = page_changes(job, at) ? CHANGES | n : n % job->buffers;

	return (thread << 48 | v) * 0x9e3779b97f4a7c15;
}

static uint64_t word(uint64_t version, size_t at)
{
	uint64_t w = (version + at % PACKET / 8) * 0xbf58476d1ce4e5b9;

	return w ^ w >> 29;
}

/* Bytes up to the next page, and no more than @len */
static size_t piece(size_t at, size_t len)
{
	size_t left = PAGE - at % PAGE;

	return left < len ? left : len;
}

static void fill_piece(uint64_t v, char *buf, size_t at, size_t len)
{
	uint64_t w;
	size_t n;

	for (; len; buf += n, at += n, len -= n) {
		w = word(v, at);
		n = 8 - at % 8;
		if (n > len)
			n = len;
		memcpy(buf, (char *)&w + at % 8, n);
	}
}

void content_fill(const struct job *job, uint64_t thread, uint64_t n, char *buf,
		  size_t at, size_t len, bool whole)
{
	size_t part;

	for (; len; buf += part, at += part, len -= part) {
		part = piece(at, len);
		if (whole || page_changes(job, at))
			fill_piece(version(job, thread, n, at), buf, at, part);
	}
}

static size_t check_piece(uint64_t v, const char *buf, size_t at, size_t len)
{
	size_t n, i, done;
	uint64_t w, is;

	for (done = 0; done < len; done += n) {
		w = word(v, at + done);
		n = 8 - (at + done) % 8;
		if (n > len - done)
			n = len - done;
		if (n == 8) {
			memcpy(&is, buf + done, 8);
			if (is == w)
				continue;
		}
		for (i = 0; i < n; i++)
			if (buf[done + i] != ((char *)&w)[(at + done + i) % 8])
				return done + i;
	}
	return len;
}

size_t content_check(const struct job *job, uint64_t thread, uint64_t n,
		     const char *buf, size_t at, size_t len)
{
	size_t part, right, done;

	for (done = 0; done < len; done += part) {
		part = piece(at + done, len - done);
		right = check_piece(version(job, thread, n, at + done),
				    buf + done, at + done, part);
		if (right < part)
			return done + right;
	}
	return len;
}
