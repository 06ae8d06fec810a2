// SPDX-License-Identifier: GPL-2.0
/*
 * Events of sockets in a pool, and how they are read.
 *
 * A joined socket has four of its callbacks replaced by ours, which call the ones
 * that it came with first.  They stay until the socket is released, or begins to
 * listen: what they need is in its sl_sock.  Whatever chains to ours meanwhile
 * (TLS, a sockmap) may go on calling them after that, so that they also work
 * without an sl_sock, as those that a plain socket has.
 *
 * An event is a bit that is set until it is read, so that none can be lost.
 */
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <net/tcp.h>

#include "ops.h"
#include "pool.h"
#include "rx.h"
#include "sockloan.h"

/* Events that come once in the life of a connection */
#define SL_EVENTS_ONCE	(SOCKLOAN_EVENT_SHUTDOWN | SOCKLOAN_EVENT_RESET)

/*
 * What is told of a stream of what has happened: its end once, and no data behind it;
 * the end together with the data before it, which TCP reports the other way round;
 * and no end behind a reset, which is a part of that.  Event lock held.
 */
static u32 sl_event_order(struct sl_rx *rx, u32 events)
{
	if ((rx->told & SOCKLOAN_EVENT_SHUTDOWN) ||
	    ((rx->told & SOCKLOAN_EVENT_RESET) &&
	     READ_ONCE(rx->sk->sk_state) == TCP_CLOSE))
		events &= ~SOCKLOAN_EVENT_SHUTDOWN;
	if (rx->told & SOCKLOAN_EVENT_SHUTDOWN)
		events &= ~SOCKLOAN_EVENT_DATA;
	/* A FIN is in the queue, too. */
	if ((events & SOCKLOAN_EVENT_SHUTDOWN) && tcp_inq(rx->sk))
		events |= SOCKLOAN_EVENT_DATA;
	rx->told |= events & SL_EVENTS_ONCE;
	return events;
}

/* Context: any. */
static void sl_event_post(struct sl_rx *rx, u32 events, int error)
{
	struct sl_pool *pool = rx->pool;
	unsigned long flags;

	spin_lock_irqsave(&pool->event_lock, flags);
	if (rx->sk->sk_type == SOCK_STREAM)
		events = sl_event_order(rx, events);
	events &= rx->wanted;
	/* It has left, and nobody will read them? */
	if (!events || list_empty(&rx->node))
		goto out;
	if (events & SOCKLOAN_EVENT_RESET)
		rx->error = error;
	rx->pending |= events;
	if (list_empty(&rx->ready))
		list_add_tail(&rx->ready, &pool->eventful);
	wake_up_interruptible_poll(&pool->wait, EPOLLIN | EPOLLRDNORM);
out:
	spin_unlock_irqrestore(&pool->event_lock, flags);
}

/* The peer's end, unless it is a part of an error, which is reported by itself */
static void sl_event_end(struct sl_rx *rx)
{
	struct sock *sk = rx->sk;

	if (!READ_ONCE(sk->sk_err) &&
	    (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN))
		sl_event_post(rx, SOCKLOAN_EVENT_SHUTDOWN, 0);
}

static void sl_event_error(struct sl_rx *rx)
{
	int err = READ_ONCE(rx->sk->sk_err);

	if (err)
		sl_event_post(rx, SOCKLOAN_EVENT_RESET, -err);
}

/* Another connection on the same socket: what comes once comes once more. */
static void sl_event_again(struct sl_rx *rx)
{
	struct sl_pool *pool = rx->pool;
	unsigned long flags;

	spin_lock_irqsave(&pool->event_lock, flags);
	rx->told &= ~SL_EVENTS_ONCE;
	spin_unlock_irqrestore(&pool->event_lock, flags);
}

/* Socket locked.  The mark is announced by segments before the one that has the byte. */
static void sl_event_urgent(struct sl_rx *rx)
{
	const struct tcp_sock *tp = tcp_sk(rx->sk);
	u32 seq = READ_ONCE(tp->urg_seq);

	if (!(READ_ONCE(tp->urg_data) & TCP_URG_VALID) ||
	    (rx->urg_told && rx->urg_seq == seq))
		return;
	rx->urg_told = true;
	rx->urg_seq = seq;
	sl_event_post(rx, SOCKLOAN_EVENT_URGENT, 0);
}

static bool sl_event_writable(const struct sock *sk)
{
	if (sk->sk_type != SOCK_STREAM)
		return sock_writeable(sk);
	return ((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) &&
	       sk_stream_is_writeable(sk);
}

/* -- callbacks: RCU readers, with the socket locked or not --------------------------- */

/*
 * Each calls first the one that it stands in for.  A sock may have ours and no such: one
 * that was born by a socket that had them, or whose sl_sock came or went meanwhile.
 */
#define sl_event_chain(sk, ss, name)					\
do {									\
	struct sock *sk_ = (sk);					\
	struct sl_sock *ss_ = (ss);					\
	void (*call_)(struct sock *s);					\
									\
	call_ = ss_ ? READ_ONCE(ss_->call.name) : NULL;			\
	if (!call_)							\
		call_ = sl_plain_calls(sk_)->name;			\
	call_(sk_);							\
} while (0)

static struct sl_rx *sl_event_rx(const struct sl_sock *ss)
{
	return ss ? rcu_dereference(ss->rx) : NULL;
}

static void sl_data_ready(struct sock *sk)
{
	struct sl_sock *ss;
	struct sl_rx *rx;

	rcu_read_lock();
	ss = sl_find(sk);
	sl_event_chain(sk, ss, data_ready);
	rx = sl_event_rx(ss);
	if (rx) {
		if (sk->sk_type == SOCK_STREAM)
			sl_event_urgent(rx);
		sl_event_post(rx, SOCKLOAN_EVENT_DATA, 0);
	}
	rcu_read_unlock();
}

static void sl_state_change(struct sock *sk)
{
	struct sl_sock *ss;
	struct sl_rx *rx;

	rcu_read_lock();
	ss = sl_find(sk);
	sl_event_chain(sk, ss, state_change);
	rx = sl_event_rx(ss);
	if (rx) {
		if (sk->sk_state == TCP_ESTABLISHED) {
			sl_event_again(rx);
			if (sl_event_writable(sk))
				sl_event_post(rx, SOCKLOAN_EVENT_WRITABLE, 0);
		}
		sl_event_end(rx);
	}
	rcu_read_unlock();
}

static void sl_write_space(struct sock *sk)
{
	struct sl_sock *ss;
	struct sl_rx *rx;

	rcu_read_lock();
	ss = sl_find(sk);
	sl_event_chain(sk, ss, write_space);
	rx = sl_event_rx(ss);
	if (rx && sl_event_writable(sk))
		sl_event_post(rx, SOCKLOAN_EVENT_WRITABLE, 0);
	rcu_read_unlock();
}

static void sl_error_report(struct sock *sk)
{
	struct sl_sock *ss;
	struct sl_rx *rx;

	rcu_read_lock();
	ss = sl_find(sk);
	sl_event_chain(sk, ss, error_report);
	rx = sl_event_rx(ss);
	if (rx) {
		/*
		 * connect(AF_UNSPEC) resets the count that tells where the
		 * stream is, and then reports.
		 */
		if (sk->sk_type == SOCK_STREAM && sk->sk_state == TCP_CLOSE &&
		    !tcp_sk(sk)->bytes_received)
			WRITE_ONCE(rx->restarted, true);
		sl_event_error(rx);
	}
	rcu_read_unlock();
}

/*
 * Ours instead of the socket's own.  Never two of ours in a row: a sock that was born by
 * one that had them has them already.  Whoever finds ours finds what it chains to.
 */
#define sl_event_replace(ss, callback, name)				\
do {									\
	struct sl_sock *ss_ = (ss);					\
	struct sock *sk_ = ss_->sk;					\
									\
	if (sk_->callback != sl_##name)					\
		WRITE_ONCE(ss_->call.name, sk_->callback);		\
	smp_wmb();	/* see above */					\
	WRITE_ONCE(sk_->callback, sl_##name);				\
} while (0)

/**
 * sl_event_hook - have the socket's callbacks come by us
 * @ss: locked
 * @events: what is wanted.  Data comes by far more often than all the rest: a socket
 *	that nobody wants that of does without the way by us
 */
void sl_event_hook(struct sl_sock *ss, u32 events)
{
	struct sock *sk = ss->sk;

	write_lock_bh(&sk->sk_callback_lock);
	if (!ss->data_called &&
	    (events & (SOCKLOAN_EVENT_DATA | SOCKLOAN_EVENT_URGENT))) {
		sl_event_replace(ss, sk_data_ready, data_ready);
		ss->data_called = true;
	}
	if (!ss->called) {
		sl_event_replace(ss, sk_state_change, state_change);
		sl_event_replace(ss, sk_write_space, write_space);
		sl_event_replace(ss, sk_error_report, error_report);
		ss->called = true;
	}
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * sl_event_unhook - undo sl_event_hook()
 * @ss: locked
 *
 * A callback of ours may be at work still: what it chains to stays in @ss.
 *
 * Return: false when something else has come on top: then the callbacks may be
 * called until the sock is destroyed.
 */
bool sl_event_unhook(struct sl_sock *ss)
{
	struct sock *sk = ss->sk;
	bool ours;

	if (!ss->called)
		return true;
	write_lock_bh(&sk->sk_callback_lock);
	ours = (!ss->data_called || sk->sk_data_ready == sl_data_ready) &&
	       sk->sk_state_change == sl_state_change &&
	       sk->sk_write_space == sl_write_space &&
	       sk->sk_error_report == sl_error_report;
	if (ours) {
		if (ss->data_called)
			WRITE_ONCE(sk->sk_data_ready, ss->call.data_ready);
		WRITE_ONCE(sk->sk_state_change, ss->call.state_change);
		WRITE_ONCE(sk->sk_write_space, ss->call.write_space);
		WRITE_ONCE(sk->sk_error_report, ss->call.error_report);
		ss->called = false;
		ss->data_called = false;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	return ours;
}

/**
 * sl_event_inherited - give an accepted sock back its own callbacks
 * @sk: nobody else has it yet
 *
 * The listener may have joined a pool while it was on its way to listening.
 */
void sl_event_inherited(struct sock *sk)
{
	const struct sl_calls *plain = sl_plain_calls(sk);

	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_data_ready == sl_data_ready)
		WRITE_ONCE(sk->sk_data_ready, plain->data_ready);
	if (sk->sk_state_change == sl_state_change)
		WRITE_ONCE(sk->sk_state_change, plain->state_change);
	if (sk->sk_write_space == sl_write_space)
		WRITE_ONCE(sk->sk_write_space, plain->write_space);
	if (sk->sk_error_report == sl_error_report)
		WRITE_ONCE(sk->sk_error_report, plain->error_report);
	write_unlock_bh(&sk->sk_callback_lock);
}

/* Tell what is true already; socket locked. */
void sl_event_start(struct sl_rx *rx)
{
	struct sock *sk = rx->sk;
	bool data;

	if (sk->sk_type == SOCK_STREAM) {
		sl_event_urgent(rx);
		data = tcp_inq(sk);
	} else {
		data = !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
		       !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
	}
	if (data)
		sl_event_post(rx, SOCKLOAN_EVENT_DATA, 0);
	if (sl_event_writable(sk))
		sl_event_post(rx, SOCKLOAN_EVENT_WRITABLE, 0);
	sl_event_error(rx);
	sl_event_end(rx);
}

/* -- reading ------------------------------------------------------------------------- */

/*
 * Each read goes through a list of its own, of the sockets that had events when it
 * began.  What comes for one that it has told of goes back to the pool's: a program may
 * close that socket at its first record, and must not find another behind it.
 */
static bool sl_event_begin(struct sl_pool *pool, struct list_head *batch)
{
	bool any;

	spin_lock_irq(&pool->event_lock);
	list_splice_init(&pool->eventful, batch);
	any = !list_empty(batch);
	spin_unlock_irq(&pool->event_lock);
	return any;
}

/* Take the next record, if one is left: its socket may have gone meanwhile. */
static bool sl_event_take(struct sl_pool *pool, struct list_head *batch,
			  struct sockloan_event *event)
{
	struct sl_rx *rx;

	spin_lock_irq(&pool->event_lock);
	rx = list_first_entry_or_null(batch, struct sl_rx, ready);
	if (rx) {
		event->cookie = rx->cookie;
		event->events = rx->pending;
		event->error = rx->pending & SOCKLOAN_EVENT_RESET ?
				       -rx->error : 0;
		rx->pending = 0;
		list_del_init(&rx->ready);
		pool->events++;
	}
	spin_unlock_irq(&pool->event_lock);
	return rx;
}

/* What was not read is the next one's; another reader may have found nothing meanwhile. */
static void sl_event_end_batch(struct sl_pool *pool, struct list_head *batch)
{
	spin_lock_irq(&pool->event_lock);
	if (!list_empty(batch)) {
		list_splice_init(batch, &pool->eventful);
		wake_up_interruptible_poll(&pool->wait, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock_irq(&pool->event_lock);
}

static ssize_t sl_event_copy(struct sl_pool *pool, struct list_head *batch,
			     char __user *buf, size_t len)
{
	struct sockloan_event event;
	size_t done = 0;

	while (done + sizeof(event) <= len && done < PAGE_SIZE &&
	       sl_event_take(pool, batch, &event)) {
		if (copy_to_user(buf + done, &event, sizeof(event)))
			return done ?: -EFAULT;
		done += sizeof(event);
	}
	return done;
}

/**
 * sl_event_read - read(2) of a pool's file
 * @pool: a pool that is ready
 * @buf: for struct sockloan_event
 * @len: its length, bytes
 * @nonblock: do not wait
 *
 * No socket is told of twice in one read.
 *
 * Return: bytes read, or an error.
 */
ssize_t sl_event_read(struct sl_pool *pool, char __user *buf, size_t len,
		      bool nonblock)
{
	LIST_HEAD(batch);
	ssize_t done = 0;

	if (len < sizeof(struct sockloan_event))
		return -EINVAL;
	/* A record that was taken has to arrive. */
	if (fault_in_writeable(buf, min_t(size_t, len, PAGE_SIZE)))
		return -EFAULT;
	while (!done) {
		if (sl_event_begin(pool, &batch)) {
			done = sl_event_copy(pool, &batch, buf, len);
			sl_event_end_batch(pool, &batch);
		} else if (nonblock) {
			return -EAGAIN;
		} else if (wait_event_interruptible(pool->wait,
						    !list_empty_careful(&pool->eventful))) {
			return -ERESTARTSYS;
		}
	}
	return done;
}
