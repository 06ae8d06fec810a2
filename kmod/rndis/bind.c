// SPDX-License-Identifier: GPL-2.0
/*
 * Setting a device up: what it can do is asked for, checked, and agreed on.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/log2.h>

#include "rndis.h"

/* Offsets in messages count from the request id. */
#define RL_OFFSET_BASE		offsetof(struct rndis_msg_hdr, request_id)
/* Room for the end of a transfer: sl_rndis_xfer_end(), sl_rndis_lend() */
#define RL_END			sizeof(__le32)
#define RL_XFER_MIN		(SL_RNDIS_HEADER_MAX + ETH_HLEN + ETH_MIN_MTU)
/* Bytes in transfers to one device, about */
#define RL_IN_FLIGHT_BYTES	(512 * 1024)

/* A message on the control channel, with room for the longest answer */
union rl_control {
	struct rndis_msg_hdr header;
	struct rndis_init init;
	struct rndis_init_c init_c;
	struct rndis_query query;
	struct rndis_query_c query_c;
	struct rndis_set set;
	u8 bytes[CONTROL_BUFFER_SIZE];
};

static int rl_query(struct usbnet *dev, union rl_control *c, u32 oid, u32 size,
		    const void **data, u32 *len)
{
	u32 offset;
	int err;

	/* Some devices want the request to have room for the answer. */
	memset(c, 0, sizeof(c->query) + size);
	c->query.msg_type = cpu_to_le32(RNDIS_MSG_QUERY);
	c->query.msg_len = cpu_to_le32(sizeof(c->query) + size);
	c->query.oid = cpu_to_le32(oid);
	c->query.len = cpu_to_le32(size);
	c->query.offset = cpu_to_le32(sizeof(c->query) - RL_OFFSET_BASE);
	err = rndis_command(dev, &c->header, CONTROL_BUFFER_SIZE);
	if (err < 0)
		return err;

	offset = le32_to_cpu(c->query_c.offset);
	*len = le32_to_cpu(c->query_c.len);
	if (!*len) {
		*data = c->bytes;
		return 0;
	}
	if (offset < sizeof(c->query_c) - RL_OFFSET_BASE ||
	    offset > CONTROL_BUFFER_SIZE - RL_OFFSET_BASE ||
	    *len > CONTROL_BUFFER_SIZE - RL_OFFSET_BASE - offset)
		return -EPROTO;
	*data = c->bytes + RL_OFFSET_BASE + offset;
	return 0;
}

static int rl_set(struct usbnet *dev, union rl_control *c, u32 oid, const void *data, u32 len)
{
	memset(c, 0, sizeof(c->set));
	c->set.msg_type = cpu_to_le32(RNDIS_MSG_SET);
	c->set.msg_len = cpu_to_le32(sizeof(c->set) + len);
	c->set.oid = cpu_to_le32(oid);
	c->set.len = cpu_to_le32(len);
	c->set.offset = cpu_to_le32(sizeof(c->set) - RL_OFFSET_BASE);
	memcpy(c->bytes + sizeof(c->set), data, len);
	return rndis_command(dev, &c->header, CONTROL_BUFFER_SIZE);
}

static int rl_initialize(struct usbnet *dev, union rl_control *c, struct rl_terms *terms)
{
	u32 max, align;
	int err;

	memset(c, 0, sizeof(c->init));
	c->init.msg_type = cpu_to_le32(RNDIS_MSG_INIT);
	c->init.msg_len = cpu_to_le32(sizeof(c->init));
	c->init.major_version = cpu_to_le32(RNDIS_MAJOR_VERSION);
	c->init.max_transfer_size = cpu_to_le32(SL_RNDIS_XFER_LARGE);
	err = rndis_command(dev, &c->header, CONTROL_BUFFER_SIZE);
	if (err < 0)
		return err;

	max = le32_to_cpu(c->init_c.max_transfer_size);
	align = le32_to_cpu(c->init_c.packet_alignment);
	if (le32_to_cpu(c->init_c.medium) != RNDIS_MEDIUM_802_3 || align > 7 ||
	    max < ALIGN(RL_XFER_MIN, max(1U << align, 4U)) + RL_END)
		return -EPROTO;
	terms->xfer_max = min_t(u32, max, SL_RNDIS_XFER_LARGE);
	/* 0 must mean 1. */
	terms->messages_max = max(le32_to_cpu(c->init_c.max_packets_per_message), 1U);
	terms->align = max(1U << align, 4U);
	return 0;
}

/* rndis_wlan has those. */
static int rl_refuse_wireless(struct usbnet *dev, union rl_control *c)
{
	const void *data;
	u32 len;

	/* Devices need not know this one. */
	if (rl_query(dev, c, RNDIS_OID_GEN_PHYSICAL_MEDIUM, sizeof(__le32), &data, &len) ||
	    len != sizeof(__le32))
		return 0;
	return get_unaligned_le32(data) == RNDIS_PHYSICAL_MEDIUM_WIRELESS_LAN ? -ENODEV : 0;
}

static int rl_get_address(struct usbnet *dev, union rl_control *c, struct rl_terms *terms)
{
	const void *data;
	u32 len;
	int err;

	/* So long a request is what the devices know from other hosts. */
	err = rl_query(dev, c, RNDIS_OID_802_3_PERMANENT_ADDRESS, 48, &data, &len);
	if (err)
		return err;
	if (len != ETH_ALEN || !is_valid_ether_addr(data))
		return -EPROTO;
	memcpy(terms->address, data, ETH_ALEN);
	return 0;
}

/* A device that does not know this is an ordinary one. */
static void rl_agree(struct usbnet *dev, union rl_control *c, struct rl_terms *terms)
{
	u32 to_device, to_host, len;
	struct ndis_params params;
	const void *data;

	if (!READ_ONCE(rl_offload) ||
	    rl_query(dev, c, NDIS_OID_OFFLOAD_CAPABILITIES, sizeof(struct ndis_offload),
		     &data, &len) ||
	    sl_rndis_offload_parse(data, len, &to_device, &to_host))
		return;
	/* A large frame, with what stands before it, is one transfer. */
	if (terms->xfer_max < SL_RNDIS_XFER_LARGE)
		to_device &= ~SL_RNDIS_LSO;
	sl_rndis_params_fill(&params, to_device, to_host);
	if (rl_set(dev, c, NDIS_OID_OFFLOAD_PARAMETERS, &params, sizeof(params)))
		return;
	terms->to_device = to_device;
	terms->to_host = to_host;
}

static int rl_set_filter(struct usbnet *dev, union rl_control *c)
{
	__le32 filter = cpu_to_le32(RNDIS_DEFAULT_FILTER);

	return rl_set(dev, c, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, &filter, sizeof(filter));
}

static int rl_open(struct net_device *net)
{
	int err = usbnet_open(net);

	if (err)
		return err;
	/* After usbnet has woken the device up; it stays so until usbnet_stop(). */
	err = rl_rx_open(rl_netdev(net));
	if (err)
		usbnet_stop(net);
	return err;
}

static int rl_stop(struct net_device *net)
{
	struct rl_dev *rl = rl_netdev(net);

	rl_rx_stop(rl);
	/* The core has seen to it that rl_start_xmit() runs no more. */
	rl_tx_stop(rl);
	return usbnet_stop(net);
}

/* Not usbnet's, which wants to know how long transfers are by that. */
static int rl_change_mtu(struct net_device *net, int mtu)
{
	WRITE_ONCE(net->mtu, mtu);
	return 0;
}

static const struct net_device_ops rl_netdev_ops = {
	.ndo_open		= rl_open,
	.ndo_stop		= rl_stop,
	.ndo_start_xmit		= rl_start_xmit,
	.ndo_features_check	= sl_rndis_features_check,
	.ndo_tx_timeout		= usbnet_tx_timeout,
	.ndo_change_mtu		= rl_change_mtu,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

/*
 * Called by usbnet_open() when it has computed the lengths of its queues: of what
 * is sent, from what it thinks that a transfer is; of what is received, none.
 */
int rl_check_connect(struct usbnet *dev)
{
	dev->rx_qlen = 0;
	dev->tx_qlen = rl_dev(dev)->tx.in_flight_max;
	return 0;
}

/* What the controller and the endpoints are like. */
static int rl_look_at_bus(struct usbnet *dev)
{
	const struct usb_bus *bus = dev->udev->bus;
	u32 in = usb_maxpacket(dev->udev, dev->in);
	struct rl_dev *rl = rl_dev(dev);

	dev->maxpacket = usb_maxpacket(dev->udev, dev->out);
	/* Pieces of buffers are multiples of packets. */
	if (!is_power_of_2(dev->maxpacket) || dev->maxpacket > SL_RNDIS_LEAD ||
	    !is_power_of_2(in) || in > SL_RNDIS_LEAD)
		return -EINVAL;
	/* The head and one for the end, beside the pages */
	dev->can_dma_sg = bus->sg_tablesize >= MAX_SKB_FRAGS + 2;
	rl->tx.peer.maxpacket = dev->maxpacket;
	rl->tx.peer.sg_any = bus->no_sg_constraint || !dev->can_dma_sg;
	rl->rx.linear = bus->sg_tablesize < SL_RNDIS_PAGES;
	if (dev->driver_info->data & RNDIS_DRIVER_DATA_POLL_STATUS && !dev->status)
		return -ENODEV;
	return 0;
}

/* The largest whose frames fit when they are copied: see put_one() in sl_rndis.ko. */
static u32 rl_max_mtu(const struct sl_rndis_tx *peer)
{
	u32 header = ETH_HLEN + (peer->offload ? SL_RNDIS_HEADER_MAX : SL_RNDIS_HEADER);
	u32 align = peer->messages_max > 1 ? peer->align : 1;
	u32 mtu = round_down(peer->xfer_max - RL_END, align) - header;

	/* A VLAN's tag is not part of it; devices that take just one ordinary frame are many. */
	if (mtu >= ETH_DATA_LEN + VLAN_HLEN)
		mtu -= VLAN_HLEN;
	return min_t(u32, mtu, ETH_MAX_MTU);
}

static void rl_set_up_net(struct usbnet *dev)
{
	struct rl_dev *rl = rl_dev(dev);
	struct net_device *net = dev->net;

	net->netdev_ops = &rl_netdev_ops;
	/* Headers are written into frames, which nobody else may have. */
	net->priv_flags &= ~IFF_TX_SKB_SHARING;
	net->ethtool_ops = &rl_ethtool_ops;
	/* What the device does not do is done on the way into the transfer. */
	net->hw_features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	net->features |= net->hw_features;
	if (rl->rx.how.offload & SL_RNDIS_CSUM)
		net->features |= NETIF_F_RXCSUM;
	net->needed_headroom = SL_RNDIS_HEADER_MAX + RL_END;
	netif_set_tso_max_size(net, SL_RNDIS_FRAME_LARGE);

	net->min_mtu = ETH_MIN_MTU;
	net->max_mtu = rl_max_mtu(&rl->tx.peer);
	/* usbnet_probe() limits max_mtu and mtu to this. */
	dev->hard_mtu = net->max_mtu + net->hard_header_len;

	rl->tx.in_flight_max = clamp_t(u32, RL_IN_FLIGHT_BYTES / rl->tx.peer.xfer_max, 8, 60);
}

/* Asks the device for its terms, and turns it on. */
static int rl_set_up(struct usbnet *dev, union rl_control *c, struct rl_terms *terms)
{
	int err;

	memset(terms, 0, sizeof(*terms));
	err = rl_initialize(dev, c, terms);
	if (!err)
		err = rl_refuse_wireless(dev, c);
	if (!err)
		err = rl_get_address(dev, c, terms);
	if (err)
		return err;
	rl_agree(dev, c, terms);
	return rl_set_filter(dev, c);
}

static void rl_apply(struct usbnet *dev)
{
	struct rl_dev *rl = rl_dev(dev);
	const struct rl_terms *terms = &rl->terms;

	eth_hw_addr_set(dev->net, terms->address);
	rl->tx.peer.xfer_max = terms->xfer_max;
	rl->tx.peer.messages_max = terms->messages_max;
	rl->tx.peer.align = terms->align;
	rl->tx.peer.offload = terms->to_device;
	rl->rx.how.offload = terms->to_host;
}

/**
 * rl_renew() - set the device up anew after it has been reset
 * @dev: the device, being resumed
 *
 * Return: 0 when it has the same terms; otherwise it will be bound anew.
 */
int rl_renew(struct usbnet *dev)
{
	struct rl_terms terms;
	union rl_control *c;
	int err = -ENOMEM;

	c = kzalloc(sizeof(*c), GFP_NOIO);
	if (c)
		err = rl_set_up(dev, c, &terms);
	kfree(c);
	if (!err && memcmp(&terms, &rl_dev(dev)->terms, sizeof(terms)))
		err = -EPROTO;
	if (err)
		usb_queue_reset_device(dev->intf);
	return err;
}

static void rl_free(struct usbnet *dev)
{
	struct rl_dev *rl = rl_dev(dev);

	rl_rx_exit(rl);
	rl_tx_stop(rl);
	dev->driver_priv = NULL;
	kfree(rl);
}

/**
 * rl_bind() - usbnet's bind
 * @dev: the device
 * @intf: its control interface
 *
 * Return: 0 or an error: the device is as it was then.
 */
int rl_bind(struct usbnet *dev, struct usb_interface *intf)
{
	union rl_control *c;
	struct rl_dev *rl;
	int err = -ENOMEM;

	rl = kzalloc(sizeof(*rl), GFP_KERNEL);
	/* Of its own, for DMA */
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!rl || !c) {
		kfree(rl);
		goto out;
	}
	rl->dev = dev;
	dev->driver_priv = rl;
	rl_tx_init(rl);
	rl_rx_init(rl);

	err = usbnet_generic_cdc_bind(dev, intf);
	if (err < 0)
		goto err_free;
	err = rl_look_at_bus(dev);
	if (!err)
		err = rl_set_up(dev, c, &rl->terms);
	if (err < 0) {
		dev_err(&intf->dev, "RNDIS device not understood: %d\n", err);
		/* Halts it, and releases the data interface. */
		rndis_unbind(dev, intf);
		goto err_free;
	}
	rl_apply(dev);
	rl_set_up_net(dev);
	goto out;

err_free:
	rl_free(dev);
out:
	kfree(c);
	return err;
}

/**
 * rl_unbind() - usbnet's unbind
 * @dev: the device, whose network interface is unregistered or never was
 * @intf: its control interface
 */
void rl_unbind(struct usbnet *dev, struct usb_interface *intf)
{
	rndis_unbind(dev, intf);
	rl_free(dev);
}
