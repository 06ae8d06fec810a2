/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rndis_loan.ko: RNDIS devices on the host's side.  usbnet does control, power
 * management and the queue of what is being sent; frames are made into transfers
 * by tx.c, and transfers into frames by rx.c.
 */
#ifndef _RNDIS_LOAN_H
#define _RNDIS_LOAN_H

#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/usb.h>
#include <linux/usb/usbnet.h>
#include <linux/usb/rndis_host.h>
#include <linux/workqueue.h>

#include "../usb/sl_rndis.h"

/**
 * struct rl_tx - what is being sent and not yet usbnet's; under the transmit lock
 * @peer: what the device takes
 * @cut: the frame that is being copied to transfers
 * @xfer: the transfer that is being filled, in @carrier
 * @carrier: NULL when there is none
 * @timer: sends @carrier when nothing else comes
 * @in_flight_max: transfers that usbnet may have
 * @errors: of the interface's, those that the device has had an end of; see rl_tx_ready()
 */
struct rl_tx {
	struct sl_rndis_tx peer;
	struct sl_rndis_cut cut;
	struct sl_rndis_xfer xfer;
	struct sk_buff *carrier;
	struct hrtimer timer;
	unsigned short in_flight_max;
	unsigned long errors;
};

/* Why nothing is received: bits of @stopped */
#define RL_CLOSED	BIT(0)
#define RL_ASLEEP	BIT(1)
#define RL_HALTED	BIT(2)

struct rl_slot;

/**
 * struct rl_rx - the ring of receive buffers
 * @how: transfers become frames
 * @napi: whose poll does that
 * @lock: of what follows; taken in completions
 * @done: slots with a transfer
 * @stopped: RL_*; nothing is submitted unless it is 0
 * @slot: the ring; NULL unless the interface is up
 * @slots: how many there are
 * @linear: the controller cannot scatter
 * @recover: clears a halted endpoint, submits what had failed
 */
struct rl_rx {
	struct sl_rndis_rx how;
	struct napi_struct napi;
	spinlock_t lock;	/* see above */
	struct list_head done;
	unsigned int stopped;
	struct rl_slot *slot;
	unsigned int slots;
	bool linear;
	struct delayed_work recover;
};

/**
 * struct rl_terms - what a device says of itself, and what is agreed on
 * @xfer_max: the longest transfer it takes, bytes; no more than we would send
 * @messages_max: messages in one
 * @align: of them, bytes
 * @to_device: SL_RNDIS_CSUM_*, SL_RNDIS_LSO*: what it takes
 * @to_host: likewise, what it may send
 * @address: its network address
 */
struct rl_terms {
	u32 xfer_max;
	u32 messages_max;
	u32 align;
	u32 to_device;
	u32 to_host;
	u8 address[ETH_ALEN];
};

/**
 * struct rl_dev - a device; usbnet's driver_priv
 * @dev: usbnet's part
 * @terms: what it was bound with
 * @tx: to the device
 * @rx: from it
 * @stats: for ethtool
 */
struct rl_dev {
	struct usbnet *dev;
	struct rl_terms terms;
	struct rl_tx tx;
	struct rl_rx rx;
	struct sl_rndis_stats stats;
};

static inline struct rl_dev *rl_dev(const struct usbnet *dev)
{
	return dev->driver_priv;
}

static inline struct rl_dev *rl_netdev(const struct net_device *net)
{
	return rl_dev(netdev_priv(net));
}

/* main.c */
extern bool rl_offload;

/* bind.c */
int rl_bind(struct usbnet *dev, struct usb_interface *intf);
void rl_unbind(struct usbnet *dev, struct usb_interface *intf);
int rl_check_connect(struct usbnet *dev);
int rl_renew(struct usbnet *dev);

/* tx.c */
void rl_tx_init(struct rl_dev *rl);
void rl_tx_stop(struct rl_dev *rl);
netdev_tx_t rl_start_xmit(struct sk_buff *skb, struct net_device *net);

/* rx.c */
void rl_rx_init(struct rl_dev *rl);
void rl_rx_exit(struct rl_dev *rl);
int rl_rx_open(struct rl_dev *rl);
void rl_rx_stop(struct rl_dev *rl);
void rl_rx_sleep(struct rl_dev *rl);
void rl_rx_wake(struct rl_dev *rl);

/* ethtool.c */
extern const struct ethtool_ops rl_ethtool_ops;

#endif /* _RNDIS_LOAN_H */
