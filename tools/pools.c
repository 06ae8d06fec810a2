// SPDX-License-Identifier: GPL-2.0
/*
 * Find pools, and read what the module tells of them in /proc/PID/fdinfo/FD
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common.h"
#include "pools.h"

/**
 * struct search - how to find them
 * @device: the number of the device
 * @to: what was found
 */
struct search {
	dev_t device;
	struct pools *to;
};

/*
 * The device may have other names, so only what cannot be one is sorted out by
 * its link.  What a file server had to be asked for is none.
 */
static bool is_device(const struct proc_fd *fd, dev_t device)
{
	struct statx st;

	if (*fd->link != '/')
		return false;
	if (statx(fd->dir, fd->name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_TYPE, &st))
		return false;
	return S_ISCHR(st.stx_mode) &&
	       makedev(st.stx_rdev_major, st.stx_rdev_minor) == device;
}

static int add_member(struct pools *pools, unsigned long long inode,
		      unsigned long long number)
{
	if (array_grow((void **)&pools->member, pools->nr_members,
		       sizeof(*pools->member))) {
		warn(NULL);
		return -1;
	}
	pools->member[pools->nr_members].inode = inode;
	pools->member[pools->nr_members].number = number;
	pools->nr_members++;
	return 0;
}

/* Lines that are sentences with numbers; returns how many of them it has. */
static int parse_numbers(const char *line, struct sockloan_poolstat *s)
{
	int n;

	n = sscanf(
		line,
		"pool-buffers: %u of %u bytes, %u free, %u held, %u in flight, lowest %u",
		&s->bufs, &s->buf_size, &s->free, &s->held, &s->in_flight,
		&s->lowest_free);
	if (n > 0)
		return n;
	n = sscanf(
		line,
		"pool-window: %u pages, %u mapped, %u stale; %u for copies, %u used",
		&s->window_pages, &s->window_used, &s->window_stale,
		&s->copy_pages, &s->copy_used);
	if (n > 0)
		return n;
	n = sscanf(
		line,
		"pool-bytes: %llu given away, %llu mapped, %llu copied, %llu released, %llu forwarded",
		&s->xout_bytes, &s->bytes_mapped, &s->bytes_copied,
		&s->bytes_released, &s->bytes_forwarded);
	if (n > 0)
		return n;
	n = sscanf(
		line,
		"pool-failures: %llu alloc, %llu bad ids, %llu bad releases, %llu window full",
		&s->alloc_failures, &s->bad_ids, &s->bad_releases,
		&s->window_full);
	return n > 0 ? n : 0;
}

/* So many there are in those lines. */
#define NUMBERS (6 + 5 + 5 + 4)

static struct pool *find(struct pools *pools, unsigned long long number)
{
	size_t i;

	for (i = 0; i < pools->nr; i++)
		if (pools->pool[i].number == number)
			return &pools->pool[i];
	return NULL;
}

/*
 * One pool, or none.  Returns 0, or -1 after telling the user why not.  One that
 * is known already is only counted.
 */
static int read_fdinfo(FILE *file, struct pools *pools, struct pool *pool)
{
	unsigned long long inode;
	struct pool *known;
	char line[256];
	int numbers = 0;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "pool-number: %llu", &pool->number) == 1) {
			known = find(pools, pool->number);
			if (known) {
				known->others++;
				pool->number = 0;
				return 0;
			}
		} else if (sscanf(line, "pool-socket: ino %llu", &inode) == 1) {
			pool->stat.sockets++;
			if (add_member(pools, inode, pool->number))
				return -1;
		} else {
			numbers += parse_numbers(line, &pool->stat);
		}
	}
	/* The process is gone, or this is just the device. */
	if (ferror(file) || !pool->number)
		return 0;
	if (numbers == NUMBERS)
		return 0;
	warnx("/proc/%d/fdinfo/%d: the loaded module is of another version than this command",
	      pool->pid, pool->fd);
	return -1;
}

static int look_at(const struct proc_fd *fd, void *arg)
{
	struct search *search = arg;
	struct pools *pools = search->to;
	struct pool pool = { .pid = fd->pid, .fd = fd->fd };
	char path[48];
	FILE *file;
	int ret;

	if (!is_device(fd, search->device))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", fd->pid, fd->fd);
	file = fopen(path, "re");
	if (!file)
		return 0;
	ret = read_fdinfo(file, pools, &pool);
	fclose(file);
	if (ret || !pool.number)
		return ret;
	if (array_grow((void **)&pools->pool, pools->nr,
		       sizeof(*pools->pool))) {
		warn(NULL);
		return -1;
	}
	proc_command(pool.pid, pool.command, sizeof(pool.command));
	pools->pool[pools->nr++] = pool;
	return 0;
}

static int look_into(int pid, void *arg)
{
	struct search *search = arg;
	int ret = proc_each_fd(pid, look_at, search);

	if (ret == EACCES || ret == EPERM)
		search->to->unseen++;
	return ret < 0 ? ret : 0;
}

static int look_into_one(int pid, struct search *search)
{
	int ret = proc_each_fd(pid, look_at, search);

	if (ret > 0)
		warnx("process %d: %s", pid, proc_strerror(ret));
	return ret ? -1 : 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct pool_member *l = a, *r = b;

	if (l->inode == r->inode)
		return 0;
	return l->inode < r->inode ? -1 : 1;
}

/*
 * All pools that the caller may see, or with @pid those that this process has
 * open.  Returns 0, or -1 after telling the user why not; pools_free() has to
 * follow either way.
 */
int pools_read(struct pools *pools, int pid)
{
	struct search search = { .to = pools };
	int ret;

	memset(pools, 0, sizeof(*pools));
	if (device_number(&search.device))
		return -1;
	ret = pid ? look_into_one(pid, &search) : proc_each(look_into, &search);
	if (pools->nr_members)
		qsort(pools->member, pools->nr_members, sizeof(*pools->member),
		      by_inode);
	return ret;
}

/* The number of the pool that a socket is in; 0: in none that is known */
unsigned long long pools_of(const struct pools *pools, unsigned long long inode)
{
	const struct pool_member key = { .inode = inode };
	const struct pool_member *member;

	if (!pools->nr_members)
		return 0;
	member = bsearch(&key, pools->member, pools->nr_members,
			 sizeof(*pools->member), by_inode);
	return member ? member->number : 0;
}

void pools_free(struct pools *pools)
{
	free(pools->pool);
	free(pools->member);
}
