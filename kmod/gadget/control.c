// SPDX-License-Identifier: GPL-2.0
/*
 * The host's commands.  The kernel's RNDIS code answers most of them; it trusts
 * what it is given, so nothing gets there that is not checked.  The OIDs of
 * offload are answered here.  All answers go through one list, which is bounded.
 */
#include <linux/rndis.h>
#include <linux/slab.h>
#include <linux/usb/cdc.h>

#include "gadget.h"
#include "kernel.h"

/* Type, length, and what all but a packet have: an id of the request */
#define SLG_COMMAND_MIN		12
#define SLG_INIT_SIZE		24
/* Of a query or a set, before the information; offsets count from the id */
#define SLG_OID_SIZE		28
#define SLG_OFFSET_BASE		8
#define SLG_INFO_MIN		(SLG_OID_SIZE - SLG_OFFSET_BASE)
#define SLG_ANSWERS_MAX		32
#define SLG_NOTICE		8

/* Type and number of control requests */
#define SLG_SEND_COMMAND	((USB_DIR_OUT | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | \
				 USB_CDC_SEND_ENCAPSULATED_COMMAND)
#define SLG_GET_RESPONSE	((USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE) << 8 | \
				 USB_CDC_GET_ENCAPSULATED_RESPONSE)

/* Words of messages */
enum { WORD_TYPE, WORD_LEN, WORD_ID };
enum { INIT_MAX_TRANSFER = 5 };
enum { OID_OID = 3, OID_LEN, OID_OFFSET };
enum { ANSWER_STATUS = 3, ANSWER_INFO_LEN, ANSWER_INFO_OFFSET, ANSWER_WORDS };
enum { INIT_C_MESSAGES = 8, INIT_C_TRANSFER, INIT_C_ALIGN, INIT_C_WORDS = 13 };

struct slg_answer {
	struct list_head list;
	u32 len;
	__le32 word[];
};

/* What the kernel knows; it makes a line in the log of everything else. */
static const u32 slg_queries[] = {
	RNDIS_OID_GEN_SUPPORTED_LIST,
	RNDIS_OID_GEN_HARDWARE_STATUS,
	RNDIS_OID_GEN_MEDIA_SUPPORTED,
	RNDIS_OID_GEN_MEDIA_IN_USE,
	RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE,
	RNDIS_OID_GEN_LINK_SPEED,
	RNDIS_OID_GEN_TRANSMIT_BLOCK_SIZE,
	RNDIS_OID_GEN_RECEIVE_BLOCK_SIZE,
	RNDIS_OID_GEN_VENDOR_ID,
	RNDIS_OID_GEN_VENDOR_DESCRIPTION,
	RNDIS_OID_GEN_VENDOR_DRIVER_VERSION,
	RNDIS_OID_GEN_CURRENT_PACKET_FILTER,
	RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE,
	RNDIS_OID_GEN_MEDIA_CONNECT_STATUS,
	RNDIS_OID_GEN_PHYSICAL_MEDIUM,
	RNDIS_OID_GEN_MAC_OPTIONS,
	RNDIS_OID_GEN_XMIT_OK,
	RNDIS_OID_GEN_RCV_OK,
	RNDIS_OID_GEN_XMIT_ERROR,
	RNDIS_OID_GEN_RCV_ERROR,
	RNDIS_OID_GEN_RCV_NO_BUFFER,
	RNDIS_OID_802_3_PERMANENT_ADDRESS,
	RNDIS_OID_802_3_CURRENT_ADDRESS,
	RNDIS_OID_802_3_MULTICAST_LIST,
	RNDIS_OID_802_3_MAXIMUM_LIST_SIZE,
	RNDIS_OID_802_3_MAC_OPTIONS,
	RNDIS_OID_802_3_RCV_ERROR_ALIGNMENT,
	RNDIS_OID_802_3_XMIT_ONE_COLLISION,
	RNDIS_OID_802_3_XMIT_MORE_COLLISIONS,
};

static const u32 slg_own_oids[] = {
	NDIS_OID_OFFLOAD_CONFIG,
	NDIS_OID_OFFLOAD_PARAMETERS,
	NDIS_OID_OFFLOAD_CAPABILITIES,
};

static bool is_known_query(u32 oid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slg_queries); i++) {
		if (slg_queries[i] == oid)
			return true;
	}
	return false;
}

/* Tells the host of an answer, one at a time; not under the lock: see gadget.h. */
static void tell(struct slg_control *control)
{
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&control->lock, flags);
	due = control->due && !control->telling;
	if (due) {
		control->due--;
		control->telling = true;
	}
	spin_unlock_irqrestore(&control->lock, flags);
	if (!due || !usb_ep_queue(control->notify, control->notify_req, GFP_ATOMIC))
		return;

	spin_lock_irqsave(&control->lock, flags);
	control->telling = false;
	spin_unlock_irqrestore(&control->lock, flags);
}

static void slg_notify_complete(struct usb_ep *ep, struct usb_request *req)
{
	struct slg_control *control = req->context;
	unsigned long flags;

	spin_lock_irqsave(&control->lock, flags);
	control->telling = false;
	if (req->status)
		control->due = 0;
	spin_unlock_irqrestore(&control->lock, flags);
	if (!req->status)
		tell(control);
}

/* The kernel's answers are fetched right after each call that makes them. */
static void slg_response_available(void *unused)
{
}

static struct slg_answer *add_answer(struct slg_control *control, u32 len)
{
	struct slg_answer *answer;

	if (control->count == SLG_ANSWERS_MAX)
		return NULL;
	answer = kzalloc(struct_size(answer, word, DIV_ROUND_UP(len, 4)), GFP_ATOMIC);
	if (!answer)
		return NULL;
	answer->len = len;
	list_add_tail(&answer->list, &control->answers);
	control->count++;
	control->due++;
	return answer;
}

static void drop_answers(struct slg_control *control)
{
	struct slg_answer *answer, *next;

	list_for_each_entry_safe(answer, next, &control->answers, list)
		kfree(answer);
	INIT_LIST_HEAD(&control->answers);
	control->count = 0;
	control->due = 0;
}

/* An answer to a query, with info_len bytes of information; to a set, without any. */
static __le32 *answer_oid(struct slg_control *control, const __le32 *word, u32 type, u32 status,
			  u32 info_len)
{
	u32 len = (type == RNDIS_MSG_QUERY_C ? ANSWER_WORDS : ANSWER_INFO_LEN) * 4 + info_len;
	struct slg_answer *answer = add_answer(control, len);

	if (!answer)
		return NULL;
	answer->word[WORD_TYPE] = cpu_to_le32(type);
	answer->word[WORD_LEN] = cpu_to_le32(len);
	answer->word[WORD_ID] = word[WORD_ID];
	answer->word[ANSWER_STATUS] = cpu_to_le32(status);
	if (info_len) {
		answer->word[ANSWER_INFO_LEN] = cpu_to_le32(info_len);
		answer->word[ANSWER_INFO_OFFSET] = cpu_to_le32(ANSWER_WORDS * 4 - SLG_OFFSET_BASE);
	}
	return answer->word + ANSWER_WORDS;
}

/* This device takes longer transfers than the kernel's own. */
static void amend_init(const struct slg_link *link, struct slg_answer *answer)
{
	if (answer->len < INIT_C_WORDS * 4)
		return;
	answer->word[INIT_C_MESSAGES] = cpu_to_le32(SLG_MESSAGES_MAX);
	answer->word[INIT_C_TRANSFER] = cpu_to_le32(link->rx_size);
	answer->word[INIT_C_ALIGN] = cpu_to_le32(ilog2(SLG_ALIGN));
}

/* The list of OIDs has ours, too. */
static void amend_list(struct slg_answer *answer, u32 len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slg_own_oids); i++)
		answer->word[len / 4 + i] = cpu_to_le32(slg_own_oids[i]);
	answer->len = len + sizeof(slg_own_oids);
	answer->word[WORD_LEN] = cpu_to_le32(answer->len);
	le32_add_cpu(&answer->word[ANSWER_INFO_LEN], sizeof(slg_own_oids));
}

/* Fetches what the kernel has answered; oid is what was asked for. */
static void collect(struct slg_control *control, const struct slg_link *link, u32 oid)
{
	bool list = oid == RNDIS_OID_GEN_SUPPORTED_LIST && link->offered;
	struct slg_answer *answer;
	u32 len;
	u8 *buf;

	while ((buf = rndis_get_next_response(control->params, &len))) {
		/* Not a byte that is not part of the message */
		if (len >= SLG_COMMAND_MIN)
			len = min(len, le32_to_cpup((__le32 *)buf + WORD_LEN));
		answer = add_answer(control, len + (list ? sizeof(slg_own_oids) : 0));
		if (answer) {
			memcpy(answer->word, buf, len);
			answer->len = len;
			if (answer->word[WORD_TYPE] == cpu_to_le32(RNDIS_MSG_INIT_C))
				amend_init(link, answer);
			else if (list && !(len % 4) && len > ANSWER_WORDS * 4 &&
				 !answer->word[ANSWER_STATUS])
				amend_list(answer, len);
		}
		rndis_free_response(control->params, buf);
	}
}

static void query(struct slg_function *f, u8 *msg)
{
	struct slg_control *control = &f->control;
	const __le32 *word = (const __le32 *)msg;
	u32 oid = le32_to_cpu(word[OID_OID]);
	struct slg_link *link = f->link;
	bool now = oid == NDIS_OID_OFFLOAD_CONFIG;
	void *info;

	if (link->offered && (now || oid == NDIS_OID_OFFLOAD_CAPABILITIES)) {
		info = answer_oid(control, word, RNDIS_MSG_QUERY_C, RNDIS_STATUS_SUCCESS,
				  sizeof(struct ndis_offload));
		if (info)
			sl_rndis_offload_fill(info,
					      now ? READ_ONCE(link->rx_offload) : link->to_device,
					      now ? READ_ONCE(link->agreed.offload) :
						    link->to_host);
	} else if (is_known_query(oid)) {
		rndis_msg_parser(control->params, msg);
		collect(control, link, oid);
	} else {
		answer_oid(control, word, RNDIS_MSG_QUERY_C, RNDIS_STATUS_NOT_SUPPORTED, 0);
	}
}

static void set(struct slg_function *f, u8 *msg, const u8 *info, u32 len)
{
	struct slg_control *control = &f->control;
	const __le32 *word = (const __le32 *)msg;
	u32 status = RNDIS_STATUS_NOT_SUPPORTED;

	switch (le32_to_cpu(word[OID_OID])) {
	case RNDIS_OID_GEN_CURRENT_PACKET_FILTER:
		/* The kernel reads four bytes whatever the length. */
		if (len < sizeof(__le32)) {
			status = RNDIS_STATUS_INVALID_DATA;
			break;
		}
		fallthrough;
	case RNDIS_OID_802_3_MULTICAST_LIST:
		rndis_msg_parser(control->params, msg);
		collect(control, f->link, 0);
		if (!READ_ONCE(f->link->filter))
			slg_link_unwanted(f->link);
		return;
	case NDIS_OID_OFFLOAD_PARAMETERS:
		if (!f->link->offered)
			break;
		status = slg_link_agree(f->link, info, len) ? RNDIS_STATUS_INVALID_DATA :
							      RNDIS_STATUS_SUCCESS;
		break;
	default:
		break;
	}
	answer_oid(control, word, RNDIS_MSG_SET_C, status, 0);
}

/* Reads where a query or a set has its information; false when that is not in it. */
static bool find_info(const __le32 *word, u32 len, u32 *offset, u32 *info_len)
{
	if (len < SLG_OID_SIZE)
		return false;
	*offset = le32_to_cpu(word[OID_OFFSET]);
	*info_len = le32_to_cpu(word[OID_LEN]);
	if (!*info_len) {
		/* The kernel makes a pointer of it. */
		*offset = SLG_INFO_MIN;
		return le32_to_cpu(word[OID_OFFSET]) <= len - SLG_OFFSET_BASE;
	}
	return *offset >= SLG_INFO_MIN && *offset <= len - SLG_OFFSET_BASE &&
	       *info_len <= len - SLG_OFFSET_BASE - *offset;
}

/* One command; false when it is to be refused. */
static bool command(struct slg_function *f, u8 *msg, u32 actual)
{
	const __le32 *word = (const __le32 *)msg;
	struct slg_control *control = &f->control;
	u32 type, len, offset, info_len;

	if (actual < SLG_COMMAND_MIN)
		return false;
	type = le32_to_cpu(word[WORD_TYPE]);
	len = le32_to_cpu(word[WORD_LEN]);
	if (len < SLG_COMMAND_MIN || len > actual)
		return false;

	switch (type) {
	case RNDIS_MSG_INIT:
		if (len < SLG_INIT_SIZE)
			return false;
		fallthrough;
	case RNDIS_MSG_HALT:
		/* A host that begins again has no use for old answers. */
		drop_answers(control);
		WRITE_ONCE(f->link->filter, 0);
		slg_link_restart(f->link, type == RNDIS_MSG_INIT ?
						  le32_to_cpu(word[INIT_MAX_TRANSFER]) : 0);
		break;
	case RNDIS_MSG_RESET:
		drop_answers(control);
		break;
	case RNDIS_MSG_QUERY:
		if (!find_info(word, len, &offset, &info_len) || control->count == SLG_ANSWERS_MAX)
			return false;
		query(f, msg);
		return true;
	case RNDIS_MSG_SET:
		if (!find_info(word, len, &offset, &info_len) || control->count == SLG_ANSWERS_MAX)
			return false;
		set(f, msg, msg + SLG_OFFSET_BASE + offset, info_len);
		return true;
	case RNDIS_MSG_KEEPALIVE:
		if (control->count == SLG_ANSWERS_MAX)
			return false;
		break;
	default:
		return false;
	}
	rndis_msg_parser(control->params, msg);
	collect(control, f->link, 0);
	return true;
}

static void slg_command_complete(struct usb_ep *ep, struct usb_request *req)
{
	struct slg_function *f = req->context;
	struct slg_control *control = &f->control;
	unsigned long flags;
	bool good;

	f->function.config->cdev->setup_pending = false;
	if (req->status)
		return;
	spin_lock_irqsave(&control->lock, flags);
	good = command(f, req->buf, req->actual);
	control->refused += !good;
	spin_unlock_irqrestore(&control->lock, flags);
	if (good)
		tell(control);
	else
		net_warn_ratelimited("%s: host's command of %u bytes refused\n",
				     f->link->net->name, req->actual);
}

/* Writes the next answer, or the single zero that means there is none. */
static int fetch_answer(struct slg_control *control, u8 *buf, u32 size)
{
	struct slg_answer *answer;
	unsigned long flags;
	int len = 1;

	spin_lock_irqsave(&control->lock, flags);
	answer = list_first_entry_or_null(&control->answers, struct slg_answer, list);
	if (answer) {
		list_del(&answer->list);
		control->count--;
		control->due = min(control->due, control->count);
	}
	spin_unlock_irqrestore(&control->lock, flags);

	buf[0] = 0;
	if (answer) {
		len = min(answer->len, size);
		memcpy(buf, answer->word, len);
		kfree(answer);
	}
	return len;
}

/**
 * slg_control_setup() - a control request for the function
 * @function: the function
 * @request: the request
 *
 * Return: what the USB core expects: an error stalls the endpoint.
 */
int slg_control_setup(struct usb_function *function, const struct usb_ctrlrequest *request)
{
	struct usb_composite_dev *cdev = function->config->cdev;
	struct slg_function *f = to_slg(function);
	struct usb_request *req = cdev->req;
	u16 len = le16_to_cpu(request->wLength);
	int err;

	if (le16_to_cpu(request->wValue) || le16_to_cpu(request->wIndex) != f->control_id)
		return -EOPNOTSUPP;

	switch (request->bRequestType << 8 | request->bRequest) {
	case SLG_SEND_COMMAND:
		if (len < SLG_COMMAND_MIN || len > USB_COMP_EP0_BUFSIZ)
			return -EOPNOTSUPP;
		req->length = len;
		req->complete = slg_command_complete;
		req->context = f;
		break;
	case SLG_GET_RESPONSE:
		if (!len)
			return -EOPNOTSUPP;
		req->length = fetch_answer(&f->control, req->buf,
					   min_t(u32, len, USB_COMP_EP0_BUFSIZ));
		break;
	default:
		return -EOPNOTSUPP;
	}
	req->zero = req->length < len;
	/*
	 * The USB core notes this for its own requests only.  Without it, nobody takes the
	 * request back when the function is unbound, and it is freed with the controller.
	 * Before it is queued: it may be completed from there.
	 */
	cdev->setup_pending = true;
	err = usb_ep_queue(cdev->gadget->ep0, req, GFP_ATOMIC);
	if (err)
		cdev->setup_pending = false;
	return err;
}

/**
 * slg_control_reset() - the host has gone
 * @f: the function
 */
void slg_control_reset(struct slg_function *f)
{
	struct slg_control *control = &f->control;
	unsigned long flags;

	spin_lock_irqsave(&control->lock, flags);
	rndis_uninit(control->params);
	drop_answers(control);
	spin_unlock_irqrestore(&control->lock, flags);
}

/**
 * slg_control_signal() - tell the host whether the device is up
 * @control: the function's
 * @speed: in units of 100 bits per second, 0 when it is down
 */
void slg_control_signal(struct slg_control *control, u32 speed)
{
	unsigned long flags;
	u32 len;
	u8 *buf;

	spin_lock_irqsave(&control->lock, flags);
	rndis_set_param_medium(control->params, RNDIS_MEDIUM_802_3, speed);
	if (speed)
		rndis_signal_connect(control->params);
	else
		rndis_signal_disconnect(control->params);
	while ((buf = rndis_get_next_response(control->params, &len))) {
		struct slg_answer *answer = add_answer(control, len);

		if (answer)
			memcpy(answer->word, buf, len);
		rndis_free_response(control->params, buf);
	}
	spin_unlock_irqrestore(&control->lock, flags);
	tell(control);
}

/**
 * slg_control_init() - begin to answer
 * @f: with its link
 * @notify: the endpoint for notifications
 *
 * Return: 0 or an error.
 */
int slg_control_init(struct slg_function *f, struct usb_ep *notify)
{
	struct slg_control *control = &f->control;
	struct usb_request *req;
	__le32 *notice;

	spin_lock_init(&control->lock);
	INIT_LIST_HEAD(&control->answers);
	control->count = 0;
	control->due = 0;
	control->telling = false;
	control->refused = 0;
	control->notify = notify;

	req = usb_ep_alloc_request(notify, GFP_KERNEL);
	notice = kzalloc(SLG_NOTICE, GFP_KERNEL);
	if (!req || !notice)
		goto err_memory;
	/* RESPONSE_AVAILABLE, the only one there is */
	notice[0] = cpu_to_le32(1);
	req->buf = notice;
	req->length = SLG_NOTICE;
	req->context = control;
	req->complete = slg_notify_complete;

	control->params = rndis_register(slg_response_available, NULL);
	if (IS_ERR(control->params)) {
		kfree(notice);
		usb_ep_free_request(notify, req);
		return PTR_ERR(control->params);
	}
	control->notify_req = req;
	rndis_set_param_medium(control->params, RNDIS_MEDIUM_802_3, 0);
	rndis_set_host_mac(control->params, f->host_addr);
	rndis_set_param_vendor(control->params, 0xffffff, "sockloan");
	/* From here on, commands find a device: the kernel does not look. */
	rndis_set_param_dev(control->params, f->link->net, &f->link->filter);
	return 0;

err_memory:
	kfree(notice);
	if (req)
		usb_ep_free_request(notify, req);
	return -ENOMEM;
}

/**
 * slg_control_exit() - nothing comes from the host any more
 * @f: the function
 */
void slg_control_exit(struct slg_function *f)
{
	struct slg_control *control = &f->control;

	slg_control_reset(f);
	rndis_deregister(control->params);
	kfree(control->notify_req->buf);
	usb_ep_free_request(control->notify, control->notify_req);
}
