// SPDX-License-Identifier: GPL-2.0
/*
 * USB device controllers: the ends of a cable that a gadget can be bound to
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "gadgetfs.h"

/**
 * struct udcs - what there is
 * @nr: how many
 * @nr_free: of these without a gadget
 * @free: the last of these
 * @list: the names of all, and who has them
 */
struct udcs {
	int nr;
	int nr_free;
	char free[NAME_MAX + 1];
	char list[1024];
};

/* Returns 0, or -1 with errno; an empty one is ENODATA. */
int udc_read(const char *udc, const char *attribute, char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UDCS_PATH "/%s/%s", udc, attribute);
	return read_line(path, value, GADGET_VALUE_SIZE);
}

static bool is_udc(const char *udc)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), UDCS_PATH "/%s", udc);
	return !access(path, F_OK);
}

/* The name of its gadget or driver; false when it is free */
static bool user_of(const char *udc, char *user)
{
	return !udc_read(udc, "function", user) && *user;
}

static void add(struct udcs *udcs, const char *udc)
{
	size_t len = strlen(udcs->list);
	char *to = udcs->list + len;
	char user[GADGET_VALUE_SIZE];

	udcs->nr++;
	if (user_of(udc, user)) {
		snprintf(to, sizeof(udcs->list) - len, " %s (used by %s)", udc,
			 user);
		return;
	}
	udcs->nr_free++;
	snprintf(udcs->free, sizeof(udcs->free), "%s", udc);
	snprintf(to, sizeof(udcs->list) - len, " %s", udc);
}

static void read_udcs(struct udcs *udcs)
{
	struct dirent **entry;
	int i, nr;

	memset(udcs, 0, sizeof(*udcs));
	nr = scandir(UDCS_PATH, &entry, NULL, alphasort);
	for (i = 0; i < nr; i++) {
		if (*entry[i]->d_name != '.')
			add(udcs, entry[i]->d_name);
		free(entry[i]);
	}
	if (nr >= 0)
		free(entry);
}

static int choose_named(const struct udcs *udcs, const char *udc)
{
	char user[GADGET_VALUE_SIZE];

	if (!is_udc(udc))
		warnx("no USB device controller '%s'; there is:%s", udc,
		      udcs->list);
	else if (user_of(udc, user))
		warnx("'%s' is used by the gadget '%s'", udc, user);
	else
		return 0;
	return -1;
}

/*
 * The one that is @wanted (NULL: any, if just one is free) is named in @udc, of
 * NAME_MAX + 1 bytes.  Returns 0, or -1 after telling the user what there is.
 */
int udc_choose(const char *wanted, char *udc)
{
	struct udcs udcs;

	read_udcs(&udcs);
	if (!udcs.nr) {
		warnx("no USB device controller here ('modprobe dummy_hcd' makes one, with its host, to try it out)");
		return -1;
	}
	snprintf(udc, NAME_MAX + 1, "%s", wanted ? wanted : udcs.free);
	if (wanted)
		return choose_named(&udcs, wanted);
	if (udcs.nr_free == 1)
		return 0;
	if (udcs.nr_free)
		warnx("several USB device controllers, choose one with -u:%s",
		      udcs.list);
	else
		warnx("no USB device controller is free:%s", udcs.list);
	return -1;
}
