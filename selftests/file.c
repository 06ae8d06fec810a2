// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped files: when they are lent, and what becomes of the bytes on their way
 * when the file changes
 *
 * With net.sockloan.file = 0 the bytes that arrive are those of the moment of
 * the send, always.  With 1 and 2 each is what the file had there at that
 * moment or later: the old byte, the new one, or a zero that a hole or a
 * truncation has put there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "sl_net.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN (256 * SL_KIB)
#define IMAGE "/tmp/sl_file.img"
#define DIR "/tmp/sl_file"
#define PATH DIR "/file"

FIXTURE(file)
{
	struct sl_pair p;
	struct sl_counters c;
	unsigned char *data; /* LEN bytes of the file, mapped */
	int fd; /* read-only */
	bool mounted;
	bool strict; /* nothing but OLD may arrive */
};

FIXTURE_VARIANT(file)
{
	const char *fs;
	const char *rule; /* of net.sockloan.file */
	bool shared; /* or a private mapping */
};

FIXTURE_VARIANT_ADD(file, tmpfs_0_private){
	.fs = "tmpfs",
	.rule = "0",
};

FIXTURE_VARIANT_ADD(file, ext4_0_shared){
	.fs = "ext4",
	.rule = "0",
	.shared = true,
};

FIXTURE_VARIANT_ADD(file, tmpfs_1_private){
	.fs = "tmpfs",
	.rule = "1",
};

FIXTURE_VARIANT_ADD(file, tmpfs_1_shared){
	.fs = "tmpfs",
	.rule = "1",
	.shared = true,
};

FIXTURE_VARIANT_ADD(file, ext4_1_private){
	.fs = "ext4",
	.rule = "1",
};

FIXTURE_VARIANT_ADD(file, ext4_1_shared){
	.fs = "ext4",
	.rule = "1",
	.shared = true,
};

FIXTURE_VARIANT_ADD(file, tmpfs_2_shared){
	.fs = "tmpfs",
	.rule = "2",
	.shared = true,
};

FIXTURE_VARIANT_ADD(file, ext4_2_private){
	.fs = "ext4",
	.rule = "2",
};

/* In a mount namespace of the test's own */
static int mount_fs(const char *fs)
{
	mkdir(DIR, 0700);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (!strcmp(fs, "tmpfs"))
		return mount("none", DIR, fs, 0, NULL);
	if (access(IMAGE, F_OK) &&
	    sl_run("truncate -s 16M " IMAGE ".new && "
		   "mkfs.ext4 -q -F -O ^has_journal " IMAGE ".new && "
		   "mv " IMAGE ".new " IMAGE))
		return -1;
	return sl_run("modprobe -q loop; mount -o loop " IMAGE " " DIR);
}

/* A file with "len" bytes of a stream in it, open for reading only */
static int make_file(const char *path, size_t len, uint64_t seed)
{
	unsigned char *buf = malloc(len);
	int fd;

	sl_fill(buf, len, seed);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, buf, len) != (ssize_t)len)
		return -1;
	close(fd);
	free(buf);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static unsigned char *map_file(int fd, size_t len, int prot, bool shared)
{
	return mmap(NULL, len, prot, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
}

FIXTURE_SETUP(file)
{
	ASSERT_EQ(0, sl_pair(&self->p, AF_INET));
	if (mount_fs(variant->fs))
		return;
	self->mounted = true;
	self->strict = !strcmp(variant->rule, "0");
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/file", variant->rule));
	}
	self->fd = make_file(PATH, LEN, OLD);
	ASSERT_LE(0, self->fd);
	self->data =
		map_file(self->fd, LEN,
			 variant->shared ? PROT_READ : PROT_READ | PROT_WRITE,
			 variant->shared);
	ASSERT_NE(MAP_FAILED, (void *)self->data);
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(file)
{
	sl_pair_close(&self->p);
	if (self->data)
		munmap(self->data, LEN);
	if (self->fd > 0)
		close(self->fd);
	if (self->mounted) {
		EXPECT_EQ(0, umount(DIR));
	}
	sl_sysctl("sockloan/file", "0");
}

#define REQUIRE_FS(_self)                                             \
	do {                                                          \
		if (!(_self)->mounted)                                \
			SKIP(return, "cannot mount %s", variant->fs); \
	} while (0)

/* All of it goes out, lent if the rule says so */
#define SEND(_self) ASSERT_EQ(LEN, send((_self)->p.tx, (_self)->data, LEN, 0))

#define LEND(_self)                                                    \
	do {                                                           \
		SEND(_self);                                           \
		EXPECT_LENT((_self)->p.tx, (_self)->strict ? 0 : LEN); \
		EXPECT_RISE_BY(&(_self)->c, "PagesFile",               \
			       (_self)->strict ? 0 : LEN / sl_page);   \
	} while (0)

/* Not lent, for being a file's or for being shared */
#define EXPECT_FILE_COPIED(_self)                                          \
	do {                                                               \
		EXPECT_LENT((_self)->p.tx, 0);                             \
		EXPECT_NO_RISE(&(_self)->c, "PagesFile");                  \
		EXPECT_LT(0, sl_plain() ? 1 :                              \
					  sl_rise(&(_self)->c, "FbFile") + \
						  sl_rise(&(_self)->c,     \
							  "FbShared"));    \
	} while (0)

/* Receive it: 0 if every byte is the file's, of before or of after */
static int arrives(FIXTURE_DATA(file) * self, bool strict)
{
	static unsigned char got[LEN], old[LEN], new[LEN];
	size_t i;

	if (strict)
		return sl_drain(self->p.rx, LEN, OLD);
	if (sl_drain_raw(self->p.rx, got, LEN))
		return -1;
	sl_fill_at(old, LEN, OLD, 0);
	sl_fill_at(new, LEN, NEW, 0);
	for (i = 0; i < LEN; i++) {
		if (got[i] == old[i] || got[i] == new[i] || !got[i])
			continue;
		fprintf(stderr, "# byte %zu is not the file's\n", i);
		return -1;
	}
	return 0;
}

/* Open it for writing, write all of it anew, close it */
static int rewrite(const char *path)
{
	static unsigned char buf[LEN];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	sl_fill(buf, LEN, NEW);
	n = pwrite(fd, buf, LEN, 0);
	close(fd);
	return n == LEN ? 0 : -1;
}

/* -- when it is lent ----------------------------------------------------------- */

TEST_F(file, quiet)
{
	REQUIRE_FS(self);
	LEND(self);
	EXPECT_EQ(0, arrives(self, true));
	SEND(self);
	EXPECT_EQ(0, arrives(self, true));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, OLD));
	if (self->strict) {
		EXPECT_FILE_COPIED(self);
	}
}

/* Head, tail and what is between; mapped anew each time, so absent at first */
TEST_F(file, odd_ends)
{
	size_t at, len;

	REQUIRE_FS(self);
	for (at = 1; at < 3 * sl_page; at += 1777) {
		len = LEN - 2 * at;
		ASSERT_EQ(0, munmap(self->data, LEN));
		self->data =
			map_file(self->fd, LEN, PROT_READ, variant->shared);
		ASSERT_EQ(len, send(self->p.tx, self->data + at, len, 0));
		EXPECT_EQ(0, sl_drain_at(self->p.rx, len, OLD, at));
	}
	if (!self->strict) {
		EXPECT_LENT_SOME(self->p.tx);
	}
}

/* While somebody has it open for writing, rule 1 copies; and then no more */
TEST_F(file, open_for_writing)
{
	bool lent = !strcmp(variant->rule, "2");
	int fd = open(PATH, O_WRONLY | O_CLOEXEC);

	REQUIRE_FS(self);
	ASSERT_LE(0, fd);
	SEND(self);
	if (lent) {
		EXPECT_LENT(self->p.tx, LEN);
	} else {
		EXPECT_FILE_COPIED(self);
	}
	EXPECT_EQ(0, rewrite(PATH));
	EXPECT_EQ(0, arrives(self, !lent));
	ASSERT_EQ(0, close(fd));
	SEND(self);
	EXPECT_LENT(self->p.tx, self->strict ? 0 : lent ? 2 * LEN : LEN);
	EXPECT_EQ(0, sl_drain(self->p.rx, LEN, NEW));
}

/* Closed, but mapped writable and shared by a child */
TEST_F(file, mapped_for_writing)
{
	bool lent = !strcmp(variant->rule, "2");
	int ready[2], done[2];
	unsigned char *p;
	pid_t pid;
	char c = 0;
	int fd;

	REQUIRE_FS(self);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	if (!pid) {
		fd = open(PATH, O_RDWR | O_CLOEXEC);
		p = map_file(fd, LEN, PROT_READ | PROT_WRITE, true);
		close(fd);
		if ((void *)p == MAP_FAILED || write(ready[1], &c, 1) != 1 ||
		    read(done[0], &c, 1) != 1)
			_exit(1);
		sl_fill(p, LEN, NEW);
		_exit(0);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	SEND(self);
	ASSERT_EQ(1, write(done[1], &c, 1));
	EXPECT_EQ(0, sl_exited(pid));
	if (lent) {
		EXPECT_LENT(self->p.tx, LEN);
	} else {
		EXPECT_FILE_COPIED(self);
	}
	EXPECT_EQ(0, arrives(self, !lent));
}

/* Pages that the program has written to are its own, and lent by any rule */
TEST_F(file, half_written)
{
	size_t i;

	REQUIRE_FS(self);
	if (variant->shared)
		SKIP(return, "for private mappings");
	for (i = 0; i < LEN; i += 2 * sl_page)
		sl_fill_at(self->data + i, sl_page, NEW, i);
	sl_settle();
	SEND(self);
	if (!self->strict) {
		EXPECT_RISE_BY(&self->c, "PagesFile", LEN / sl_page / 2);
		EXPECT_LENT(self->p.tx, LEN);
	}
	sl_fill(self->data, LEN, NEW + 1);
	for (i = 0; i < LEN; i += 2 * sl_page) {
		ASSERT_EQ(0, sl_drain_at(self->p.rx, sl_page, NEW, i));
		ASSERT_EQ(0,
			  sl_drain_at(self->p.rx, sl_page, OLD, i + sl_page));
	}
}

/* -- what the program does to its mapping: nothing of it can be seen ---------- */

TEST_F(file, private_store)
{
	REQUIRE_FS(self);
	if (variant->shared)
		SKIP(return, "for private mappings");
	LEND(self);
	sl_fill(self->data, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_EQ(0, arrives(self, true));
}

TEST_F(file, munmap)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, munmap(self->data, LEN));
	self->data = NULL;
	EXPECT_EQ(0, arrives(self, true));
}

TEST_F(file, dontneed)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, madvise(self->data, LEN, MADV_DONTNEED));
	posix_fadvise(self->fd, 0, LEN, POSIX_FADV_DONTNEED);
	EXPECT_EQ(0, arrives(self, true));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, OLD));
}

/* -- what others do to the file -------------------------------------------------- */

TEST_F(file, rewritten)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, rewrite(PATH));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
	EXPECT_EQ(0, arrives(self, self->strict));
}

TEST_F(file, truncated)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, truncate(PATH, 0));
	EXPECT_EQ(0, arrives(self, self->strict));
	ASSERT_EQ(0, truncate(PATH, LEN));
	EXPECT_EQ(0, self->data[LEN - 1]);
	ASSERT_EQ(0, rewrite(PATH));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
}

/* In the middle of a page, and longer again with other bytes */
TEST_F(file, truncated_and_refilled)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, truncate(PATH, LEN / 2 + 100));
	ASSERT_EQ(0, truncate(PATH, LEN));
	ASSERT_EQ(0, rewrite(PATH));
	EXPECT_EQ(0, arrives(self, self->strict));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, NEW));
}

TEST_F(file, hole_punched)
{
	int fd;

	REQUIRE_FS(self);
	LEND(self);
	fd = open(PATH, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       sl_page + 100, LEN / 2));
	EXPECT_EQ(0, self->data[sl_page + 100]);
	EXPECT_EQ(0, arrives(self, self->strict));
	close(fd);
}

/* Other files' data where this one's was */
TEST_F(file, unlinked)
{
	int fd;

	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, unlink(PATH));
	ASSERT_EQ(0, munmap(self->data, LEN));
	self->data = NULL;
	close(self->fd);
	self->fd = make_file(DIR "/other", 4 * LEN, NEW + 1);
	ASSERT_LE(0, self->fd);
	fd = make_file(DIR "/another", 4 * LEN, NEW + 1);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, arrives(self, self->strict));
}

TEST_F(file, renamed_over)
{
	int fd;

	REQUIRE_FS(self);
	LEND(self);
	fd = make_file(DIR "/other", LEN, NEW + 1);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, rename(DIR "/other", PATH));
	EXPECT_EQ(0, arrives(self, self->strict));
	EXPECT_EQ(-1, sl_differs(self->data, LEN, OLD));
}

TEST_F(file, unmounted)
{
	REQUIRE_FS(self);
	LEND(self);
	ASSERT_EQ(0, munmap(self->data, LEN));
	self->data = NULL;
	close(self->fd);
	self->fd = -1;
	self->mounted = false;
	ASSERT_EQ(0, umount(DIR));
	EXPECT_EQ(0, arrives(self, self->strict));
}

/* -- beyond the file's end ------------------------------------------------------ */

/* Up to the page that the file ends in, zeroes behind its end, then EFAULT */
TEST_F(file, beyond_the_end)
{
	unsigned char got[4096];
	size_t end = LEN / 2 + 100, sent = 0, edge = LEN / 2 + sl_page;
	ssize_t n;
	size_t i;

	REQUIRE_FS(self);
	ASSERT_EQ(0, truncate(PATH, end));
	while ((n = send(self->p.tx, self->data + sent, LEN - sent, 0)) > 0)
		sent += n;
	EXPECT_EQ(EFAULT, errno);
	/* Plain TCP gets as far as 32 KiB before that */
	EXPECT_GE(edge, sent);
	ASSERT_LE(edge - 64 * SL_KIB, sent);
	ASSERT_EQ(edge - sent,
		  send(self->p.tx, self->data + sent, edge - sent, 0));
	EXPECT_EQ(0, sl_drain(self->p.rx, end, OLD));
	ASSERT_EQ(0, sl_drain_raw(self->p.rx, got, edge - end));
	for (i = 0; i < edge - end && !got[i]; i++)
		;
	EXPECT_EQ(edge - end, i);
	if (!self->strict) {
		EXPECT_LENT_SOME(self->p.tx);
	}
}

/* -- writable and shared, which only rule 2 lends ------------------------------- */

TEST_F(file, shared_and_written)
{
	bool lent = !strcmp(variant->rule, "2");
	unsigned char *p, *got;
	int fd;

	REQUIRE_FS(self);
	fd = open(PATH, O_RDWR | O_CLOEXEC);
	p = map_file(fd, LEN, PROT_READ | PROT_WRITE, true);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	EXPECT_LENT(self->p.tx, lent ? LEN : 0);
	sl_fill(p, LEN, NEW);
	EXPECT_EQ(-1, sl_differs(p, LEN, NEW));
	EXPECT_EQ(0, arrives(self, !lent));

	/* What was stored last is what is in the file, also on the disk */
	ASSERT_EQ(0, msync(p, LEN, MS_SYNC));
	munmap(p, LEN);
	munmap(self->data, LEN);
	self->data = NULL;
	fdatasync(fd);
	posix_fadvise(fd, 0, LEN, POSIX_FADV_DONTNEED);
	got = malloc(LEN);
	ASSERT_EQ(LEN, pread(fd, got, LEN, 0));
	EXPECT_EQ(-1, sl_differs(got, LEN, NEW));
	free(got);
	close(fd);
}

/* A page that was clean when it was lent, dirtied after that */
TEST_F(file, dirtied_on_loan)
{
	unsigned char *p, *got;
	int fd;

	REQUIRE_FS(self);
	fd = open(PATH, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, fdatasync(fd));
	p = map_file(fd, LEN, PROT_READ | PROT_WRITE, true);
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	sl_fill_at(p, LEN, NEW, 0);
	munmap(p, LEN);
	ASSERT_EQ(0, fdatasync(fd));
	munmap(self->data, LEN);
	self->data = NULL;
	posix_fadvise(fd, 0, LEN, POSIX_FADV_DONTNEED);
	got = malloc(LEN);
	ASSERT_EQ(LEN, pread(fd, got, LEN, 0));
	EXPECT_EQ(-1, sl_differs(got, LEN, NEW));
	free(got);
	close(fd);
	EXPECT_EQ(0, arrives(self, strcmp(variant->rule, "2")));
}

TEST_HARNESS_MAIN
