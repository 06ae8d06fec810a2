// SPDX-License-Identifier: GPL-2.0
/*
 * Side by side: the same scene on a plain socket and on an attached one
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sl_scene.h"
#include "sl_udp.h"

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int sig)
{
	sigpipes++;
}

/* Attach one more socket of the scene, if this is the attached one */
int sl_scene_attach(struct sl_scene *s, int fd)
{
	return s->attached ? sl_attach(fd) : 0;
}

/* All of the scene's buffer in one call */
ssize_t sl_scene_send(struct sl_scene *s, int flags)
{
	return send(s->p.tx, s->b->data, s->b->len, flags);
}

/*
 * Send from byte "done" on until nothing more goes in: how far it got.  What
 * the receiver had to drop is sent again, and a window too small for a segment
 * is used, when a timer goes off: after 200 ms and a bit, each.
 */
size_t sl_scene_stuff(struct sl_scene *s, size_t done)
{
	int idle;
	ssize_t n;

	for (idle = 0; idle < 4; idle++) {
		n = send(s->p.tx, s->b->data + done, s->b->len - done,
			 MSG_DONTWAIT);
		if (n > 0) {
			done += n;
			idle = 0;
		}
		sl_sleep_ms(130);
	}
	return done;
}

void sl_note(struct sl_scene *s, const char *what, long value)
{
	if (s->nr == SL_NOTES_MAX)
		return;
	s->note[s->nr].what = what;
	s->note[s->nr++].value = value;
}

void sl_note_call(struct sl_scene *s, const char *what, ssize_t ret, size_t len)
{
	if (ret < 0)
		sl_note(s, what, -errno);
	else if (!ret)
		sl_note(s, what, 0);
	else
		sl_note(s, what,
			(size_t)ret == len ? SL_FULL_COUNT : SL_SHORT_COUNT);
}

void sl_note_sigpipes(struct sl_scene *s)
{
	sl_note(s, "SIGPIPEs", sigpipes);
	sigpipes = 0;
}

void sl_note_so_error(struct sl_scene *s)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(s->p.tx, SOL_SOCKET, SO_ERROR, &err, &len);
	sl_note(s, "SO_ERROR", err);
}

/* The first "len" bytes arrive as they were, although they are overwritten */
void sl_note_arrival(struct sl_scene *s, size_t len)
{
	sl_fill(s->b->data, s->b->len, ~SL_SCENE_STREAM);
	sl_note(s, "arrival", sl_drain(s->p.rx, len, SL_SCENE_STREAM));
	sl_fill(s->b->data, s->b->len, SL_SCENE_STREAM);
}

/*
 * So many datagrams arrive and no more, although the buffer is overwritten:
 * their lengths and contents.
 */
void sl_note_datagrams(struct sl_scene *s, int nr)
{
	ssize_t n;

	sl_fill(s->b->data, s->b->len, ~SL_SCENE_STREAM);
	while (nr--) {
		uint64_t digest = 0;

		n = sl_udp_digest(s->p.rx, &digest);
		sl_note(s, "datagram", n < 0 ? -errno : n);
		sl_note(s, "content", digest);
	}
	sl_note(s, "no more", sl_udp_none(s->p.rx));
	sl_fill(s->b->data, s->b->len, SL_SCENE_STREAM);
}

/* So much has been lent by now, where it should have been */
void sl_note_loans(struct sl_scene *s, long long at_least)
{
	sl_note(s, "loans",
		!s->attached || sl_plain() || sl_lent(s->p.tx) >= at_least);
}

static void *later(void *arg)
{
	struct sl_later *l = arg;

	sl_sleep_ms(l->ms);
	l->fn(l->s);
	return NULL;
}

void sl_later(struct sl_later *l, struct sl_scene *s, unsigned int ms,
	      void (*fn)(struct sl_scene *s))
{
	l->s = s;
	l->ms = ms;
	l->fn = fn;
	pthread_create(&l->thread, NULL, later, l);
}

void sl_later_end(struct sl_later *l)
{
	pthread_join(l->thread, NULL);
}

struct stage { /* what a scene begins with */
	struct sl_buf *b;
	int family;
	int bufsize;
	bool udp;
};

static bool play(struct sl_scene *s, const struct stage *st, bool attached,
		 sl_scene_fn fn)
{
	struct sigaction sa = { .sa_handler = count_sigpipe };

	memset(s, 0, sizeof(*s));
	s->b = st->b;
	s->family = st->family;
	s->attached = attached;
	sigpipes = 0;
	sigaction(SIGPIPE, &sa, NULL);
	sl_fill(st->b->data, st->b->len, SL_SCENE_STREAM);
	if (st->udp ?
		    sl_udp_pair_plain(&s->p, st->family, &s->to, true) :
		    sl_pair_sized(&s->p, st->family, st->bufsize, st->bufsize))
		return false;
	if (sl_scene_attach(s, s->p.tx))
		sl_note(s, "attach", -errno);
	else
		fn(s);
	sl_note_sigpipes(s);
	sl_pair_close(&s->p);
	return true;
}

/* Are the notes the same? */
static bool same(const struct stage *st, sl_scene_fn fn)
{
	struct sl_scene plain, lent;
	bool same;
	int i;

	if (!play(&plain, st, false, fn) || !play(&lent, st, true, fn))
		return false;
	same = plain.nr == lent.nr;
	for (i = 0; i < plain.nr && i < lent.nr; i++) {
		if (plain.note[i].value == lent.note[i].value)
			continue;
		same = false;
		fprintf(stderr, "# %s (note %d): plain %ld, attached %ld\n",
			plain.note[i].what, i, plain.note[i].value,
			lent.note[i].value);
	}
	if (!same)
		sl_log_counters();
	return same;
}

bool sl_same(struct sl_buf *b, int family, int bufsize, sl_scene_fn fn)
{
	struct stage st = { .b = b, .family = family, .bufsize = bufsize };

	return same(&st, fn);
}

/* With a connected pair of UDP sockets */
bool sl_same_udp(struct sl_buf *b, int family, sl_scene_fn fn)
{
	struct stage st = { .b = b, .family = family, .udp = true };

	return same(&st, fn);
}
