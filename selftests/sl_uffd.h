/* SPDX-License-Identifier: GPL-2.0 */
/* Memory whose first access waits for as long as a test likes */
#ifndef SL_UFFD_H
#define SL_UFFD_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sl_test.h"

/* A page whose first access waits until it is filled */
struct slow_page {
	int uffd;
	void *page;
};

static inline int slow_page(struct slow_page *s)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	s->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	s->page = mmap(NULL, sl_page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)s->page;
	reg.range.len = sl_page;
	if (s->uffd < 0 || s->page == MAP_FAILED ||
	    ioctl(s->uffd, UFFDIO_API, &api) ||
	    ioctl(s->uffd, UFFDIO_REGISTER, &reg))
		return -1;
	return 0;
}

static inline int fill_slow_page(struct slow_page *s, const void *data,
				 size_t len)
{
	static char from[65536] __attribute__((aligned(65536)));
	struct uffdio_copy copy = {
		.dst = (unsigned long)s->page,
		.src = (unsigned long)from,
		.len = sl_page,
	};

	memcpy(from, data, len);
	return ioctl(s->uffd, UFFDIO_COPY, &copy);
}

/* A setsockopt() that waits for its argument */
struct slow_option {
	pthread_t thread;
	struct slow_page arg;
	int fd;
	int level;
	int name;
	socklen_t len;
};

static inline void *slow_option_thread(void *arg)
{
	struct slow_option *o = arg;

	return (void *)(long)setsockopt(o->fd, o->level, o->name, o->arg.page,
					o->len);
}

static inline int slow_option_start(struct slow_option *o)
{
	if (slow_page(&o->arg) ||
	    pthread_create(&o->thread, NULL, slow_option_thread, o))
		return -1;
	sl_sleep_ms(300 * sl_slow());
	return 0;
}

/* What setsockopt() returned */
static inline long slow_option_end(struct slow_option *o, const void *data)
{
	void *ret;

	if (fill_slow_page(&o->arg, data, o->len) ||
	    pthread_join(o->thread, &ret))
		return -2;
	close(o->arg.uffd);
	munmap(o->arg.page, sl_page);
	return (long)ret;
}

#endif /* SL_UFFD_H */
