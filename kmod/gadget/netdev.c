// SPDX-License-Identifier: GPL-2.0
/*
 * The network device: from bind to unbind, whether the host is there or not.
 * The host's packet filter is its carrier, which the kernel's RNDIS code turns
 * on and off.
 */
#include "gadget.h"

/* Of a transfer with one frame of the largest MTU, and the byte for its end */
static u32 one_frame(const struct slg_link *link)
{
	return ALIGN(link->net->max_mtu + VLAN_ETH_HLEN + SL_RNDIS_HEADER_MAX, SLG_ALIGN) +
	       SLG_ALIGN;
}

/*
 * Whether pieces of memory may have any length and begin anywhere: gadget->sg_supported
 * does not say that.  chipidea refuses pieces that begin within a page, and dwc2 with
 * descriptor DMA adds their offset twice: it would write behind the buffer.  Named are
 * those whose drivers have been read: dwc3, which has a TRB for each piece.
 */
static bool gathers_all(const struct usb_gadget *gadget)
{
	return gadget->sg_supported && !strcmp(gadget->name, "dwc3-gadget");
}

/* In units of 100 bits per second, as RNDIS has it */
static u32 speed_of(const struct slg_link *link)
{
	switch (link->gadget->speed) {
	case USB_SPEED_SUPER_PLUS:
		return 85000000;
	case USB_SPEED_SUPER:
		return 37500000;
	case USB_SPEED_HIGH:
		return 4259840;
	default:
		return 97280;
	}
}

static int slg_open(struct net_device *net)
{
	struct slg_link *link = netdev_priv(net);

	netif_start_queue(net);
	slg_control_signal(link->control, READ_ONCE(link->up) ? speed_of(link) : 0);
	return 0;
}

static int slg_stop(struct net_device *net)
{
	struct slg_link *link = netdev_priv(net);
	unsigned long flags;

	netif_tx_disable(net);
	slg_control_signal(link->control, 0);
	spin_lock_irqsave(&link->lock, flags);
	slg_tx_expire(link);
	spin_unlock_irqrestore(&link->lock, flags);
	flush_work(&link->flush);
	return 0;
}

static int slg_init(struct net_device *net)
{
	net->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return net->tstats ? 0 : -ENOMEM;
}

static void slg_uninit(struct net_device *net)
{
	free_percpu(net->tstats);
	net->tstats = NULL;
}

static const struct net_device_ops slg_netdev_ops = {
	.ndo_init = slg_init,
	.ndo_uninit = slg_uninit,
	.ndo_open = slg_open,
	.ndo_stop = slg_stop,
	.ndo_start_xmit = slg_start_xmit,
	.ndo_features_check = sl_rndis_features_check,
	.ndo_get_stats64 = dev_get_tstats64,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static const struct device_type slg_device_type = {
	.name = "gadget",
};

static int slg_poll(struct napi_struct *napi, int budget)
{
	struct slg_link *link = container_of(napi, struct slg_link, napi);
	int work;

	slg_tx_clean(link, budget);
	work = slg_rx_poll(link, budget);
	/* What is done between the two is not lost: NAPI notes that it was scheduled. */
	if (work < budget)
		napi_complete_done(napi, work);
	return work;
}

/* Some requests could not be queued for want of memory. */
static void slg_retry(struct work_struct *work)
{
	struct slg_link *link = container_of(to_delayed_work(work), struct slg_link, retry);
	unsigned long flags;
	bool all;

	spin_lock_irqsave(&link->lock, flags);
	all = slg_rx_start(link);
	spin_unlock_irqrestore(&link->lock, flags);
	if (!all)
		schedule_delayed_work(&link->retry, HZ / 10);
}

/* As before the host's INITIALIZE; slg_link.lock is held. */
static void reset_agreed(struct slg_link *link)
{
	link->agreed.xfer_max = one_frame(link);
	link->agreed.messages_max = 1;
	link->agreed.align = SLG_ALIGN;
	link->agreed.maxpacket = max_t(u32, link->in->maxpacket, 8);
	link->agreed.sg_any = true;
	link->agreed.to_host = true;
	link->agreed.offload = 0;
	link->agreed.stats = &link->stats;
	WRITE_ONCE(link->rx_offload, 0);
	link->epoch++;
}

/**
 * slg_link_restart() - the host begins to talk, or ends
 * @link: the link
 * @host_max: the longest transfer that it takes, or 0
 *
 * Hosts that take less than a frame do not mean it: like the kernel's own
 * function, give them single frames.
 */
void slg_link_restart(struct slg_link *link, u32 host_max)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	slg_tx_expire(link);
	reset_agreed(link);
	if (host_max >= one_frame(link)) {
		link->agreed.xfer_max = min_t(u32, host_max, SL_RNDIS_XFER_LARGE);
		link->agreed.messages_max = SLG_MESSAGES_MAX;
	}
	spin_unlock_irqrestore(&link->lock, flags);
}

/**
 * slg_link_unwanted() - the host's packet filter is empty
 * @link: the link
 */
void slg_link_unwanted(struct slg_link *link)
{
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	slg_tx_expire(link);
	spin_unlock_irqrestore(&link->lock, flags);
}

/**
 * slg_link_agree() - the host turns checksums and large frames on or off
 * @link: the link
 * @params: the value of NDIS_OID_OFFLOAD_PARAMETERS
 * @len: its length
 *
 * Return: 0, or -EPROTO.
 */
int slg_link_agree(struct slg_link *link, const void *params, u32 len)
{
	u32 to_device, to_host;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&link->lock, flags);
	to_device = link->rx_offload;
	to_host = link->agreed.offload;
	err = sl_rndis_params_parse(params, len, &to_device, &to_host);
	if (!err) {
		to_host &= link->to_host;
		/* A large frame is one transfer. */
		if (link->agreed.xfer_max < SL_RNDIS_XFER_LARGE)
			to_host &= ~SL_RNDIS_LSO;
		WRITE_ONCE(link->rx_offload, to_device & link->to_device);
		link->agreed.offload = to_host;
		link->epoch++;
	}
	spin_unlock_irqrestore(&link->lock, flags);
	return err;
}

/**
 * slg_link_up() - turn the endpoints on
 * @link: down, with descriptors for the speed in its endpoints
 *
 * Context: any; from the USB core.
 * Return: 0 or the controller's error.
 */
int slg_link_up(struct slg_link *link)
{
	unsigned long flags;
	bool all;
	int err;

	err = usb_ep_enable(link->in);
	if (err)
		return err;
	err = usb_ep_enable(link->out);
	if (err) {
		usb_ep_disable(link->in);
		return err;
	}
	spin_lock_irqsave(&link->lock, flags);
	link->up = true;
	reset_agreed(link);
	all = slg_rx_start(link);
	spin_unlock_irqrestore(&link->lock, flags);
	if (!all)
		schedule_delayed_work(&link->retry, HZ / 10);
	slg_control_signal(link->control, netif_running(link->net) ? speed_of(link) : 0);
	return 0;
}

/**
 * slg_link_down() - turn the endpoints off
 * @link: up or down
 *
 * Nobody queues a request from here on: they look at slg_link.up under the
 * lock.  Those that are with the controller come back to NAPI, which keeps them.
 *
 * Context: any; from the USB core.
 */
void slg_link_down(struct slg_link *link)
{
	unsigned long flags;
	bool was_up;

	spin_lock_irqsave(&link->lock, flags);
	was_up = link->up;
	link->up = false;
	WRITE_ONCE(link->filter, 0);
	reset_agreed(link);
	spin_unlock_irqrestore(&link->lock, flags);
	netif_carrier_off(link->net);
	if (!was_up)
		return;
	usb_ep_disable(link->in);
	usb_ep_disable(link->out);
	link->in->desc = NULL;
	link->out->desc = NULL;
}

/* Memory in one piece that large may not be had: then there are no large frames. */
static int alloc_transfers(struct slg_link *link, bool offload, unsigned int qmult)
{
	u32 plain = max_t(u32, SL_RNDIS_XFER_PLAIN, ALIGN(one_frame(link), SL_RNDIS_WIRE_PAGE));
	bool fast = gadget_is_dualspeed(link->gadget);
	unsigned int count = fast ? qmult * SLG_PER_QMULT : SLG_PER_QMULT;
	u32 sizes[] = { SL_RNDIS_XFER_LARGE, min_t(u32, plain, SL_RNDIS_XFER_LARGE) };
	unsigned int i;
	int err;

	for (i = offload ? 0 : 1; i < ARRAY_SIZE(sizes); i++) {
		link->tx_size = sizes[i];
		link->rx_size = sizes[i];
		err = slg_tx_alloc(link, count);
		if (!err)
			err = slg_rx_alloc(link, clamp(count, 4U, SLG_RX_MAX + 0U));
		if (!err)
			break;
		slg_tx_free(link);
		slg_rx_free(link);
	}
	if (!offload)
		return err;
	link->to_device = SL_RNDIS_CSUM;
	link->to_host = SL_RNDIS_CSUM;
	if (!i) {
		link->to_device |= SL_RNDIS_LSO;
		link->to_host |= SL_RNDIS_LSO;
	}
	return err;
}

static void set_up_net(struct net_device *net, const struct slg_opts *opts)
{
	net->netdev_ops = &slg_netdev_ops;
	/* Headers are written into frames, which nobody else may have. */
	net->priv_flags &= ~IFF_TX_SKB_SHARING;
	net->ethtool_ops = &slg_ethtool_ops;
	SET_NETDEV_DEVTYPE(net, &slg_device_type);
	eth_hw_addr_set(net, opts->dev_addr);
	net->addr_assign_type = opts->dev_addr_set ? NET_ADDR_SET : NET_ADDR_RANDOM;
	net->min_mtu = ETH_MIN_MTU;
	net->max_mtu = opts->mtu;
	net->mtu = min_t(u32, opts->mtu, ETH_DATA_LEN);
	/* Whatever the host takes: the rest is made up for while copying. */
	net->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	net->features = net->hw_features | NETIF_F_RXCSUM;
	netif_set_tso_max_size(net, SL_RNDIS_FRAME_LARGE);
	netif_carrier_off(net);
}

/**
 * slg_link_alloc() - make a network device
 * @f: the function, with its lock held
 * @gadget: the USB device
 * @in: endpoint to the host
 * @out: endpoint from the host
 *
 * Return: it, or an error as a pointer.
 */
struct slg_link *slg_link_alloc(struct slg_function *f, struct usb_gadget *gadget,
				struct usb_ep *in, struct usb_ep *out)
{
	struct net_device *net = alloc_etherdev(sizeof(struct slg_link));
	struct slg_link *link;
	int err;

	if (!net)
		return ERR_PTR(-ENOMEM);
	link = netdev_priv(net);
	link->net = net;
	link->gadget = gadget;
	link->sg = gathers_all(gadget);
	link->control = &f->control;
	link->in = in;
	link->out = out;
	spin_lock_init(&link->lock);
	INIT_DELAYED_WORK(&link->retry, slg_retry);
	INIT_WORK(&link->flush, slg_tx_flush);
	SET_NETDEV_DEV(net, &gadget->dev);
	set_up_net(net, f->opts);
	link->rx.net = net;
	link->rx.napi = &link->napi;
	link->rx.from_host = true;
	link->rx.stats = &link->stats;
	reset_agreed(link);
	link->tx = link->agreed;
	link->tx_epoch = link->epoch;

	err = alloc_transfers(link, f->opts->offload, f->opts->qmult);
	if (err) {
		free_netdev(net);
		return ERR_PTR(err);
	}
	link->offered = f->opts->offload;
	netif_napi_add(net, &link->napi, slg_poll);
	return link;
}

/**
 * slg_link_register() - show the network device
 * @link: the link
 * @name: its name, with a %d
 *
 * Return: 0 or register_netdev()'s error.
 */
int slg_link_register(struct slg_link *link, const char *name)
{
	int err;

	strscpy(link->net->name, name, sizeof(link->net->name));
	/* For as long as there are endpoints: set_alt and disable may not sleep. */
	napi_enable(&link->napi);
	err = register_netdev(link->net);
	if (err)
		napi_disable(&link->napi);
	return err;
}

/**
 * slg_link_unregister() - hide it again
 * @link: registered; nothing comes from the host any more
 */
void slg_link_unregister(struct slg_link *link)
{
	slg_link_down(link);
	unregister_netdev(link->net);
	/* Requests that have just come back are NAPI's last work. */
	local_bh_disable();
	napi_schedule(&link->napi);
	local_bh_enable();
	napi_disable(&link->napi);
	cancel_delayed_work_sync(&link->retry);
	cancel_work_sync(&link->flush);
}

/**
 * slg_link_free() - free it
 * @link: not registered
 */
void slg_link_free(struct slg_link *link)
{
	netif_napi_del(&link->napi);
	slg_tx_free(link);
	slg_rx_free(link);
	free_netdev(link->net);
}
