/* SPDX-License-Identifier: GPL-2.0 */
/*
 * usb_f_rndis_loan.ko: an RNDIS function for USB device controllers, made with
 * configfs like the kernel's own, whose frames are not copied where that can be
 * helped.
 *
 * Locks:
 *  - the netdev's transmit lock: what is being sent (tx.c)
 *  - slg_control.lock, interrupts off: answers to the host
 *  - slg_link.lock, interrupts off, within either: whether the endpoints are on,
 *    and what the two ends have agreed on; held while a request is queued
 * Completions may come from within usb_ep_queue() and usb_ep_disable(), so they
 * take none: they leave requests in lock-free lists for NAPI.
 */
#ifndef _SL_GADGET_H
#define _SL_GADGET_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/usb/composite.h>
#include <linux/workqueue.h>

#include "../usb/sl_rndis.h"

#define SLG_QMULT		5
/* Requests, for each unit of qmult */
#define SLG_PER_QMULT		2
#define SLG_RX_MAX		8
/* Messages in one transfer, both ways */
#define SLG_MESSAGES_MAX	64
/* Of messages in a transfer, bytes */
#define SLG_ALIGN		8
/* That many requests with the controller keep it busy; more is gathered meanwhile. */
#define SLG_IN_FLIGHT		2
#define SLG_MTU_MAX		(SL_RNDIS_FRAME_LARGE - VLAN_ETH_HLEN)

struct rndis_params;
struct slg_function;

/**
 * struct slg_opts - an instance, as configfs shows it
 * @instance: for the USB core
 * @lock: everything below
 * @refcnt: functions made of it, 0 or 1: nothing changes while there is one
 * @net: the network device while bound, otherwise NULL
 * @ifname: what it is to be called, with a %d
 * @dev_addr: its address
 * @host_addr: that of the host's end
 * @dev_addr_set: it was not chosen by chance
 * @mtu: its largest MTU
 * @qmult: how many requests
 * @offload: checksums and large frames are offered to the host
 * @class: of the interface association, like the next two
 * @subclass: see @class
 * @protocol: see @class
 * @os_group: the directory os_desc
 * @os_desc: Microsoft's descriptor
 * @compat_id: what is in it
 */
struct slg_opts {
	struct usb_function_instance instance;
	struct mutex lock; /* the attributes, refcnt, net */
	int refcnt;
	struct net_device *net;
	char ifname[IFNAMSIZ];
	u8 dev_addr[ETH_ALEN];
	u8 host_addr[ETH_ALEN];
	bool dev_addr_set;
	u32 mtu;
	u8 qmult;
	bool offload;
	u8 class;
	u8 subclass;
	u8 protocol;
	struct config_group *os_group;
	struct usb_os_desc os_desc;
	char compat_id[16];
};

/**
 * struct slg_control - the host's commands and what it is answered
 * @lock: everything below
 * @params: the kernel's RNDIS state machine
 * @answers: not fetched by the host yet, in order
 * @count: how many there are
 * @due: those that the host has not been told of
 * @telling: @notify_req is with the controller
 * @notify_req: to tell the host
 * @notify: where
 * @refused: commands that were malformed or too many
 */
struct slg_control {
	spinlock_t lock; /* the answers, and calls of the kernel's RNDIS code */
	struct rndis_params *params;
	struct list_head answers;
	unsigned int count;
	unsigned int due;
	bool telling;
	struct usb_request *notify_req;
	struct usb_ep *notify;
	u64 refused;
};

/**
 * struct slg_tx - a transfer to the host
 * @link: whose it is
 * @req: the request
 * @list: in slg_link.tx_free
 * @done: in slg_link.tx_done
 * @queued: it is with the controller
 * @skb: the frame that it is made of, or NULL when it is in @buf
 * @buf: its own memory, slg_link.tx_size bytes
 * @xfer: what of it is filled
 * @sg: the pieces of a frame, when the controller has scatter lists
 * @packets: frames in it
 * @bytes: of them
 */
struct slg_tx {
	struct slg_link *link;
	struct usb_request *req;
	struct list_head list;
	struct llist_node done;
	bool queued;
	struct sk_buff *skb;
	void *buf;
	struct sl_rndis_xfer xfer;
	struct scatterlist *sg;
	unsigned int packets;
	unsigned int bytes;
};

/**
 * struct slg_rx - a transfer from the host
 * @link: whose it is
 * @req: the request
 * @list: in slg_link.rx_idle or slg_link.rx_ready
 * @done: in slg_link.rx_done
 * @buf: where the transfer goes
 */
struct slg_rx {
	struct slg_link *link;
	struct usb_request *req;
	struct list_head list;
	struct llist_node done;
	struct sl_rndis_buf buf;
};

/**
 * struct slg_link - the network device's own part
 * @net: the device
 * @gadget: the USB device
 * @control: the function's, to say that the device is up or down
 * @in: endpoint to the host
 * @out: endpoint from the host
 * @lock: @up, @epoch, @agreed, @rx_offload, @rx_idle, @flushes, @end_due, @ending; held
 *	while a request is queued
 * @up: the endpoints are on
 * @epoch: changes when what is being gathered may not be sent any more
 * @agreed: what may be sent to the host
 * @rx_offload: what the host may send
 * @filter: the host's packet filter; 0 until it wants frames
 * @to_device: what is offered to the host, SL_RNDIS_CSUM_* and SL_RNDIS_LSO*
 * @to_host: likewise
 * @offered: by the opts' offload
 * @sg: the controller takes scatter lists of any pieces
 * @napi: takes all that is done
 * @retry: when requests could not be queued for want of memory
 * @tx: @agreed as the transmit path sees it, under the transmit lock like all below to @tx_done
 * @tx_epoch: the @epoch that it is of
 * @cut: the frame that is partly copied
 * @fill: the transfer that frames are copied into
 * @tx_free: transfers to be used
 * @in_flight: how many are with the controller, or in @tx_done
 * @tx_done: those back from the controller
 * @tx_all: all of them
 * @tx_count: how many
 * @tx_size: bytes that each can hold
 * @flush: takes back what is with the controller
 * @flushes: how often that is due; nothing is sent meanwhile
 * @end_due: afterwards, @end has to be sent
 * @end: a byte, the end of a transfer that was taken back half-way
 * @ending: it is with the controller
 * @rx: how NAPI takes transfers apart
 * @rx_idle: requests not with the controller
 * @rx_done: those back from it
 * @rx_ready: NAPI's own, in order
 * @rx_all: all of them
 * @rx_count: how many
 * @rx_size: bytes of each
 * @stats: counters
 */
struct slg_link {
	struct net_device *net;
	struct usb_gadget *gadget;
	struct slg_control *control;
	struct usb_ep *in;
	struct usb_ep *out;

	spinlock_t lock; /* see above */
	bool up;
	u32 epoch;
	struct sl_rndis_tx agreed;
	u32 rx_offload;
	u16 filter;
	u32 to_device;
	u32 to_host;
	bool offered;
	bool sg;

	struct napi_struct napi;
	struct delayed_work retry;

	struct sl_rndis_tx tx;
	u32 tx_epoch;
	struct sl_rndis_cut cut;
	struct slg_tx *fill;
	struct list_head tx_free;
	unsigned int in_flight;
	struct llist_head tx_done;
	struct slg_tx *tx_all;
	unsigned int tx_count;
	u32 tx_size;
	struct work_struct flush;
	unsigned int flushes;
	bool end_due;
	struct usb_request *end;
	bool ending;

	struct sl_rndis_rx rx;
	struct list_head rx_idle;
	struct llist_head rx_done;
	struct list_head rx_ready;
	struct slg_rx *rx_all;
	unsigned int rx_count;
	u32 rx_size;

	struct sl_rndis_stats stats;
};

/**
 * struct slg_function - an RNDIS function in a configuration
 * @function: for the USB core
 * @opts: what it is made of
 * @control_id: number of the interface for commands
 * @data_id: number of the interface for frames
 * @host_addr: a copy for the kernel's RNDIS code
 * @control: commands
 * @link: frames; while bound
 */
struct slg_function {
	struct usb_function function;
	struct slg_opts *opts;
	u8 control_id;
	u8 data_id;
	u8 host_addr[ETH_ALEN];
	struct slg_control control;
	struct slg_link *link;
};

static inline struct slg_function *to_slg(struct usb_function *function)
{
	return container_of(function, struct slg_function, function);
}

/* config.c */
struct usb_function_instance *slg_alloc_instance(void);

/* descriptors.c */
enum { SLG_IN, SLG_OUT, SLG_NOTIFY_EP, SLG_EPS };
int slg_describe(struct slg_function *f, struct usb_configuration *config,
		 struct usb_ep *eps[SLG_EPS]);

/* control.c */
int slg_control_init(struct slg_function *f, struct usb_ep *notify);
void slg_control_exit(struct slg_function *f);
int slg_control_setup(struct usb_function *function, const struct usb_ctrlrequest *request);
void slg_control_reset(struct slg_function *f);
void slg_control_signal(struct slg_control *control, u32 speed);

/* netdev.c */
struct slg_link *slg_link_alloc(struct slg_function *f, struct usb_gadget *gadget,
				struct usb_ep *in, struct usb_ep *out);
int slg_link_register(struct slg_link *link, const char *name);
void slg_link_unregister(struct slg_link *link);
void slg_link_free(struct slg_link *link);
int slg_link_up(struct slg_link *link);
void slg_link_down(struct slg_link *link);
void slg_link_restart(struct slg_link *link, u32 host_max);
void slg_link_unwanted(struct slg_link *link);
int slg_link_agree(struct slg_link *link, const void *params, u32 len);

/* tx.c */
int slg_tx_alloc(struct slg_link *link, unsigned int count);
void slg_tx_free(struct slg_link *link);
void slg_tx_clean(struct slg_link *link, int budget);
void slg_tx_expire(struct slg_link *link);
void slg_tx_flush(struct work_struct *work);
netdev_tx_t slg_start_xmit(struct sk_buff *skb, struct net_device *net);

/* rx.c */
int slg_rx_alloc(struct slg_link *link, unsigned int count);
void slg_rx_free(struct slg_link *link);
bool slg_rx_start(struct slg_link *link);
int slg_rx_poll(struct slg_link *link, int budget);

/* ethtool.c */
extern const struct ethtool_ops slg_ethtool_ops;

#endif /* _SL_GADGET_H */
