// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan gadget: a USB gadget that is a network interface to its host
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gadgetfs.h"
#include "gadgets.h"
#include "netif.h"

#define DEFAULT_NAME "sockloan"
#define MIN_MTU 68
#define MAX_MTU 65535

/**
 * struct up_options - the command line of "up"
 * @gadget: what to make
 * @udc: controller to bind it to, NULL for the only free one
 * @netns: namespace for the interface, NULL for none
 * @address: with the lengths of their prefixes
 * @nr_addresses: how many
 */
struct up_options {
	struct gadget gadget;
	const char *udc;
	const char *netns;
	char **address;
	size_t nr_addresses;
};

/**
 * struct up - what has been done so far
 * @options: what was asked for
 * @udc: the controller
 * @ifname: the interface
 * @netns: namespace that it goes to
 * @netns_path: its file
 * @mounted: so is configfs, by us
 * @made: there is a gadget, or a part of it
 */
struct up {
	const struct up_options *options;
	char udc[NAME_MAX + 1];
	char ifname[GADGET_VALUE_SIZE];
	int netns;
	char netns_path[PATH_MAX];
	bool mounted;
	bool made;
};

/* Returns PARSE_ON, or the status to exit with. */
static int check_name(const struct command *self, const char *name)
{
	if (*name && *name != '.' && !strchr(name, '/') &&
	    strlen(name) <= NAME_MAX)
		return PARSE_ON;
	return usage_error(self, "'%s' is no name for a gadget", name);
}

static bool is_address(const char *text)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned char binary[16];
	int length;

	if (!slash || slash - text >= (ptrdiff_t)sizeof(address) ||
	    parse_int(slash + 1, 0, &length))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (inet_pton(AF_INET, address, binary) == 1)
		return length <= 32;
	return inet_pton(AF_INET6, address, binary) == 1 && length <= 128;
}

static int add_address(const struct command *self, struct up_options *options,
		       char *text)
{
	if (!is_address(text))
		return usage_error(
			self,
			"'%s' is not ADDRESS/LEN, as 192.0.2.1/24 or 2001:db8::1/64",
			text);
	if (array_grow((void **)&options->address, options->nr_addresses,
		       sizeof(*options->address))) {
		warn(NULL);
		return STATUS_FAILURE;
	}
	options->address[options->nr_addresses++] = text;
	return PARSE_ON;
}

/* Of one interface, not of a group, and not 0 */
static int set_mac(const struct command *self, const char **to,
		   const char *text)
{
	unsigned int byte[6], sum = 0;
	int i, end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:") == 17 &&
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1],
		   &byte[2], &byte[3], &byte[4], &byte[5], &end) == 6 &&
	    end == 17 && !text[end]) {
		for (i = 0; i < 6; i++)
			sum |= byte[i];
		if (sum && !(byte[0] & 1)) {
			*to = text;
			return PARSE_ON;
		}
	}
	return usage_error(
		self,
		"'%s' is no hardware address of an interface, as 02:00:00:00:00:01",
		text);
}

static int set_mtu(const struct command *self, int *mtu, const char *text)
{
	if (parse_int(text, MIN_MTU, mtu) || *mtu > MAX_MTU)
		return usage_error(self, "'%s' is no MTU (%d to %d)", text,
				   MIN_MTU, MAX_MTU);
	return PARSE_ON;
}

static int set_function(const struct command *self, const char **to,
			const char *text)
{
	if (strcmp(text, FUNCTION_LOAN) && strcmp(text, FUNCTION_STOCK))
		return usage_error(self,
				   "'%s' is neither " FUNCTION_LOAN
				   " nor " FUNCTION_STOCK,
				   text);
	*to = text;
	return PARSE_ON;
}

static int set_word(const struct command *self, const char **to,
		    const char *text, const char *what)
{
	if (!*text)
		return usage_error(self, "%s without a name", what);
	*to = text;
	return PARSE_ON;
}

static int set_option(const struct command *self, struct up_options *options,
		      int c)
{
	switch (c) {
	case 'u':
		if (strchr(optarg, '/') || *optarg == '.')
			return usage_error(self, "'%s' is no controller",
					   optarg);
		return set_word(self, &options->udc, optarg, "a controller");
	case 'f':
		return set_function(self, &options->gadget.function, optarg);
	case 'n':
		options->gadget.name = optarg;
		return check_name(self, optarg);
	case 'a':
		return add_address(self, options, optarg);
	case 'N':
		return set_word(self, &options->netns, optarg, "a namespace");
	case 'm':
		return set_mtu(self, &options->gadget.mtu, optarg);
	case 'd':
		return set_mac(self, &options->gadget.dev_addr, optarg);
	case 'H':
		return set_mac(self, &options->gadget.host_addr, optarg);
	case 'h':
		fputs(self->usage, stdout);
		return STATUS_OK;
	default:
		return usage_error(self, NULL);
	}
}

static int no_more(const struct command *self, int argc, char **argv)
{
	if (optind < argc)
		return usage_error(self, "'%s' not expected here",
				   argv[optind]);
	return PARSE_ON;
}

static int parse_up(const struct command *self, struct up_options *options,
		    int argc, char **argv)
{
	static const struct option longs[] = {
		{ "udc", required_argument, NULL, 'u' },
		{ "function", required_argument, NULL, 'f' },
		{ "name", required_argument, NULL, 'n' },
		{ "address", required_argument, NULL, 'a' },
		{ "netns", required_argument, NULL, 'N' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "dev-addr", required_argument, NULL, 'd' },
		{ "host-addr", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "u:f:n:a:N:m:d:H:h", longs,
				NULL)) != -1) {
		status = set_option(self, options, c);
		if (status != PARSE_ON)
			return status;
	}
	return no_more(self, argc, argv);
}

static int parse_down(const struct command *self, const char **name, int argc,
		      char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "n:h", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			*name = optarg;
			status = check_name(self, optarg);
			if (status != PARSE_ON)
				return status;
			break;
		case 'h':
			fputs(self->usage, stdout);
			return STATUS_OK;
		default:
			return usage_error(self, NULL);
		}
	}
	return no_more(self, argc, argv);
}

/* The arguments of ip(8); returns 0, or -1 and the user knows. */
static int run_ip(int netns, char *const argv[])
{
	int status = run_program(argv, netns);
	size_t i;

	if (!status)
		return 0;
	if (status < 0 && errno == ENOENT) {
		warnx("there is no ip here: install the package iproute2");
	} else if (status < 0) {
		warn("ip");
	} else {
		fprintf(stderr, "sockloan: this failed:");
		for (i = 0; argv[i]; i++)
			fprintf(stderr, " %s", argv[i]);
		fputc('\n', stderr);
	}
	return -1;
}

/* The kernel has named it, and where it did that we have to be. */
static int find_interface(struct up *up)
{
	const struct gadget *gadget = &up->options->gadget;
	char instance[64], mac[GADGET_VALUE_SIZE];

	snprintf(instance, sizeof(instance), "%s.0", gadget->function);
	if (gadgetfs_read_of(gadget->name, instance, "ifname", up->ifname) ||
	    gadgetfs_read_of(gadget->name, instance, "dev_addr", mac)) {
		warn("gadget '%s': no name of an interface", gadget->name);
		return -1;
	}
	if (netns_has(NETNS_OWN, up->ifname, mac))
		return 0;
	warnx("the interface %s is not in this network namespace: try in the first one",
	      up->ifname);
	return -1;
}

static int set_up_interface(struct up *up)
{
	const struct up_options *options = up->options;
	char *to[] = { "ip",	   "link",  "set",	    "dev",
		       up->ifname, "netns", up->netns_path, NULL };
	char *on[] = { "ip", "link", "set", "dev", up->ifname, "up", NULL };
	size_t i;

	/* First of all: the host is about to ask for it. */
	if (options->gadget.mtu &&
	    netif_set_mtu(up->ifname, options->gadget.mtu)) {
		warn("cannot set the MTU of %s to %d", up->ifname,
		     options->gadget.mtu);
		return -1;
	}
	if (options->netns && run_ip(NETNS_OWN, to))
		return -1;
	for (i = 0; i < options->nr_addresses; i++) {
		char *address[] = { "ip",  "address",
				    "add", options->address[i],
				    "dev", up->ifname,
				    NULL };

		if (run_ip(up->netns, address))
			return -1;
	}
	return run_ip(up->netns, on);
}

static int make(struct up *up)
{
	const struct gadget *gadget = &up->options->gadget;

	if (gadgetfs_exists(gadget->name)) {
		warnx("there is a gadget '%s' ('sockloan gadget down' removes it)",
		      gadget->name);
		return -1;
	}
	if (udc_choose(up->options->udc, up->udc) ||
	    gadgetfs_begin(gadget->function, &up->mounted) ||
	    gadgetfs_make(gadget, &up->made) ||
	    gadgetfs_bind(gadget, up->udc) || find_interface(up))
		return -1;
	return set_up_interface(up);
}

static void undo(const struct up *up)
{
	if (up->made && gadgetfs_remove(up->options->gadget.name))
		return;
	if (up->mounted)
		gadgetfs_unmount();
}

static void print_up(const struct up *up)
{
	const struct up_options *options = up->options;
	size_t i;

	printf("%s: %s on %s, interface %s", options->gadget.name,
	       options->gadget.function, up->udc, up->ifname);
	if (options->netns)
		printf(" in %s", options->netns);
	for (i = 0; i < options->nr_addresses; i++)
		printf("%s %s", i ? "" : ",", options->address[i]);
	putchar('\n');
}

/* All or nothing, so it is not to be stopped halfway. */
static void block_signals(sigset_t *before)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, before);
}

static bool is_root(void)
{
	if (!geteuid())
		return true;
	warnx("only root may do this");
	return false;
}

static int up_with(const struct up_options *options)
{
	struct up up = { .options = options, .netns = NETNS_OWN };
	sigset_t before;
	int ret;

	if (!is_root())
		return STATUS_FAILURE;
	if (options->netns) {
		up.netns = netns_open_checked(options->netns, up.netns_path,
					      sizeof(up.netns_path));
		if (up.netns < 0)
			return STATUS_FAILURE;
	}
	block_signals(&before);
	ret = make(&up);
	if (ret)
		undo(&up);
	else
		print_up(&up);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (options->netns)
		close(up.netns);
	return ret ? STATUS_FAILURE : STATUS_OK;
}

static int gadget_up(const struct command *self, int argc, char **argv)
{
	struct up_options options = {
		.gadget = { .name = DEFAULT_NAME, .function = FUNCTION_LOAN },
	};
	int status = parse_up(self, &options, argc, argv);

	if (status == PARSE_ON)
		status = up_with(&options);
	free(options.address);
	return status;
}

static int gadget_down(const struct command *self, int argc, char **argv)
{
	const char *name = DEFAULT_NAME;
	int status = parse_down(self, &name, argc, argv);
	sigset_t before;
	int ret;

	if (status != PARSE_ON)
		return status;
	if (!is_root())
		return STATUS_FAILURE;
	if (!gadgetfs_exists(name)) {
		warnx("there is no gadget '%s'", name);
		return STATUS_FAILURE;
	}
	if (!gadgetfs_is_ours(name)) {
		warnx("the gadget '%s' is not one that 'sockloan gadget up' makes: left alone",
		      name);
		return STATUS_FAILURE;
	}
	block_signals(&before);
	ret = gadgetfs_remove(name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret ? STATUS_FAILURE : STATUS_OK;
}

static int gadget_status(const struct command *self, int argc, char **argv)
{
	int status = parse_help_only(self, argc, argv);

	if (status == PARSE_ON)
		status = no_more(self, argc, argv);
	if (status != PARSE_ON)
		return status;
	return gadgets_print() ? STATUS_FAILURE : STATUS_OK;
}

static int gadget_main(const struct command *self, int argc, char **argv)
{
	int status = parse_help_only(self, argc, argv);
	const char *word;

	if (status != PARSE_ON)
		return status;
	if (optind == argc)
		return usage_error(self, "up, down or status?");
	word = argv[optind];
	argc -= optind;
	argv += optind;
	optind = 0;
	/* getopt(3) starts its messages with this */
	argv[0] = "sockloan gadget";
	if (!strcmp(word, "up"))
		return gadget_up(self, argc, argv);
	if (!strcmp(word, "down"))
		return gadget_down(self, argc, argv);
	if (!strcmp(word, "status"))
		return gadget_status(self, argc, argv);
	return usage_error(self, "'%s' is neither up, down nor status", word);
}

const struct command cmd_gadget = {
	.name = "gadget",
	.summary = "a USB gadget that is a network interface (RNDIS)",
	.usage =
		"Usage: sockloan gadget up [-u UDC] [-f FUNCTION] [-n NAME]\n"
		"                          [-a ADDRESS/LEN]... [-N NETNS] [-m MTU]\n"
		"                          [-d DEV_ADDR] [-H HOST_ADDR]\n"
		"       sockloan gadget down [-n NAME]\n"
		"       sockloan gadget status\n\n"
		"up makes a USB gadget that is a network interface to the host that it is\n"
		"plugged into, binds it to a USB device controller, and sets up the\n"
		"interface at this end.  What fails halfway is undone.  down removes it.\n"
		"status shows all gadgets with such a function.\n\n"
		"  -u, --udc UDC              controller, as in " UDCS_PATH
		"; may be\n"
		"                             left out when just one is free\n"
		"  -f, --function FUNCTION    rndis_loan (default), or rndis, the kernel's own\n"
		"  -n, --name NAME            of the gadget (default: " DEFAULT_NAME
		")\n"
		"  -a, --address ADDRESS/LEN  of the interface, IPv4 or IPv6; may be repeated\n"
		"  -N, --netns NETNS          network namespace to move it to: a name as in\n"
		"                             'ip netns', or a path\n"
		"  -m, --mtu MTU              of the interface\n"
		"  -d, --dev-addr DEV_ADDR    hardware address at this end (default: random)\n"
		"  -H, --host-addr HOST_ADDR  that of the host's interface, likewise\n"
		"  -h, --help                 this text\n",
	.main = gadget_main,
};
