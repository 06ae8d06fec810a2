// SPDX-License-Identifier: GPL-2.0
/*
 * sockloan: attach sockets to the sockloan module and see what it does
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static const struct command *const commands[] = {
	&cmd_run,  &cmd_attach,	 &cmd_detach, &cmd_stat,
	&cmd_pool, &cmd_monitor, &cmd_status, &cmd_gadget,
};

static void print_usage(FILE *out)
{
	size_t i;

	fputs("Usage: sockloan COMMAND [ARGUMENTS...]\n\n"
	      "Lend user pages to the network instead of copying them.\n\n",
	      out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-10s%s\n", commands[i]->name,
			commands[i]->summary);
	fputs("  help      this text, or that of one command\n\n"
	      "  --version print the version of this command\n"
	      "  --help    this text\n\n"
	      "See sockloan(8), and sockloan(4) for the module.\n",
	      out);
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	warnx("no command '%s': 'sockloan help' lists them", name);
	return NULL;
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		print_usage(stdout);
		return STATUS_OK;
	}
	command = find(argv[2]);
	if (!command)
		return STATUS_USAGE;
	fputs(command->usage, stdout);
	return STATUS_OK;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;
	char name[32];

	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("sockloan " SOCKLOAN_VERSION);
		return STATUS_OK;
	}
	command = find(argv[1]);
	if (!command)
		return STATUS_USAGE;
	/* getopt(3) starts its messages with this */
	snprintf(name, sizeof(name), "sockloan %s", command->name);
	argv[1] = name;
	return command->main(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = dispatch(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		warn("standard output");
		if (status == STATUS_OK)
			status = STATUS_FAILURE;
	}
	return status;
}
