/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Side by side: the same scene on a plain socket and on an attached one
 *
 * A scene notes everything that a program could see of it, and the two lists
 * of notes have to be equal.
 */
#ifndef SL_SCENE_H
#define SL_SCENE_H

#include <signal.h>

#include "sl_test.h"

#define SL_NOTES_MAX 96

struct sl_scene {
	struct sl_pair p;
	struct sl_addr to; /* of p.rx, with UDP */
	struct sl_buf *b; /* to send, stream SL_SCENE_STREAM */
	int family;
	bool attached; /* or the plain one of the two */
	int nr; /* of notes */
	struct {
		const char *what;
		long value;
	} note[SL_NOTES_MAX];
};

#define SL_SCENE_STREAM 1

/* How a call ended, where plain TCP promises no exact count */
#define SL_SHORT_COUNT 1000001
#define SL_FULL_COUNT 1000002

typedef void (*sl_scene_fn)(struct sl_scene *s);

bool sl_same(struct sl_buf *b, int family, int bufsize, sl_scene_fn fn);
bool sl_same_udp(struct sl_buf *b, int family, sl_scene_fn fn);

int sl_scene_attach(struct sl_scene *s, int fd);
ssize_t sl_scene_send(struct sl_scene *s, int flags);
size_t sl_scene_stuff(struct sl_scene *s, size_t done);
void sl_note(struct sl_scene *s, const char *what, long value);
void sl_note_call(struct sl_scene *s, const char *what, ssize_t ret,
		  size_t len);
void sl_note_sigpipes(struct sl_scene *s);
void sl_note_so_error(struct sl_scene *s);
void sl_note_arrival(struct sl_scene *s, size_t len);
void sl_note_datagrams(struct sl_scene *s, int nr);
void sl_note_loans(struct sl_scene *s, long long at_least);

/* Something that happens while the scene's call is blocked */
struct sl_later {
	pthread_t thread;
	unsigned int ms;
	void (*fn)(struct sl_scene *s);
	struct sl_scene *s;
};

void sl_later(struct sl_later *l, struct sl_scene *s, unsigned int ms,
	      void (*fn)(struct sl_scene *s));
void sl_later_end(struct sl_later *l);

#endif /* SL_SCENE_H */
