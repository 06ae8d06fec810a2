// SPDX-License-Identifier: GPL-2.0
/*
 * Frames to the host: sent from where they lie when the controller has scatter
 * lists, otherwise copied once into a transfer, several to one while the
 * controller is busy.
 *
 * All of it is under the transmit lock but two things.  The endpoint may be
 * turned off at any time, from an interrupt: slg_link.lock is held and
 * slg_link.up is looked at when a request is queued.  And what was agreed on
 * may change likewise: see sync().
 */
#include <linux/rndis.h>

#include "gadget.h"

static struct netdev_queue *queue_of(const struct slg_link *link)
{
	return netdev_get_tx_queue(link->net, 0);
}

static void slg_tx_complete(struct usb_ep *ep, struct usb_request *req)
{
	struct slg_tx *t = req->context;
	struct slg_link *link = t->link;

	WRITE_ONCE(t->queued, false);
	llist_add(&t->done, &link->tx_done);
	napi_schedule(&link->napi);
}

static void put_free(struct slg_link *link, struct slg_tx *t)
{
	list_add(&t->list, &link->tx_free);
}

static struct slg_tx *get_free(struct slg_link *link)
{
	struct slg_tx *t = list_first_entry_or_null(&link->tx_free, struct slg_tx, list);

	if (t)
		list_del(&t->list);
	return t;
}

/* Takes over what is agreed on; what was gathered before it changed is dropped. */
static void sync(struct slg_link *link)
{
	unsigned long flags;

	if (READ_ONCE(link->epoch) == link->tx_epoch)
		return;
	spin_lock_irqsave(&link->lock, flags);
	link->tx = link->agreed;
	link->tx_epoch = link->epoch;
	spin_unlock_irqrestore(&link->lock, flags);

	if (link->cut.skb) {
		dev_kfree_skb_any(link->cut.skb);
		link->cut.skb = NULL;
		link->net->stats.tx_dropped++;
	}
	if (link->fill) {
		link->net->stats.tx_dropped += link->fill->xfer.messages;
		put_free(link, link->fill);
		link->fill = NULL;
	}
}

/* Gives a transfer to the controller; drops it when the link has gone or changed. */
static void submit(struct slg_link *link, struct slg_tx *t)
{
	unsigned int packets = t->packets, bytes = t->bytes;
	unsigned long flags;
	int err = -ESHUTDOWN;

	spin_lock_irqsave(&link->lock, flags);
	if (link->up && link->epoch == link->tx_epoch && !link->flushes) {
		WRITE_ONCE(t->queued, true);
		err = usb_ep_queue(link->in, t->req, GFP_ATOMIC);
	}
	spin_unlock_irqrestore(&link->lock, flags);

	if (err) {
		WRITE_ONCE(t->queued, false);
		dev_kfree_skb_any(t->skb);
		t->skb = NULL;
		link->net->stats.tx_dropped += packets;
		put_free(link, t);
		return;
	}
	/* Should it be done already, slg_tx_clean() waits for the transmit lock. */
	link->in_flight++;
	netdev_tx_sent_queue(queue_of(link), bytes);
	dev_sw_netstats_tx_add(link->net, packets, bytes);
}

static void submit_fill(struct slg_link *link)
{
	struct slg_tx *t = link->fill;

	link->fill = NULL;
	sl_rndis_xfer_end(&t->xfer, &link->tx);
	t->packets = t->xfer.messages;
	t->bytes = t->xfer.bytes;
	t->req->buf = t->buf;
	t->req->num_sgs = 0;
	t->req->length = t->xfer.len;
	submit(link, t);
}

static bool start_fill(struct slg_link *link)
{
	struct slg_tx *t = get_free(link);

	if (!t)
		return false;
	memset(&t->xfer, 0, sizeof(t->xfer));
	t->xfer.data = t->buf;
	t->xfer.size = min(link->tx_size, link->tx.xfer_max);
	link->fill = t;
	return true;
}

/* Copies the frame at hand, as far as there are transfers; sends what is full. */
static void fill(struct slg_link *link)
{
	while (link->cut.skb && (link->fill || start_fill(link))) {
		if (!sl_rndis_cut_put(&link->cut, &link->fill->xfer, &link->tx))
			submit_fill(link);
	}
	if (link->fill && link->fill->xfer.messages && link->in_flight < SLG_IN_FLIGHT)
		submit_fill(link);
}

/* Sends a frame from where it lies, if it can be. */
static bool lend(struct slg_link *link, struct sk_buff *skb)
{
	u32 len = skb->len;
	struct slg_tx *t;
	int n;

	if (!link->sg) {
		link->stats.tx_copied_no_sg += skb_is_nonlinear(skb);
		return false;
	}
	if (!sl_rndis_can_lend(skb, &link->tx))
		return false;
	/* Frames stay in order. */
	if (link->fill && link->fill->xfer.messages)
		submit_fill(link);
	t = get_free(link);
	if (!t)
		return false;
	if (sl_rndis_lend(skb, &link->tx)) {
		put_free(link, t);
		return false;
	}
	t->skb = skb;
	t->packets = 1;
	t->bytes = len;
	t->req->length = skb->len;
	t->req->buf = skb->data;
	t->req->num_sgs = 0;
	if (skb_is_nonlinear(skb)) {
		sg_init_table(t->sg, MAX_SKB_FRAGS + 1);
		n = skb_to_sgvec(skb, t->sg, 0, skb->len);
		if (WARN_ON_ONCE(n < 0)) {
			dev_kfree_skb_any(skb);
			t->skb = NULL;
			put_free(link, t);
			return true;
		}
		t->req->buf = NULL;
		t->req->sg = t->sg;
		t->req->num_sgs = n;
	}
	submit(link, t);
	return true;
}

/* Whether another frame can be taken */
static bool has_room(const struct slg_link *link)
{
	if (link->cut.skb)
		return false;
	return !list_empty(&link->tx_free) || (link->fill && !link->sg);
}

/* Whether the host wants the frame */
static bool is_wanted(u16 filter, const struct sk_buff *skb)
{
	const u8 *to = skb->data;
	u16 type = RNDIS_PACKET_TYPE_DIRECTED;

	if (is_broadcast_ether_addr(to))
		type = RNDIS_PACKET_TYPE_BROADCAST;
	else if (is_multicast_ether_addr(to))
		type = RNDIS_PACKET_TYPE_MULTICAST | RNDIS_PACKET_TYPE_ALL_MULTICAST;
	return filter & (type | RNDIS_PACKET_TYPE_PROMISCUOUS);
}

/**
 * slg_start_xmit() - ndo_start_xmit
 * @skb: the frame
 * @net: the device
 *
 * Return: NETDEV_TX_OK, or NETDEV_TX_BUSY when there is no room: the kernel's
 * RNDIS code wakes the queue without asking.
 */
netdev_tx_t slg_start_xmit(struct sk_buff *skb, struct net_device *net)
{
	struct slg_link *link = netdev_priv(net);

	sync(link);
	if (!is_wanted(READ_ONCE(link->filter), skb)) {
		dev_kfree_skb_any(skb);
		net->stats.tx_dropped++;
		return NETDEV_TX_OK;
	}
	/* slg_tx_clean() wakes it, under the same lock: no wake-up is lost. */
	if (!has_room(link)) {
		netif_stop_queue(net);
		return NETDEV_TX_BUSY;
	}
	skb_tx_timestamp(skb);
	if (!lend(link, skb)) {
		sl_rndis_cut_start(&link->cut, skb, &link->tx);
		fill(link);
	}
	if (!has_room(link))
		netif_stop_queue(net);
	return NETDEV_TX_OK;
}

/* A transfer is done: by the host, or because the endpoint was turned off */
static void reclaim(struct slg_link *link, struct slg_tx *t, int budget)
{
	link->in_flight--;
	if (t->req->status && t->req->status != -ESHUTDOWN && t->req->status != -ECONNRESET)
		link->net->stats.tx_errors++;
	if (t->skb)
		napi_consume_skb(t->skb, budget);
	t->skb = NULL;
	put_free(link, t);
}

/**
 * slg_tx_clean() - take back what the controller is done with, and go on
 * @link: the link
 * @budget: NAPI's
 */
void slg_tx_clean(struct slg_link *link, int budget)
{
	struct llist_node *done = llist_del_all(&link->tx_done);
	struct netdev_queue *queue = queue_of(link);
	unsigned int packets = 0, bytes = 0;
	struct slg_tx *t, *next;

	if (!done)
		return;
	__netif_tx_lock(queue, smp_processor_id());
	sync(link);
	llist_for_each_entry_safe(t, next, done, done) {
		packets += t->packets;
		bytes += t->bytes;
		reclaim(link, t, budget);
	}
	netdev_tx_completed_queue(queue, packets, bytes);
	fill(link);
	if (netif_tx_queue_stopped(queue) && has_room(link) && netif_running(link->net) &&
	    netif_carrier_ok(link->net))
		netif_tx_wake_queue(queue);
	__netif_tx_unlock(queue);
}

static void slg_end_complete(struct usb_ep *ep, struct usb_request *req)
{
	struct slg_link *link = req->context;

	WRITE_ONCE(link->ending, false);
}

/*
 * A transfer that was taken back may have gone half-way; to the host it has not ended,
 * and the next one would be appended to it, which nobody sees when checksums are left
 * out.  One byte ends it.  If that is still there from the last time, nothing behind it
 * has begun.  slg_link.lock is held.
 */
static void end_broken(struct slg_link *link)
{
	link->end_due = false;
	if (!link->up || READ_ONCE(link->ending))
		return;
	WRITE_ONCE(link->ending, true);
	if (usb_ep_queue(link->in, link->end, GFP_ATOMIC))
		WRITE_ONCE(link->ending, false);
	else
		link->stats.tx_ends++;
}

/**
 * slg_tx_expire() - take back what the controller has, for it is nobody's any more
 * @link: with slg_link.lock held
 *
 * A host's driver that is unbound or begins anew turns no endpoint off: a stock one
 * would read transfers of the terms before as its own, and until somebody reads them
 * lent pages stay lent.  Nothing is sent before all is back.
 *
 * Context: any.
 */
void slg_tx_expire(struct slg_link *link)
{
	link->epoch++;
	link->flushes++;
	link->end_due |= link->agreed.offload;
	schedule_work(&link->flush);
}

/**
 * slg_tx_flush() - the work that slg_tx_expire() has made
 * @work: slg_link.flush
 */
void slg_tx_flush(struct work_struct *work)
{
	struct slg_link *link = container_of(work, struct slg_link, flush);
	unsigned long flags;
	unsigned int i, n;

	spin_lock_irqsave(&link->lock, flags);
	n = link->flushes;
	spin_unlock_irqrestore(&link->lock, flags);
	/* So that NAPI runs right after what it was scheduled by */
	local_bh_disable();
	for (i = 0; i < link->tx_count; i++) {
		if (READ_ONCE(link->tx_all[i].queued))
			usb_ep_dequeue(link->in, link->tx_all[i].req);
	}
	local_bh_enable();
	/* Those that have come meanwhile have scheduled this anew. */
	spin_lock_irqsave(&link->lock, flags);
	link->flushes -= n;
	if (!link->flushes && link->end_due)
		end_broken(link);
	spin_unlock_irqrestore(&link->lock, flags);
}

static int alloc_end(struct slg_link *link)
{
	link->end = usb_ep_alloc_request(link->in, GFP_KERNEL);
	if (!link->end)
		return -ENOMEM;
	link->end->context = link;
	link->end->complete = slg_end_complete;
	link->end->length = 1;
	link->end->buf = kzalloc(link->end->length, GFP_KERNEL);
	return link->end->buf ? 0 : -ENOMEM;
}

static void free_end(struct slg_link *link)
{
	if (!link->end)
		return;
	kfree(link->end->buf);
	usb_ep_free_request(link->in, link->end);
	link->end = NULL;
}

static int alloc_one(struct slg_link *link, struct slg_tx *t)
{
	t->link = link;
	t->req = usb_ep_alloc_request(link->in, GFP_KERNEL);
	if (!t->req)
		return -ENOMEM;
	t->req->context = t;
	t->req->complete = slg_tx_complete;
	if (link->sg) {
		t->sg = kcalloc(MAX_SKB_FRAGS + 1, sizeof(*t->sg), GFP_KERNEL);
		if (!t->sg)
			return -ENOMEM;
	}
	t->buf = alloc_pages_exact(link->tx_size, GFP_KERNEL | __GFP_NOWARN);
	if (!t->buf)
		return -ENOMEM;
	put_free(link, t);
	return 0;
}

/**
 * slg_tx_alloc() - make the transfers
 * @link: with nothing of them, and tx_size set
 * @count: how many
 *
 * Return: 0 or -ENOMEM; then there may be some, for slg_tx_free().
 */
int slg_tx_alloc(struct slg_link *link, unsigned int count)
{
	int err;

	INIT_LIST_HEAD(&link->tx_free);
	init_llist_head(&link->tx_done);
	link->tx_all = kcalloc(count, sizeof(*link->tx_all), GFP_KERNEL);
	if (!link->tx_all)
		return -ENOMEM;
	err = alloc_end(link);
	while (!err && link->tx_count < count)
		err = alloc_one(link, &link->tx_all[link->tx_count++]);
	return err;
}

/**
 * slg_tx_free() - free the transfers, none of which is with the controller
 * @link: no frame comes any more
 */
void slg_tx_free(struct slg_link *link)
{
	struct slg_tx *t;
	unsigned int i;

	dev_kfree_skb_any(link->cut.skb);
	link->cut.skb = NULL;
	link->fill = NULL;
	for (i = 0; i < link->tx_count; i++) {
		t = &link->tx_all[i];
		dev_kfree_skb_any(t->skb);
		if (t->buf)
			free_pages_exact(t->buf, link->tx_size);
		kfree(t->sg);
		if (t->req)
			usb_ep_free_request(link->in, t->req);
	}
	kfree(link->tx_all);
	link->tx_all = NULL;
	link->tx_count = 0;
	free_end(link);
}
