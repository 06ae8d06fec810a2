// SPDX-License-Identifier: GPL-2.0
/*
 * Print counters: for people with or without rates, and as JSON
 */
#include <string.h>

#include "common.h"
#include "counters.h"

static const char *const titles[NR_GROUPS] = {
	[GROUP_SOCKETS] = "Sockets",
	[GROUP_SENDS] = "Sends",
	[GROUP_PAGES] = "Pages",
	[GROUP_FALLBACKS] = "Copied instead of lent, because of",
	[GROUP_OTHER] = "Other",
};

/**
 * struct period - what the rates are about
 * @before: the counters at its beginning
 * @seconds: its length
 */
struct period {
	const struct counters *before;
	double seconds;
};

/* A counter that went down belongs to a module that was loaded again. */
static double rate(const struct counter *counter, const struct period *period)
{
	unsigned long long before = counters_get(period->before, counter->name);

	if (before > counter->value)
		before = 0;
	if (period->seconds <= 0)
		return 0;
	return (counter->value - before) / period->seconds;
}

static double rate_of(const struct counters *now, const char *name,
		      const struct period *period)
{
	unsigned int i;

	for (i = 0; i < now->nr; i++)
		if (!strcmp(now->counter[i].name, name))
			return rate(&now->counter[i], period);
	return 0;
}

static double percent(double part, double rest)
{
	return part + rest > 0 ? 100 * part / (part + rest) : 0;
}

static int name_width(const struct counters *now)
{
	int width = 14; /* PagesProtected */
	unsigned int i;

	for (i = 0; i < now->nr; i++)
		if ((int)strlen(now->counter[i].name) > width)
			width = strlen(now->counter[i].name);
	return width;
}

static int value_width(const struct counters *now)
{
	int width = 10, this;
	unsigned int i;

	for (i = 0; i < now->nr; i++) {
		this = snprintf(NULL, 0, "%llu", now->counter[i].value);
		if (this > width)
			width = this;
	}
	return width;
}

static void print_rate(FILE *out, const struct counter *counter,
		       const struct counter_info *info,
		       const struct period *period)
{
	double r = rate(counter, period);

	if (info->kind == KIND_LEVEL)
		fprintf(out, "%16s", "");
	else if (info->kind == KIND_BYTES)
		fprintf(out, "%11.1f MB/s", r / 1e6);
	else
		fprintf(out, "%13.*f /s", r < 100 ? 1 : 0, r);
}

/* Without @period there is no column of rates. */
static void print_group(FILE *out, const struct counters *now,
			enum counter_group group, const struct period *period,
			bool all)
{
	int names = name_width(now), values = value_width(now);
	const struct counter_info *info;
	const struct counter *counter;
	bool titled = false;
	unsigned int i;

	for (i = 0; i < now->nr; i++) {
		counter = &now->counter[i];
		info = counter_info(counter->name);
		if (info->group != group || !(counter->value || all))
			continue;
		if (!titled)
			fprintf(out, "%s\n", titles[group]);
		titled = true;
		fprintf(out, "  %-*s  %*llu", names, counter->name, values,
			counter->value);
		if (period)
			print_rate(out, counter, info, period);
		fprintf(out, "%s%s\n", *info->text ? "  " : "", info->text);
	}
}

static void print_groups(FILE *out, const struct counters *now,
			 const struct period *period, bool all)
{
	int group;

	for (group = 0; group < NR_GROUPS; group++)
		print_group(out, now, group, period, all);
}

static void print_total(FILE *out, const struct counters *now)
{
	double lent = counters_get(now, "BytesLent");
	double copied = counters_get(now, "BytesCopied");

	fprintf(out, "In all: lent %.1f MB, copied %.1f MB, %.1f %% lent\n",
		lent / 1e6, copied / 1e6, percent(lent, copied));
}

void table_print(FILE *out, const struct counters *now, bool all)
{
	print_total(out, now);
	print_groups(out, now, NULL, all);
}

static void print_now(FILE *out, const struct counters *now,
		      const struct period *period)
{
	double lent = rate_of(now, "BytesLent", period);
	double copied = rate_of(now, "BytesCopied", period);

	fprintf(out, "Now:    lent %.1f MB/s, copied %.1f MB/s, %.1f %% lent, ",
		lent / 1e6, copied / 1e6, percent(lent, copied));
	fprintf(out, "%.0f pages/s\n", rate_of(now, "PagesLent", period));
}

void table_print_rates(FILE *out, const struct counters *now,
		       const struct counters *before, bool all)
{
	struct period period = { .before = before };

	period.seconds = now->when.tv_sec - before->when.tv_sec +
			 (now->when.tv_nsec - before->when.tv_nsec) / 1e9;
	print_now(out, now, &period);
	print_total(out, now);
	print_groups(out, now, &period, all);
}

/* The names need no quoting: see counters_read(). */
void json_print(FILE *out, const struct counters *now)
{
	unsigned int i;

	fputc('{', out);
	for (i = 0; i < now->nr; i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "",
			now->counter[i].name, now->counter[i].value);
	fputs("}\n", out);
}
