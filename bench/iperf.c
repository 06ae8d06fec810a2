// SPDX-License-Identifier: GPL-2.0
/* Packaged iperf3 over loopback, plain and under `sockloan run`. */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "compare.h"

#define PORT "5233"

/* While a file is read from the host, guest time leaps past time-outs. */
#define ATTEMPTS 3

#define WARM_UP (64 << 20)
/* It has no warm-up of its own: sends so much more than other rows. */
#define TIMES 4

static pid_t start(char *const argv[], bool batch, int output)
{
	struct sched_param none = { 0 };
	pid_t pid;

	/* Or the child prints again what is still in our buffer. */
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	if (batch && sched_setscheduler(0, SCHED_BATCH, &none))
		err(1, "sched_setscheduler");
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

static bool ended_well(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		err(1, "waitpid");
	return !status;
}

/* MB/s as the receiver counts them, 0 when iperf3 failed. */
static double rate_in(FILE *report)
{
	char line[200], *unit;
	double kbytes = 0;

	rewind(report);
	while (fgets(line, sizeof(line), report)) {
		unit = strstr(line, " KBytes/sec");
		if (!unit || !strstr(line, "receiver"))
			continue;
		*unit = 0;
		kbytes = strtod(strrchr(line, ' '), NULL);
	}
	return kbytes * 1024 / 1e6;
}

static void show(FILE *report)
{
	char line[200];

	rewind(report);
	while (fgets(line, sizeof(line), report))
		fputs(line, stderr);
}

/* One client and one server; 0 when they failed. */
static double attempt(bool lend, bool batch, size_t bytes, FILE *report)
{
	static char *const server[] = { "iperf3", "-s",		  "-1", "-p",
					PORT,	  "--forceflush", NULL };
	char count[32], line[200];
	char *const client[] = { "sockloan",  "run", "iperf3", "-c",
				 "127.0.0.1", "-p",  PORT,     "-f",
				 "K",	      "-n",  count,    NULL };
	double rate = 0;
	int words[2];
	pid_t serving;
	FILE *log;

	snprintf(count, sizeof(count), "%zu", bytes);
	if (pipe2(words, O_CLOEXEC))
		err(1, "pipe");
	serving = start(server, batch, words[1]);
	close(words[1]);
	log = fdopen(words[0], "r");
	if (!log)
		err(1, "pipe");
	while (fgets(line, sizeof(line), log))
		if (strstr(line, "listening"))
			break;
	if (ended_well(start(client + (lend ? 0 : 2), batch, fileno(report))))
		rate = rate_in(report);
	/* It serves one client; the failed one may not have got through. */
	if (!rate)
		kill(serving, SIGTERM);
	while (fgets(line, sizeof(line), log))
		;
	fclose(log);
	ended_well(serving);
	return rate;
}

static double rate(bool lend, bool batch, size_t bytes)
{
	FILE *report;
	double rate;
	int i;

	for (i = 1;; i++) {
		report = tmpfile();
		if (!report)
			err(1, "temporary file");
		rate = attempt(lend, batch, bytes, report);
		if (rate || i == ATTEMPTS)
			break;
		fclose(report);
	}
	if (!rate) {
		show(report);
		errx(1, "iperf3 failed");
	}
	fclose(report);
	return rate;
}

void compare_iperf(bool batch, const struct effort *effort,
		   struct comparison *result)
{
	size_t bytes = TIMES * effort->bytes;
	long long lent, copied;
	int i;

	*result = (struct comparison){ 0 };
	/* Once to have the files of both commands in memory. */
	rate(false, batch, WARM_UP);
	rate(true, batch, WARM_UP);
	lent = counter("BytesLent");
	copied = counter("BytesCopied");
	for (i = 0; i < effort->rounds; i++) {
		result->copy += rate(false, batch, bytes) / effort->rounds;
		result->loan += rate(true, batch, bytes) / effort->rounds;
	}
	lent = counter("BytesLent") - lent;
	copied = counter("BytesCopied") - copied;
	if (lent + copied)
		result->lent = (double)lent / (lent + copied);
}
