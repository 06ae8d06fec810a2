// SPDX-License-Identifier: GPL-2.0
/*
 * Sending.  A frame that can be is a transfer of its own; others are copied to
 * one that is sent at once when the controller has little to do, and otherwise
 * takes more of them.  usbnet gets finished transfers only, and has no tx_fixup.
 *
 * usbnet drops what it gets while the queue is stopped, and stops the queue by
 * itself in between: everything here looks first, and what cannot go yet stays.
 * The queue may also be stopped from a completion after we have looked: that is
 * an error on the bus, and a lost transfer is none the worse for being dropped.
 */
#include "../usb/compat.h"
#include "rndis.h"

/* Transfers in flight that keep the controller busy */
#define RL_BUSY			2
/* What a transfer is filled for */
#define RL_WAIT_NS		(200 * NSEC_PER_USEC)
/* How often is looked whether a stopped queue goes on */
#define RL_RETRY_NS		NSEC_PER_MSEC
/* A transfer that is to take many frames; one piece of 32 KB with what skbs need */
#define RL_CHUNK		SKB_WITH_OVERHEAD(32768)

static bool rl_busy(struct usbnet *dev)
{
	return skb_queue_len_lockless(&dev->txq) >= RL_BUSY;
}

/* Under the transmit lock, as the callback's own start is. */
static void rl_tx_arm(struct rl_tx *tx, u64 ns)
{
	/* Not hrtimer_active(): a callback that is running may have looked already. */
	if (!hrtimer_is_queued(&tx->timer))
		hrtimer_start(&tx->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_SOFT);
}

/*
 * Whether usbnet takes a transfer.
 *
 * One that was broken off (a sleep, a time-out, a fault of the bus: usbnet counts them
 * all as errors) has not ended for the device, which would append the next one to it:
 * with checksums left out, nobody would see that.  A byte of its own is the end, before
 * anything else.  The first one is for what another driver may have left; while asleep,
 * usbnet keeps one transfer for the resume, and what is broken off is not counted yet.
 *
 * Only where checksums are left out: QEMU's device would take it for a message's begin.
 */
static bool rl_tx_ready(struct rl_dev *rl)
{
	struct net_device *net = rl->dev->net;
	unsigned long errors = READ_ONCE(net->stats.tx_errors), dropped;
	struct sk_buff *skb;

	if (netif_queue_stopped(net))
		return false;
	if (!rl->tx.peer.offload ||
	    (errors == rl->tx.errors && !test_bit(EVENT_DEV_ASLEEP, &rl->dev->flags)))
		return true;
	skb = alloc_skb(1, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return true;
	skb->dev = net;
	skb_put_u8(skb, 0);
	/* No packet; usbnet wants some length. */
	usbnet_set_skb_tx_stats(skb, 0, 0);
	dropped = net->stats.tx_dropped;
	usbnet_start_xmit(skb, net);
	/* One that did not go is tried again with the next transfer. */
	if (net->stats.tx_dropped == dropped) {
		rl->tx.errors = errors;
		rl->stats.tx_ends++;
	}
	return !netif_queue_stopped(net);
}

/* Gives the transfer to usbnet; the queue runs. */
static void rl_tx_send(struct rl_dev *rl)
{
	struct net_device *net = rl->dev->net;
	struct rl_tx *tx = &rl->tx;
	struct sk_buff *skb = tx->carrier;
	struct rndis_data_hdr *first = (void *)skb->data;

	sl_rndis_xfer_end(&tx->xfer, &tx->peer);
	/* QEMU's device takes what is behind a message for the beginning of the next. */
	if (tx->xfer.messages == 1)
		first->msg_len = cpu_to_le32(tx->xfer.len);
	skb_put(skb, tx->xfer.len);
	/* usbnet adds what it submits. */
	usbnet_set_skb_tx_stats(skb, tx->xfer.messages, (long)tx->xfer.bytes - skb->len);
	tx->carrier = NULL;
	usbnet_start_xmit(skb, net);
}

/* A transfer for the frame that is to be copied, and for more if @more. */
static bool rl_tx_carrier(struct rl_dev *rl, bool more)
{
	struct rl_tx *tx = &rl->tx;
	struct sl_rndis_xfer *xfer = &tx->xfer;
	u32 size = RL_CHUNK, one;

	if (!tx->cut.mss) {
		one = tx->cut.skb->len + SL_RNDIS_HEADER_MAX + tx->peer.align + sizeof(__le32);
		/* Its payload is to be at its offset in a page. */
		if (skb_is_gso(tx->cut.skb))
			one += SL_RNDIS_WIRE_PAGE;
		size = more ? max_t(u32, size, one) : one;
	}
	memset(xfer, 0, sizeof(*xfer));
	xfer->size = min(size, tx->peer.xfer_max);
	tx->carrier = alloc_skb(xfer->size, GFP_ATOMIC | __GFP_NOWARN);
	if (!tx->carrier)
		return false;
	tx->carrier->dev = rl->dev->net;
	xfer->data = tx->carrier->data;
	return true;
}

/* Goes on copying; false when the queue is stopped and some is left. */
static bool rl_tx_pump(struct rl_dev *rl, bool more)
{
	struct net_device *net = rl->dev->net;
	struct rl_tx *tx = &rl->tx;

	while (tx->cut.skb) {
		if (!tx->carrier && !rl_tx_carrier(rl, more)) {
			rl->stats.tx_no_memory++;
			net->stats.tx_dropped++;
			dev_kfree_skb_any(tx->cut.skb);
			tx->cut.skb = NULL;
			break;
		}
		if (sl_rndis_cut_put(&tx->cut, &tx->xfer, &tx->peer))
			break;
		if (!rl_tx_ready(rl))
			return false;
		rl_tx_send(rl);
	}
	/* The frame was too long for any. */
	if (tx->carrier && !tx->xfer.messages) {
		net->stats.tx_dropped++;
		dev_kfree_skb_any(tx->carrier);
		tx->carrier = NULL;
	}
	return true;
}

/* Sends what is there; false when the queue is stopped. */
static bool rl_tx_flush(struct rl_dev *rl)
{
	if (!rl_tx_pump(rl, false))
		return false;
	if (!rl->tx.carrier)
		return true;
	if (!rl_tx_ready(rl))
		return false;
	rl_tx_send(rl);
	return true;
}

static bool rl_can_lend(struct rl_dev *rl, const struct sk_buff *skb)
{
	if (skb_is_nonlinear(skb) && !rl->dev->can_dma_sg) {
		rl->stats.tx_copied_no_sg++;
		return false;
	}
	return sl_rndis_can_lend(skb, &rl->tx.peer);
}

static bool rl_tx_lend(struct rl_dev *rl, struct sk_buff *skb)
{
	unsigned int packets = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
	long len = skb->len;

	if (sl_rndis_lend(skb, &rl->tx.peer))
		return false;
	usbnet_set_skb_tx_stats(skb, packets, len - (long)skb->len);
	usbnet_start_xmit(skb, rl->dev->net);
	return true;
}

/**
 * rl_start_xmit() - send a frame
 * @skb: the frame
 * @net: the device
 *
 * Return: NETDEV_TX_BUSY when what came before is not all sent: the queue was
 * woken for less than that, and is stopped again.
 */
netdev_tx_t rl_start_xmit(struct sk_buff *skb, struct net_device *net)
{
	struct rl_dev *rl = rl_netdev(net);
	struct rl_tx *tx = &rl->tx;
	bool more;

	if (!rl_tx_pump(rl, true))
		return NETDEV_TX_BUSY;
	if (rl_can_lend(rl, skb)) {
		/* In the order in which they came */
		if (!rl_tx_flush(rl) || !rl_tx_ready(rl))
			return NETDEV_TX_BUSY;
		if (rl_tx_lend(rl, skb))
			return NETDEV_TX_OK;
	}

	skb_tx_timestamp(skb);
	sl_rndis_cut_start(&tx->cut, skb, &tx->peer);
	more = tx->peer.messages_max > 1 && (netdev_xmit_more() || rl_busy(rl->dev));
	if (!rl_tx_pump(rl, more) || (more && tx->carrier))
		rl_tx_arm(tx, RL_WAIT_NS);
	else if (!rl_tx_flush(rl))
		rl_tx_arm(tx, RL_RETRY_NS);
	return NETDEV_TX_OK;
}

static enum hrtimer_restart rl_tx_timer(struct hrtimer *timer)
{
	struct rl_dev *rl = container_of(timer, struct rl_dev, tx.timer);
	struct netdev_queue *queue = netdev_get_tx_queue(rl->dev->net, 0);

	__netif_tx_lock(queue, smp_processor_id());
	if (!rl_tx_flush(rl))
		rl_tx_arm(&rl->tx, RL_RETRY_NS);
	__netif_tx_unlock(queue);
	return HRTIMER_NORESTART;
}

void rl_tx_init(struct rl_dev *rl)
{
	rl->tx.peer.stats = &rl->stats;
	rl->tx.errors = ULONG_MAX;
	sl_hrtimer_setup_soft(&rl->tx.timer, rl_tx_timer);
}

/**
 * rl_tx_stop() - forget what is not usbnet's yet
 * @rl: the device, for which rl_start_xmit() does not run
 */
void rl_tx_stop(struct rl_dev *rl)
{
	struct rl_tx *tx = &rl->tx;

	/* Also when the callback starts itself anew meanwhile. */
	hrtimer_cancel(&tx->timer);
	dev_kfree_skb_any(tx->cut.skb);
	tx->cut.skb = NULL;
	dev_kfree_skb_any(tx->carrier);
	tx->carrier = NULL;
}
