// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a file to a network block device, as an NFS client writes to its server
 *
 * Each request is a small header that the client encodes and a large payload that
 * lies in the user's memory: one writev(2) chains the two.  On an attached socket
 * the header is copied, the payload's pages are lent, and both go out as one train
 * of segments.  The protocol is NBD, which stock servers speak.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <sockloan.h>

#include "net.h"

static const char usage[] =
	"usage: blockwrite HOST PORT FILE\n"
	"\n"
	"Writes FILE to the default export of the NBD server, from its start on.\n";

/* Of one request, bytes */
#define PAYLOAD (256 << 10)

#define OPTION_MAGIC 0x49484156454f5054
#define OPTION_EXPORT_NAME 1
#define FLAG_FIXED 1
#define FLAG_NO_ZEROES 2
#define REQUEST_MAGIC 0x25609513
#define REPLY_MAGIC 0x67446698
#define CMD_WRITE 1
#define CMD_DISCONNECT 2
#define CMD_FLUSH 3

struct request {
	uint32_t magic;
	uint16_t flags;
	uint16_t type;
	uint64_t cookie;
	uint64_t offset;
	uint32_t length;
} __attribute__((packed));

struct reply {
	uint32_t magic;
	uint32_t error;
	uint64_t cookie;
} __attribute__((packed));

static void receive(int fd, void *to, size_t len)
{
	ssize_t n = recv(fd, to, len, MSG_WAITALL);

	if (n < 0)
		err(1, "receive");
	if ((size_t)n < len)
		errx(1, "the server has closed the connection");
}

static void send_all(int fd, struct iovec *iov, int count)
{
	while (count) {
		ssize_t n = writev(fd, iov, count);

		if (n < 0)
			err(1, "send");
		while (count && (size_t)n >= iov->iov_len) {
			n -= iov->iov_len;
			iov++;
			count--;
		}
		if (count) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= n;
		}
	}
}

/* Returns the size of the export, bytes. */
static uint64_t negotiate(int fd)
{
	struct {
		uint64_t magic[2];
		uint16_t flags;
	} __attribute__((packed)) greeting;
	struct {
		uint32_t flags;
		uint64_t magic;
		uint32_t option, length;
	} __attribute__((packed)) choice = {
		.flags = htobe32(FLAG_FIXED | FLAG_NO_ZEROES),
		.magic = htobe64(OPTION_MAGIC),
		.option = htobe32(OPTION_EXPORT_NAME),
	};
	struct {
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) export;
	struct iovec iov = { &choice, sizeof(choice) };

	receive(fd, &greeting, sizeof(greeting));
	if (be64toh(greeting.magic[1]) != OPTION_MAGIC ||
	    !(be16toh(greeting.flags) & FLAG_NO_ZEROES))
		errx(1, "no NBD server of our kind");
	send_all(fd, &iov, 1);
	receive(fd, &export, sizeof(export));
	return be64toh(export.size);
}

static void request(int fd, uint16_t type, uint64_t offset, void *payload,
		    uint32_t length)
{
	struct request r = {
		.magic = htobe32(REQUEST_MAGIC),
		.type = htobe16(type),
		.cookie = offset,
		.offset = htobe64(offset),
		.length = htobe32(length),
	};
	struct iovec iov[] = { { &r, sizeof(r) }, { payload, length } };
	struct reply reply;

	send_all(fd, iov, payload ? 2 : 1);
	if (type == CMD_DISCONNECT)
		return;
	receive(fd, &reply, sizeof(reply));
	if (be32toh(reply.magic) != REPLY_MAGIC || reply.cookie != r.cookie)
		errx(1, "not the reply to this request");
	if (reply.error) {
		errno = be32toh(reply.error);
		err(1, "the server, at byte %llu", (unsigned long long)offset);
	}
}

int main(int argc, char **argv)
{
	uint64_t size, at;
	ssize_t n = 1;
	struct stat st;
	int fd, file;
	char *data;

	if (argc != 4) {
		int help = argc > 1 && !strcmp(argv[1], "--help");

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : 2;
	}
	file = open(argv[3], O_RDONLY);
	if (file < 0 || fstat(file, &st))
		err(1, "%s", argv[3]);
	fd = connect_to(argv[1], argv[2]);
	if (fd < 0)
		err(1, "%s, port %s", argv[1], argv[2]);
	if (sl_attach(fd))
		warn("without loans");
	size = negotiate(fd);
	if ((uint64_t)st.st_size > size)
		errx(1, "the export has %llu bytes only",
		     (unsigned long long)size);
	/* Memory of the program's own, which the kernel lends whatever it is set to */
	data = mmap(NULL, st.st_size + 1, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		err(1, "memory");
	for (at = 0; n > 0 && at < (uint64_t)st.st_size; at += n)
		n = read(file, data + at, st.st_size - at);
	if (n <= 0)
		err(1, "%s", argv[3]);
	for (at = 0; at < (uint64_t)st.st_size; at += PAYLOAD)
		request(fd, CMD_WRITE, at, data + at,
			st.st_size - at < PAYLOAD ? st.st_size - at : PAYLOAD);
	request(fd, CMD_FLUSH, 0, NULL, 0);
	request(fd, CMD_DISCONNECT, 0, NULL, 0);
	return 0;
}
