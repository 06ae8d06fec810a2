// SPDX-License-Identifier: GPL-2.0
/*
 * USB gadgets, as configfs has them: a directory for each, which is made and
 * removed piece by piece
 *
 *   NAME/strings/0x409
 *   NAME/functions/FUNCTION.0
 *   NAME/configs/c.1/strings/0x409
 *   NAME/configs/c.1/FUNCTION.0     a link: has this function
 *   NAME/os_desc/c.1                a link: is the one to describe to Windows
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "common.h"
#include "gadgetfs.h"
#include "netif.h"

#define CONFIGFS_PATH "/sys/kernel/config"
#define MANUFACTURER "sockloan"
#define CONFIG "configs/c.1"
#define STRINGS "strings/0x409" /* English (US) */
#define CONFIG_STRINGS CONFIG "/" STRINGS
#define OS_DESC_CONFIG "os_desc/c.1"

/* Below a function, a configuration or a gadget; names of ours are short. */
#define PIECE_SIZE 128

#ifndef CONFIGFS_MAGIC
#define CONFIGFS_MAGIC 0x62656570
#endif

static const char *const functions[] = { FUNCTION_LOAN, FUNCTION_STOCK };

static int gadget_path(char *path, size_t size, const char *name,
		       const char *piece)
{
	int len = snprintf(path, size, GADGETS_PATH "/%s/%s", name, piece);

	if (len < (int)size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int load_module(const char *module)
{
	char *argv[] = { "modprobe", "-q", (char *)module, NULL };
	char path[PIECE_SIZE];
	int ret;

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (!access(path, F_OK))
		return 0;
	ret = run_program(argv, NETNS_OWN);
	if (ret < 0)
		warn("modprobe");
	return ret;
}

static int load_function(const char *function)
{
	char module[PIECE_SIZE];

	snprintf(module, sizeof(module), "usb_f_%s", function);
	if (!load_module(module))
		return 0;
	if (!strcmp(function, FUNCTION_LOAN))
		warnx("cannot load %s: is it built and installed for this kernel? ('-f %s' takes the kernel's own)",
		      module, FUNCTION_STOCK);
	else
		warnx("cannot load %s: this kernel has none (CONFIG_USB_CONFIGFS_RNDIS)",
		      module);
	return -1;
}

static int mount_configfs(bool *mounted)
{
	struct statfs fs;

	if (!statfs(CONFIGFS_PATH, &fs) && fs.f_type == CONFIGFS_MAGIC)
		return 0;
	if (mount("configfs", CONFIGFS_PATH, "configfs",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		warn("cannot mount configfs at " CONFIGFS_PATH);
		return -1;
	}
	*mounted = true;
	return 0;
}

/*
 * What has to be there before a gadget.  @mounted: configfs was not and now is.
 * Returns 0, or -1 and the user knows.
 */
int gadgetfs_begin(const char *function, bool *mounted)
{
	if (load_module("libcomposite")) {
		warnx("cannot load libcomposite: this kernel has no USB gadgets (CONFIG_USB_LIBCOMPOSITE)");
		return -1;
	}
	if (mount_configfs(mounted))
		return -1;
	if (access(GADGETS_PATH, F_OK)) {
		warn(GADGETS_PATH);
		return -1;
	}
	return load_function(function);
}

void gadgetfs_unmount(void)
{
	if (umount2(CONFIGFS_PATH, UMOUNT_NOFOLLOW))
		warn("cannot unmount " CONFIGFS_PATH);
}

bool gadgetfs_exists(const char *name)
{
	char path[PATH_MAX];

	return !gadget_path(path, sizeof(path), name, "") &&
	       !access(path, F_OK);
}

/* GADGET_VALUE_SIZE; returns 0, or -1 with errno: an empty one is ENODATA. */
int gadgetfs_read(const char *name, const char *attribute, char *value)
{
	char path[PATH_MAX];

	if (gadget_path(path, sizeof(path), name, attribute))
		return -1;
	return read_line(path, value, GADGET_VALUE_SIZE);
}

/* @instance: of a function, as "rndis.0" */
int gadgetfs_read_of(const char *name, const char *instance,
		     const char *attribute, char *value)
{
	char piece[PATH_MAX];

	snprintf(piece, sizeof(piece), "functions/%s/%s", instance, attribute);
	return gadgetfs_read(name, piece, value);
}

static int write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int error;

	if (fd < 0)
		return -1;
	written = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return written < 0 ? -1 : 0;
}

static int set(const char *name, const char *attribute, const char *value)
{
	char path[PATH_MAX];

	if (!gadget_path(path, sizeof(path), name, attribute) &&
	    !write_value(path, value))
		return 0;
	warn("gadget '%s': cannot set %s to %s", name, attribute, value);
	return -1;
}

static int make_dir(const char *name, const char *piece)
{
	char path[PATH_MAX];

	if (!gadget_path(path, sizeof(path), name, piece) && !mkdir(path, 0755))
		return 0;
	warn("gadget '%s': cannot make %s", name, piece);
	return -1;
}

static int make_link(const char *name, const char *from, const char *to)
{
	char path[PATH_MAX], target[PATH_MAX];

	if (!gadget_path(path, sizeof(path), name, from) &&
	    !gadget_path(target, sizeof(target), name, to) &&
	    !symlink(target, path))
		return 0;
	warn("gadget '%s': cannot link %s to %s", name, from, to);
	return -1;
}

/**
 * struct attribute - what a file of a gadget is set to
 * @file: its path
 * @value: NULL leaves it
 */
struct attribute {
	const char *file;
	const char *value;
};

static int set_all(const char *name, const struct attribute *attributes,
		   size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (attributes[i].value &&
		    set(name, attributes[i].file, attributes[i].value))
			return -1;
	return 0;
}

static int make_device(const char *name)
{
	/* The class is that of devices whose interfaces belong together. */
	static const struct attribute attributes[] = {
		{ "idVendor", "0x1d6b" },
		{ "idProduct", "0x0104" },
		{ "bcdDevice", "0x0100" },
		{ "bcdUSB", "0x0200" },
		{ "bDeviceClass", "0xef" },
		{ "bDeviceSubClass", "0x02" },
		{ "bDeviceProtocol", "0x01" },
		{ "os_desc/b_vendor_code", "0xcd" },
		{ "os_desc/qw_sign", "MSFT100" },
		{ "os_desc/use", "1" },
	};

	return set_all(name, attributes, ARRAY_SIZE(attributes));
}

/* @piece: of the function, or "" */
static void function_path(char *path, const char *function, const char *piece)
{
	snprintf(path, PIECE_SIZE, "functions/%s.0/%s", function, piece);
}

static int make_function(const struct gadget *gadget)
{
	char instance[PIECE_SIZE];
	char dev[PIECE_SIZE], host[PIECE_SIZE], id[PIECE_SIZE], sub[PIECE_SIZE];
	const struct attribute attributes[] = {
		{ dev, gadget->dev_addr },
		{ host, gadget->host_addr },
		{ id, "RNDIS" },
		{ sub, "5162001" },
	};

	function_path(instance, gadget->function, "");
	function_path(dev, gadget->function, "dev_addr");
	function_path(host, gadget->function, "host_addr");
	function_path(id, gadget->function,
		      "os_desc/interface.rndis/compatible_id");
	function_path(sub, gadget->function,
		      "os_desc/interface.rndis/sub_compatible_id");
	if (make_dir(gadget->name, instance))
		return -1;
	return set_all(gadget->name, attributes, ARRAY_SIZE(attributes));
}

/* The kernel's own has no such file: its interface is told, when there is one. */
static int set_mtu(const struct gadget *gadget)
{
	char mtu[PIECE_SIZE], path[PATH_MAX], value[16];

	function_path(mtu, gadget->function, "mtu");
	if (!gadget->mtu ||
	    gadget_path(path, sizeof(path), gadget->name, mtu) ||
	    access(path, F_OK))
		return 0;
	snprintf(value, sizeof(value), "%d", gadget->mtu);
	return set(gadget->name, mtu, value);
}

static void remove_colons(char *text)
{
	char *to = text;

	do {
		if (*text != ':')
			*to++ = *text;
	} while (*text++);
}

/*
 * Two of the same serial number are one to Windows: the host's hardware address
 * is one of its own.
 */
static int make_strings(const char *name, const char *function)
{
	char host[PIECE_SIZE], serial[GADGET_VALUE_SIZE];
	const struct attribute attributes[] = {
		{ STRINGS "/manufacturer", MANUFACTURER },
		{ STRINGS "/product", "Network interface" },
		{ STRINGS "/serialnumber", serial },
	};

	function_path(host, function, "host_addr");
	if (gadgetfs_read(name, host, serial)) {
		warn("gadget '%s': cannot read %s", name, host);
		return -1;
	}
	remove_colons(serial);
	if (make_dir(name, STRINGS))
		return -1;
	return set_all(name, attributes, ARRAY_SIZE(attributes));
}

static int make_config(const char *name, const char *function)
{
	static const struct attribute attributes[] = {
		{ CONFIG "/MaxPower", "250" },
		{ CONFIG_STRINGS "/configuration", "RNDIS" },
	};
	char link[PIECE_SIZE], instance[PIECE_SIZE];

	function_path(instance, function, "");
	snprintf(link, sizeof(link), CONFIG "/%s.0", function);
	if (make_dir(name, CONFIG) || make_dir(name, CONFIG_STRINGS) ||
	    set_all(name, attributes, ARRAY_SIZE(attributes)) ||
	    make_link(name, link, instance))
		return -1;
	return make_link(name, OS_DESC_CONFIG, CONFIG);
}

/*
 * All but the binding.  @made: there is something to remove, even if it failed.
 * Returns 0, or -1 and the user knows.
 */
int gadgetfs_make(const struct gadget *gadget, bool *made)
{
	char path[PATH_MAX];

	if (gadget_path(path, sizeof(path), gadget->name, "") ||
	    mkdir(path, 0755)) {
		warn("cannot make the gadget '%s'", gadget->name);
		return -1;
	}
	*made = true;
	if (make_device(gadget->name) || make_function(gadget) ||
	    set_mtu(gadget) || make_strings(gadget->name, gadget->function))
		return -1;
	return make_config(gadget->name, gadget->function);
}

int gadgetfs_bind(const struct gadget *gadget, const char *udc)
{
	char path[PATH_MAX];

	if (!gadget_path(path, sizeof(path), gadget->name, "UDC") &&
	    !write_value(path, udc))
		return 0;
	warn("cannot bind the gadget '%s' to %s", gadget->name, udc);
	return -1;
}

static bool is_function_of_ours(const char *entry)
{
	char instance[PIECE_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		snprintf(instance, sizeof(instance), "%s.0", functions[i]);
		if (!strcmp(entry, instance))
			return true;
	}
	return false;
}

static bool is_config_of_ours(const char *entry)
{
	return !strcmp(entry, "c.1");
}

static bool has_only(const char *name, const char *piece,
		     bool (*ours)(const char *entry))
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool only = true;
	DIR *dir;

	if (gadget_path(path, sizeof(path), name, piece))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (only && (entry = readdir(dir)))
		only = *entry->d_name == '.' || ours(entry->d_name);
	closedir(dir);
	return only;
}

/* What somebody else has built, or added to, is not for us to remove. */
bool gadgetfs_is_ours(const char *name)
{
	char manufacturer[GADGET_VALUE_SIZE];

	if (!has_only(name, "functions", is_function_of_ours) ||
	    !has_only(name, "configs", is_config_of_ours))
		return false;
	return gadgetfs_read(name, STRINGS "/manufacturer", manufacturer) ||
	       !*manufacturer || !strcmp(manufacturer, MANUFACTURER);
}

/* What is not there any more is no error. */
static int drop(const char *name, const char *piece,
		int (*drop_path)(const char *path))
{
	char path[PATH_MAX];

	if (!gadget_path(path, sizeof(path), name, piece) &&
	    (!drop_path(path) || errno == ENOENT))
		return 0;
	warn("gadget '%s': cannot remove %s", name, *piece ? piece : "it");
	return -1;
}

static int drop_function_links(const char *name)
{
	char link[PIECE_SIZE];
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		snprintf(link, sizeof(link), CONFIG "/%s.0", functions[i]);
		ret |= drop(name, link, unlink);
	}
	return ret;
}

static int drop_functions(const char *name)
{
	char instance[PIECE_SIZE];
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		function_path(instance, functions[i], "");
		ret |= drop(name, instance, rmdir);
	}
	return ret;
}

/*
 * All of it, however much there is.  Returns 0, or -1 after telling the user
 * what is left.
 */
int gadgetfs_remove(const char *name)
{
	char path[PATH_MAX], udc[GADGET_VALUE_SIZE];

	if (!gadgetfs_read(name, "UDC", udc) && *udc &&
	    !gadget_path(path, sizeof(path), name, "UDC") &&
	    write_value(path, "\n") && errno != ENODEV)
		warn("gadget '%s': cannot take it from %s", name, udc);
	if (drop(name, OS_DESC_CONFIG, unlink) || drop_function_links(name) ||
	    drop(name, CONFIG_STRINGS, rmdir) || drop(name, CONFIG, rmdir) ||
	    drop_functions(name) || drop(name, STRINGS, rmdir))
		return -1;
	return drop(name, "", rmdir);
}
