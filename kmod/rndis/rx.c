// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: a ring of buffers of pages in place of usbnet's skbs.
 *
 * A slot is idle, or its URB is the controller's, or its transfer waits for the
 * poll or is there.  The lock is held from the look at @stopped to the end of
 * usb_submit_urb(): who has set a bit there under the lock and then killed all
 * URBs knows that none is submitted until the bit is cleared.
 */
#include <linux/slab.h>

#include "rndis.h"

#define RL_SLOTS		8
/* Buffers in one piece are hard to get. */
#define RL_SLOTS_LINEAR		4
/* As usbnet does: faults of the bus come in numbers before a disconnect does. */
#define RL_THROTTLE		(HZ / 8)

/**
 * struct rl_slot - a receive buffer
 * @rx: the ring
 * @urb: what the controller gets
 * @node: in the ring's list of transfers that are there
 * @busy: not idle; under the ring's lock
 * @buf: the memory
 */
struct rl_slot {
	struct rl_rx *rx;
	struct urb *urb;
	struct list_head node;
	bool busy;
	struct sl_rndis_buf buf;
};

static struct rl_dev *rl_of(struct rl_rx *rx)
{
	return container_of(rx, struct rl_dev, rx);
}

static void rl_rx_halted(struct rl_rx *rx)
{
	rx->stopped |= RL_HALTED;
	mod_delayed_work(system_wq, &rx->recover, 0);
}

static void rl_rx_complete(struct urb *urb)
{
	struct rl_slot *slot = urb->context;
	struct rl_rx *rx = slot->rx;
	struct net_device *net = rx->how.net;
	unsigned long flags;

	spin_lock_irqsave(&rx->lock, flags);
	slot->busy = !urb->status;
	switch (urb->status) {
	case 0:
		list_add_tail(&slot->node, &rx->done);
		break;
	/* Killed, or the device is gone: whoever did it goes on. */
	case -ENOENT:
	case -ECONNRESET:
	case -ESHUTDOWN:
		break;
	case -EPIPE:
		net->stats.rx_errors++;
		rl_rx_halted(rx);
		break;
	default:
		net->stats.rx_errors++;
		/* Does not put off what is due already. */
		queue_delayed_work(system_wq, &rx->recover, RL_THROTTLE);
		break;
	}
	spin_unlock_irqrestore(&rx->lock, flags);
	/* While it is polled, this makes it be polled again. */
	if (!urb->status)
		napi_schedule(&rx->napi);
}

/* Submits a slot that is not the controller's, or leaves it idle; locked. */
static void rl_rx_submit(struct rl_rx *rx, struct rl_slot *slot)
{
	struct usbnet *dev = rl_of(rx)->dev;
	struct sl_rndis_buf *buf = &slot->buf;
	struct urb *urb = slot->urb;

	slot->busy = false;
	if (rx->stopped)
		return;
	/* All anew: frames have taken pages. */
	usb_fill_bulk_urb(urb, dev->udev, dev->in,
			  buf->linear ? buf->linear + SL_RNDIS_START : NULL, buf->size,
			  rl_rx_complete, slot);
	urb->sg = buf->linear ? NULL : buf->sg;
	urb->num_sgs = buf->linear ? 0 : buf->pages;
	switch (usb_submit_urb(urb, GFP_ATOMIC)) {
	case 0:
		/* The completion waits for the lock. */
		slot->busy = true;
		break;
	case -EPIPE:
		rl_rx_halted(rx);
		break;
	/* The device is gone or asleep; disconnect or resume follows. */
	case -ENODEV:
	case -ENOENT:
	case -ESHUTDOWN:
	case -EHOSTUNREACH:
		break;
	default:
		queue_delayed_work(system_wq, &rx->recover, RL_THROTTLE);
		break;
	}
}

/* Removes a reason not to receive. */
static void rl_rx_run(struct rl_rx *rx, unsigned int reason)
{
	unsigned int i;

	spin_lock_irq(&rx->lock);
	rx->stopped &= ~reason;
	for (i = 0; i < rx->slots && !rx->stopped; i++)
		if (!rx->slot[i].busy)
			rl_rx_submit(rx, &rx->slot[i]);
	spin_unlock_irq(&rx->lock);
}

/* Adds a reason; afterwards the controller has no URB. */
static void rl_rx_quiesce(struct rl_rx *rx, unsigned int reason)
{
	unsigned int i;

	spin_lock_irq(&rx->lock);
	rx->stopped |= reason;
	spin_unlock_irq(&rx->lock);
	for (i = 0; i < rx->slots; i++)
		usb_kill_urb(rx->slot[i].urb);
}

static void rl_rx_recover(struct work_struct *work)
{
	struct rl_rx *rx = container_of(work, struct rl_rx, recover.work);
	struct usbnet *dev = rl_of(rx)->dev;
	int err;

	if (READ_ONCE(rx->stopped) & RL_HALTED) {
		rl_rx_quiesce(rx, RL_HALTED);
		/* usbnet_open() has kept the device awake, so this never waits for a resume. */
		err = usb_clear_halt(dev->udev, dev->in);
		if (err == -ENODEV || err == -ESHUTDOWN)
			return;
		if (err) {
			/* Asleep, or still stalling */
			queue_delayed_work(system_wq, &rx->recover, RL_THROTTLE);
			return;
		}
	}
	rl_rx_run(rx, RL_HALTED);
}

static struct rl_slot *rl_rx_next(struct rl_rx *rx)
{
	struct rl_slot *slot;

	spin_lock_irq(&rx->lock);
	slot = list_first_entry_or_null(&rx->done, struct rl_slot, node);
	if (slot)
		list_del(&slot->node);
	spin_unlock_irq(&rx->lock);
	return slot;
}

static int rl_rx_poll(struct napi_struct *napi, int budget)
{
	struct rl_rx *rx = container_of(napi, struct rl_rx, napi);
	struct rl_slot *slot;
	int done = 0;

	/* An empty transfer counts too, or a device could keep us here. */
	while (done < budget && (slot = rl_rx_next(rx))) {
		done += max(sl_rndis_receive(&rx->how, &slot->buf, slot->urb->actual_length), 1U);
		spin_lock_irq(&rx->lock);
		rl_rx_submit(rx, slot);
		spin_unlock_irq(&rx->lock);
		usb_mark_last_busy(rl_of(rx)->dev->udev);
	}
	if (done >= budget)
		return budget;
	napi_complete_done(napi, done);
	return done;
}

/**
 * rl_rx_init() - before anything is received
 * @rl: the device
 */
void rl_rx_init(struct rl_dev *rl)
{
	struct net_device *net = rl->dev->net;
	struct rl_rx *rx = &rl->rx;

	spin_lock_init(&rx->lock);
	INIT_LIST_HEAD(&rx->done);
	INIT_DELAYED_WORK(&rx->recover, rl_rx_recover);
	rx->stopped = RL_CLOSED;
	rx->how.napi = &rx->napi;
	rx->how.net = net;
	rx->how.stats = &rl->stats;
	netif_napi_add(net, &rx->napi, rl_rx_poll);
}

/**
 * rl_rx_exit() - undo rl_rx_init()
 * @rl: the device, which is not open
 */
void rl_rx_exit(struct rl_dev *rl)
{
	netif_napi_del(&rl->rx.napi);
}

static void rl_rx_free(struct rl_rx *rx)
{
	unsigned int i;

	for (i = 0; i < rx->slots; i++) {
		usb_free_urb(rx->slot[i].urb);
		sl_rndis_buf_free(&rx->slot[i].buf);
	}
	kfree(rx->slot);
	rx->slot = NULL;
	rx->slots = 0;
}

static int rl_rx_alloc(struct rl_rx *rx)
{
	unsigned int n = rx->linear ? RL_SLOTS_LINEAR : RL_SLOTS, i;
	int err;

	rx->slot = kcalloc(n, sizeof(*rx->slot), GFP_KERNEL);
	if (!rx->slot)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct rl_slot *slot = &rx->slot[i];

		slot->rx = rx;
		slot->urb = usb_alloc_urb(0, GFP_KERNEL);
		err = slot->urb ? sl_rndis_buf_alloc(&slot->buf, SL_RNDIS_XFER_LARGE, rx->linear,
						     GFP_KERNEL) : -ENOMEM;
		if (err) {
			usb_free_urb(slot->urb);
			break;
		}
		rx->slots++;
	}
	/* A ring of fewer works, if there is one at all. */
	if (rx->slots)
		return 0;
	rl_rx_free(rx);
	return -ENOMEM;
}

/**
 * rl_rx_open() - begin to receive
 * @rl: the device, which usbnet keeps from being suspended
 *
 * Return: 0 or -ENOMEM.
 */
int rl_rx_open(struct rl_dev *rl)
{
	struct rl_rx *rx = &rl->rx;
	int err = rl_rx_alloc(rx);

	if (err)
		return err;
	napi_enable(&rx->napi);
	rl_rx_run(rx, RL_CLOSED);
	return 0;
}

/**
 * rl_rx_stop() - end it
 * @rl: the device, which usbnet still keeps from being suspended
 */
void rl_rx_stop(struct rl_dev *rl)
{
	struct rl_rx *rx = &rl->rx;

	rl_rx_quiesce(rx, RL_CLOSED);
	/* No completion is left to queue it; when it does so itself, this ends that. */
	cancel_delayed_work_sync(&rx->recover);
	/* A poll that still runs leaves its slot idle. */
	napi_disable(&rx->napi);
	INIT_LIST_HEAD(&rx->done);
	rx->stopped &= ~RL_HALTED;
	rl_rx_free(rx);
}

/**
 * rl_rx_sleep() - the device is being suspended
 * @rl: the device
 *
 * What has come is still delivered.  Open and stop are not on their way: usbnet
 * has the device woken up for them first.
 */
void rl_rx_sleep(struct rl_dev *rl)
{
	rl_rx_quiesce(&rl->rx, RL_ASLEEP);
}

/**
 * rl_rx_wake() - it is not any more
 * @rl: the device
 */
void rl_rx_wake(struct rl_dev *rl)
{
	rl_rx_run(&rl->rx, RL_ASLEEP);
}
