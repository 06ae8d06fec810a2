// SPDX-License-Identifier: GPL-2.0
/*
 * Read /proc/net/sockloan: lines of a name and a number
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "counters.h"

static const struct counter_info infos[] = {
	{ "Sockets", GROUP_SOCKETS, KIND_LEVEL, "attached now" },
	{ "Attaches", GROUP_SOCKETS, KIND_EVENTS, "attached so far" },
	{ "Detaches", GROUP_SOCKETS, KIND_EVENTS, "detached before closing" },
	{ "Inherited", GROUP_SOCKETS, KIND_EVENTS,
	  "accepted from an attached listener" },

	{ "Calls", GROUP_SENDS, KIND_EVENTS, "of at least the threshold" },
	{ "SmallCalls", GROUP_SENDS, KIND_EVENTS,
	  "smaller, but at least 4 KiB" },
	{ "BytesLent", GROUP_SENDS, KIND_BYTES, "sent without a copy" },
	{ "BytesCopied", GROUP_SENDS, KIND_BYTES, "copied by those Calls" },
	{ "Backoffs", GROUP_SENDS, KIND_EVENTS,
	  "sockets gone over to copying" },
	{ "Probes", GROUP_SENDS, KIND_EVENTS, "pages lent meanwhile, to see" },

	{ "PagesLent", GROUP_PAGES, KIND_EVENTS,
	  "references given to the protocol" },
	{ "PagesProtected", GROUP_PAGES, KIND_EVENTS,
	  "entries write-protected first" },
	{ "PagesShared", GROUP_PAGES, KIND_EVENTS,
	  "lent again, page table untouched" },
	{ "PagesZero", GROUP_PAGES, KIND_EVENTS, "the shared zero page" },
	{ "PagesHuge", GROUP_PAGES, KIND_EVENTS, "out of huge pages" },
	{ "PagesFile", GROUP_PAGES, KIND_EVENTS, "of mapped files" },
	{ "PagesRewritten", GROUP_PAGES, KIND_EVENTS,
	  "lent before, written to, sent again" },
	{ "Flushes", GROUP_PAGES, KIND_EVENTS, "TLB flushes, one a batch" },
	{ "FaultIns", GROUP_PAGES, KIND_EVENTS,
	  "absent, had to be faulted in" },

	{ "FbState", GROUP_FALLBACKS, KIND_EVENTS,
	  "TCP socket not established" },
	{ "FbFlags", GROUP_FALLBACKS, KIND_EVENTS,
	  "MSG_OOB, _ZEROCOPY, _FASTOPEN..." },
	{ "FbCmsg", GROUP_FALLBACKS, KIND_EVENTS, "control messages" },
	{ "FbProto", GROUP_FALLBACKS, KIND_EVENTS,
	  "protocol replaced (kTLS, sockmap)" },
	{ "FbNoSg", GROUP_FALLBACKS, KIND_EVENTS,
	  "device without scatter-gather" },
	{ "FbStamp", GROUP_FALLBACKS, KIND_EVENTS,
	  "transmit timestamps asked for" },
	{ "FbNotifier", GROUP_FALLBACKS, KIND_EVENTS,
	  "mm with notifiers (KVM, GPU, RDMA)" },
	{ "FbVma", GROUP_FALLBACKS, KIND_EVENTS,
	  "IO, PFN, hugetlb, unreadable..." },
	{ "FbShared", GROUP_FALLBACKS, KIND_EVENTS, "shared memory" },
	{ "FbFile", GROUP_FALLBACKS, KIND_EVENTS,
	  "a file (see net.sockloan.file)" },
	{ "FbHuge", GROUP_FALLBACKS, KIND_EVENTS, "mapped above the pmd" },
	{ "FbUffd", GROUP_FALLBACKS, KIND_EVENTS,
	  "userfaultfd write-protect range" },
	{ "FbPkey", GROUP_FALLBACKS, KIND_EVENTS,
	  "protection key denies reading" },
	{ "FbPinned", GROUP_FALLBACKS, KIND_EVENTS, "page pinned for DMA" },
	{ "FbBusy", GROUP_FALLBACKS, KIND_EVENTS,
	  "other references (direct I/O...)" },
	{ "FbAbsent", GROUP_FALLBACKS, KIND_EVENTS,
	  "page could not be faulted in" },
	{ "FbNuma", GROUP_FALLBACKS, KIND_EVENTS, "NUMA-hinting entry" },
	{ "FbSpecial", GROUP_FALLBACKS, KIND_EVENTS, "special mapping" },
	{ "FbNoMem", GROUP_FALLBACKS, KIND_EVENTS, "killed, or out of memory" },
	{ "FbAdapt", GROUP_FALLBACKS, KIND_EVENTS,
	  "program rewrites what it sends" },
	{ "FbFrags", GROUP_FALLBACKS, KIND_EVENTS,
	  "datagram in too many pieces" },
	{ "FbRoute", GROUP_FALLBACKS, KIND_EVENTS,
	  "datagram fragmented, corked..." },
	{ "FbForced", GROUP_FALLBACKS, KIND_EVENTS, "fault injection" },
};

/* Never NULL: a newer module may have counters that are not known here. */
const struct counter_info *counter_info(const char *name)
{
	static const struct counter_info fallback = { "Fb", GROUP_FALLBACKS,
						      KIND_EVENTS, "" };
	static const struct counter_info other = { "", GROUP_OTHER, KIND_EVENTS,
						   "" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(infos); i++)
		if (!strcmp(infos[i].name, name))
			return &infos[i];
	return strncmp(name, "Fb", 2) ? &other : &fallback;
}

/* 0 for a counter that the file does not have */
unsigned long long counters_get(const struct counters *in, const char *name)
{
	unsigned int i;

	for (i = 0; i < in->nr; i++)
		if (!strcmp(in->counter[i].name, name))
			return in->counter[i].value;
	return 0;
}

static int parse_line(struct counters *to, const char *line)
{
	struct counter *counter = &to->counter[to->nr];
	char number[24], extra;

	if (to->nr == COUNTERS_MAX)
		return -1;
	if (sscanf(line, "%31[A-Za-z0-9_] %20[0-9] %c", counter->name, number,
		   &extra) != 2)
		return -1;
	errno = 0;
	counter->value = strtoull(number, NULL, 10);
	if (errno)
		return -1;
	to->nr++;
	return 0;
}

static int parse_file(struct counters *to, FILE *file, const char *path)
{
	unsigned int number = 0;
	char line[128];

	to->nr = 0;
	while (fgets(line, sizeof(line), file)) {
		number++;
		if (parse_line(to, line)) {
			warnx("%s: line %u is not a counter ('Name Value')",
			      path, number);
			return -1;
		}
	}
	if (ferror(file)) {
		warn("%s", path);
		return -1;
	}
	if (!to->nr) {
		warnx("%s: no counters in it", path);
		return -1;
	}
	return 0;
}

/* Returns 0, or -1 after telling the user why not. */
int counters_read(struct counters *to, const char *path)
{
	FILE *file = fopen(path, "re");
	int ret;

	if (!file) {
		warnx("%s: %s%s", path, strerror(errno),
		      errno == ENOENT && !strcmp(path, COUNTERS_PATH) ?
			      ": is the module loaded? (modprobe sockloan)" :
			      "");
		return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to->when);
	ret = parse_file(to, file, path);
	fclose(file);
	return ret;
}
