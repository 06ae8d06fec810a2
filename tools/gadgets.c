// SPDX-License-Identifier: GPL-2.0
/*
 * A table of the gadgets that there are, with a row for each RNDIS function
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gadgetfs.h"
#include "gadgets.h"
#include "grid.h"
#include "netif.h"

static const struct grid_column columns[] = {
	{ "GADGET", true }, { "UDC", true },	  { "STATE", true },
	{ "SPEED", true },  { "FUNCTION", true }, { "INTERFACE", true },
	{ "NETNS", true },  { "DEV-ADDR", true }, { "HOST-ADDR", true },
};

/* One word; "not attached" is one of the kernel's. */
static void add_word(struct grid *grid, char *value)
{
	char *c;

	for (c = value; *c; c++)
		if ((unsigned char)*c <= ' ')
			*c = '-';
	grid_add(grid, "%s", *value ? value : "-");
}

static void add_udc_value(struct grid *grid, const char *udc,
			  const char *attribute)
{
	char value[GADGET_VALUE_SIZE] = "";

	if (*udc && udc_read(udc, attribute, value))
		snprintf(value, sizeof(value), "?");
	add_word(grid, value);
}

/* Before it is bound for the first time there is just a pattern for its name. */
static bool is_ifname(const char *ifname)
{
	return *ifname && !strpbrk(ifname, "%( ");
}

static bool is_in(const char *netns, const char *ifname, const char *mac)
{
	char path[PATH_MAX];
	bool has;
	int fd;

	fd = netns_open(netns, path, sizeof(path));
	if (fd < 0)
		return false;
	has = netns_has(fd, ifname, mac);
	close(fd);
	return has;
}

/* "-": in our own; "?": in none that has a name, or that we may look into */
static void find_netns(const char *ifname, const char *mac, char *netns)
{
	struct dirent *entry;
	DIR *dir;

	snprintf(netns, GADGET_VALUE_SIZE, "-");
	if (!is_ifname(ifname) || netns_has(NETNS_OWN, ifname, mac))
		return;
	snprintf(netns, GADGET_VALUE_SIZE, "?");
	dir = opendir(NETNS_DIR);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.' || !is_in(entry->d_name, ifname, mac))
			continue;
		snprintf(netns, GADGET_VALUE_SIZE, "%s", entry->d_name);
		break;
	}
	closedir(dir);
}

static void read_of(const char *name, const char *instance,
		    const char *attribute, char *value)
{
	if (gadgetfs_read_of(name, instance, attribute, value))
		*value = '\0';
}

static void add_row(struct grid *grid, const char *name, const char *instance)
{
	char udc[GADGET_VALUE_SIZE], ifname[GADGET_VALUE_SIZE];
	char dev[GADGET_VALUE_SIZE], host[GADGET_VALUE_SIZE];
	char word[GADGET_VALUE_SIZE], netns[GADGET_VALUE_SIZE];

	if (gadgetfs_read(name, "UDC", udc))
		*udc = '\0';
	read_of(name, instance, "ifname", ifname);
	read_of(name, instance, "dev_addr", dev);
	read_of(name, instance, "host_addr", host);
	find_netns(ifname, dev, netns);
	if (!is_ifname(ifname))
		*ifname = '\0';
	snprintf(word, sizeof(word), "%s", name);
	add_word(grid, word);
	snprintf(word, sizeof(word), "%s", udc);
	add_word(grid, word);
	add_udc_value(grid, udc, "state");
	add_udc_value(grid, udc, "current_speed");
	snprintf(word, sizeof(word), "%s", instance);
	add_word(grid, word);
	add_word(grid, ifname);
	add_word(grid, netns);
	add_word(grid, dev);
	add_word(grid, host);
}

static int is_rndis(const struct dirent *entry)
{
	const char *dot = strchr(entry->d_name, '.');
	size_t len = dot ? dot - entry->d_name : 0;

	return (len == strlen(FUNCTION_STOCK) &&
		!strncmp(entry->d_name, FUNCTION_STOCK, len)) ||
	       (len == strlen(FUNCTION_LOAN) &&
		!strncmp(entry->d_name, FUNCTION_LOAN, len));
}

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static void add_gadget(struct grid *grid, const char *name)
{
	struct dirent **entry;
	char path[PATH_MAX];
	int i, nr;

	snprintf(path, sizeof(path), GADGETS_PATH "/%s/functions", name);
	nr = scandir(path, &entry, is_rndis, alphasort);
	for (i = 0; i < nr; i++) {
		add_row(grid, name, entry[i]->d_name);
		free(entry[i]);
	}
	if (nr >= 0)
		free(entry);
}

/* Returns 0, or -1 and the user knows. */
int gadgets_print(void)
{
	struct grid grid = { .column = columns,
			     .nr_columns = ARRAY_SIZE(columns) };
	struct dirent **entry;
	int i, nr;

	nr = scandir(GADGETS_PATH, &entry, is_visible, alphasort);
	if (nr < 0 && errno != ENOENT) {
		warn(GADGETS_PATH);
		return -1;
	}
	for (i = 0; i < nr; i++) {
		add_gadget(&grid, entry[i]->d_name);
		free(entry[i]);
	}
	if (nr >= 0)
		free(entry);
	if (grid.nr_cells)
		grid_print(&grid, stdout);
	else
		warnx("there is no gadget with an RNDIS function");
	return 0;
}
