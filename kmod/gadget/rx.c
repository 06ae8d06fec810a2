// SPDX-License-Identifier: GPL-2.0
/*
 * Frames from the host.  Requests go round: with the controller, in rx_done,
 * in NAPI's hands, and back; in rx_idle while the endpoint is off.
 */
#include "gadget.h"

static void slg_rx_complete(struct usb_ep *ep, struct usb_request *req)
{
	struct slg_rx *r = req->context;

	llist_add(&r->done, &r->link->rx_done);
	napi_schedule(&r->link->napi);
}

/* Gives a request to the controller, if the endpoint is on; slg_link.lock is held. */
static int post(struct slg_link *link, struct slg_rx *r)
{
	struct usb_request *req = r->req;
	int err = -ESHUTDOWN;

	/* The pages are others every time. */
	if (r->buf.linear) {
		req->buf = r->buf.linear + SL_RNDIS_START;
	} else {
		req->sg = r->buf.sg;
		req->num_sgs = r->buf.pages;
	}
	req->length = r->buf.size;
	if (link->up)
		err = usb_ep_queue(link->out, req, GFP_ATOMIC);
	if (err)
		list_add_tail(&r->list, &link->rx_idle);
	return err;
}

/**
 * slg_rx_start() - give all idle requests to the controller
 * @link: with slg_link.lock held
 *
 * Return: false when some could not be queued though the link is up.
 */
bool slg_rx_start(struct slg_link *link)
{
	struct slg_rx *r, *next;
	LIST_HEAD(idle);
	bool all = true;

	list_splice_init(&link->rx_idle, &idle);
	list_for_each_entry_safe(r, next, &idle, list) {
		list_del(&r->list);
		if (post(link, r))
			all = false;
	}
	return all || !link->up;
}

static unsigned int receive(struct slg_link *link, struct slg_rx *r)
{
	struct net_device *net = link->net;

	switch (r->req->status) {
	case 0:
		break;
	case -EOVERFLOW:
		net->stats.rx_over_errors++;
		fallthrough;
	default:
		net->stats.rx_errors++;
		fallthrough;
	case -ESHUTDOWN:
	case -ECONNRESET:
		return 1;
	}
	/* Nothing before the host has said that it wants the link. */
	if (!netif_running(net) || !READ_ONCE(link->filter)) {
		net->stats.rx_dropped++;
		return 1;
	}
	/* One that carries no frame is work, too. */
	return max(1U, sl_rndis_receive(&link->rx, &r->buf, r->req->actual));
}

/**
 * slg_rx_poll() - take transfers apart
 * @link: the link
 * @budget: NAPI's
 *
 * Return: the work done, @budget when there is more.
 */
int slg_rx_poll(struct slg_link *link, int budget)
{
	struct llist_node *done = llist_reverse_order(llist_del_all(&link->rx_done));
	struct slg_rx *r, *next;
	unsigned long flags;
	bool all = true;
	int work = 0;

	llist_for_each_entry_safe(r, next, done, done)
		list_add_tail(&r->list, &link->rx_ready);
	link->rx.offload = READ_ONCE(link->rx_offload);
	while (work < budget && !list_empty(&link->rx_ready)) {
		r = list_first_entry(&link->rx_ready, struct slg_rx, list);
		list_del(&r->list);
		work += receive(link, r);
		spin_lock_irqsave(&link->lock, flags);
		if (post(link, r) && link->up)
			all = false;
		spin_unlock_irqrestore(&link->lock, flags);
	}
	if (!all)
		schedule_delayed_work(&link->retry, HZ / 10);
	return min(work, budget);
}

static int alloc_one(struct slg_link *link, struct slg_rx *r)
{
	int err;

	r->link = link;
	r->req = usb_ep_alloc_request(link->out, GFP_KERNEL);
	if (!r->req)
		return -ENOMEM;
	r->req->context = r;
	r->req->complete = slg_rx_complete;
	err = sl_rndis_buf_alloc(&r->buf, link->rx_size, !link->sg, GFP_KERNEL);
	if (!err)
		list_add_tail(&r->list, &link->rx_idle);
	return err;
}

/**
 * slg_rx_alloc() - make the buffers
 * @link: with nothing of them, and rx_size set
 * @count: how many
 *
 * Return: 0 or -ENOMEM; then there may be some, for slg_rx_free().
 */
int slg_rx_alloc(struct slg_link *link, unsigned int count)
{
	int err = 0;

	INIT_LIST_HEAD(&link->rx_idle);
	INIT_LIST_HEAD(&link->rx_ready);
	init_llist_head(&link->rx_done);
	link->rx_all = kvcalloc(count, sizeof(*link->rx_all), GFP_KERNEL);
	if (!link->rx_all)
		return -ENOMEM;
	while (!err && link->rx_count < count)
		err = alloc_one(link, &link->rx_all[link->rx_count++]);
	return err;
}

/**
 * slg_rx_free() - free the buffers, none of which is with the controller
 * @link: whose NAPI is off
 */
void slg_rx_free(struct slg_link *link)
{
	unsigned int i;

	for (i = 0; i < link->rx_count; i++) {
		sl_rndis_buf_free(&link->rx_all[i].buf);
		if (link->rx_all[i].req)
			usb_ep_free_request(link->out, link->rx_all[i].req);
	}
	kvfree(link->rx_all);
	link->rx_all = NULL;
	link->rx_count = 0;
}
