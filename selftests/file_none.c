// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that looks like a mapped file and is none: never lent unless always;
 * and the sysctl for files
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "sl_net.h"

#define OLD 1 /* the stream that was sent */
#define NEW 2 /* what is written over it */
#define LEN (256 * SL_KIB)

static unsigned char *map_file(int fd, size_t len, int prot, bool shared)
{
	return mmap(NULL, len, prot, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
}

FIXTURE(no_file)
{
	struct sl_pair p;
	struct sl_counters c;
};

FIXTURE_SETUP(no_file)
{
	ASSERT_EQ(0, sl_pair(&self->p, AF_INET6));
	if (!sl_plain()) {
		ASSERT_EQ(0, sl_sysctl("sockloan/file", "1"));
	}
	sl_count(&self->c);
}

FIXTURE_TEARDOWN(no_file)
{
	sl_sysctl("sockloan/file", "0");
	sl_pair_close(&self->p);
}

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

/* Send it, write over it by "w", receive what was sent */
#define EXPECT_NEVER_LENT(_self, _p, _w)                         \
	do {                                                     \
		ASSERT_EQ(LEN, send((_self)->p.tx, _p, LEN, 0)); \
		sl_fill(_w, LEN, NEW);                           \
		EXPECT_EQ(0, sl_drain((_self)->p.rx, LEN, OLD)); \
		EXPECT_FILE_COPIED(_self);                       \
	} while (0)

TEST_F(no_file, shared_anonymous)
{
	unsigned char *p;

	p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		 -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(p, LEN, OLD);
	EXPECT_NEVER_LENT(self, p, p);
	munmap(p, LEN);
}

/* Not even through a descriptor that cannot write */
TEST_F(no_file, memfd)
{
	int fd = memfd_create("file", MFD_CLOEXEC), ro;
	unsigned char *p, *w;
	char path[64];

	ASSERT_EQ(0, ftruncate(fd, LEN));
	w = map_file(fd, LEN, PROT_READ | PROT_WRITE, true);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	p = map_file(ro, LEN, PROT_READ, false);
	ASSERT_NE(MAP_FAILED, (void *)w);
	ASSERT_NE(MAP_FAILED, (void *)p);
	sl_fill(w, LEN, OLD);
	EXPECT_NEVER_LENT(self, p, w);
	close(fd);
	close(ro);
}

/* A disk, which changes under a mounted file system */
TEST_F(no_file, block_device)
{
	char dev[64] = "";
	unsigned char *p;
	FILE *f;
	int fd;

	f = popen("modprobe -q loop; truncate -s 1M /tmp/sl_disk.img && "
		  "losetup -f --show /tmp/sl_disk.img",
		  "re");
	if (!f || fscanf(f, "%63s", dev) != 1)
		SKIP(return, "no loop device");
	pclose(f);
	fd = open(dev, O_RDONLY | O_CLOEXEC);
	p = map_file(fd, LEN, PROT_READ, true);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(LEN, send(self->p.tx, p, LEN, 0));
	EXPECT_FILE_COPIED(self);
	munmap(p, LEN);
	close(fd);
	sl_run("losetup -d %s", dev);
}

TEST(file_sysctl)
{
	static const char *const good[] = { "1", "2", "0" };
	static const char *const bad[] = { "3", "-1", "256", "many" };
	char value[16];
	int i;

	if (sl_plain())
		SKIP(return, "needs the module");
	ASSERT_EQ(0, sl_sysctl_read("sockloan/file", value, sizeof(value)));
	EXPECT_STREQ("0", value);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, sl_sysctl("sockloan/file", good[i]));
		sl_sysctl_read("sockloan/file", value, sizeof(value));
		EXPECT_STREQ(good[i], value);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, sl_sysctl("sockloan/file", bad[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	sl_sysctl_read("sockloan/file", value, sizeof(value));
	EXPECT_STREQ("0", value);
}

TEST_HARNESS_MAIN
