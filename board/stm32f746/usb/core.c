// SPDX-License-Identifier: GPL-2.0
/*
 * The device core: endpoint 0.  A request is answered, begun with data from the
 * host, or refused; what has data is done when all of it is there.
 */
#include "class.h"
#include "core.h"
#include "descriptors.h"

/* bmRequestType */
#define TYPE_MASK 0x60
#define TYPE_STANDARD 0x00
#define TO_DEVICE 0x00
#define TO_INTERFACE 0x01
#define TO_ENDPOINT 0x02
#define FROM(to) (USB_DIR_IN | (to))

enum {
	GET_STATUS,
	CLEAR_FEATURE,
	SET_FEATURE = 3,
	SET_ADDRESS = 5,
	GET_DESCRIPTOR,
	GET_CONFIGURATION = 8,
	SET_CONFIGURATION,
	GET_INTERFACE,
	SET_INTERFACE,
};

#define FEATURE_HALT 0
#define STATUS_SELF_POWERED 1
#define STATUS_HALTED 1

/* Type and number */
#define REQUEST(type, number) ((type) << 8 | (number))
#define SEND_COMMAND REQUEST(0x21, 0)
#define GET_RESPONSE REQUEST(0xa1, 1)
#define OS_DESCRIPTOR(to) REQUEST(FROM(0x40 | (to)), USB_OS_REQUEST)

struct request {
	uint8_t type;
	uint8_t number;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

enum stage {
	STAGE_IDLE,
	/* Data from the host, and data to it */
	STAGE_OUT,
	STAGE_IN,
	/* The end, to the host or from it */
	STAGE_STATUS,
};

/**
 * struct usb - the device
 * @speed: as the bus was reset
 * @configured: the host has chosen the one configuration
 * @halted: bit n: OUT endpoint n; bit 16 + n: IN endpoint n
 * @stage: of the request on endpoint 0
 * @request: that one
 * @buffer: its data
 */
static struct usb {
	enum usb_speed speed;
	bool configured;
	uint32_t halted;
	enum stage stage;
	struct request request;
	_Alignas(4) uint8_t buffer[USB_CONTROL_MAX];
} usb;

static uint32_t halt_bit(uint8_t address)
{
	return 1u << ((address & 0x0f) + (address & USB_DIR_IN ? 16 : 0));
}

static void refuse(void)
{
	usb.stage = STAGE_IDLE;
	dcd_ep_stall(0);
}

/* It is done. */
static void acknowledge(void)
{
	static const struct dcd_piece nothing;

	usb.stage = STAGE_STATUS;
	dcd_ep_send(USB_DIR_IN, &nothing, 1, false);
}

static void answer(const void *data, uint16_t len)
{
	struct dcd_piece piece = { data, len };

	if (!usb.request.length) {
		acknowledge();
		return;
	}
	if (piece.len > usb.request.length)
		piece.len = usb.request.length;
	usb.stage = STAGE_IN;
	/* The host would wait for more if the last packet were a full one. */
	dcd_ep_send(USB_DIR_IN, &piece, 1, piece.len < usb.request.length);
}

static void answer_word(uint16_t value, uint16_t len)
{
	usb.buffer[0] = value & 0xff;
	usb.buffer[1] = value >> 8;
	answer(usb.buffer, len);
}

static bool has_endpoint(uint16_t address)
{
	switch (address) {
	case USB_EP_NOTIFY:
	case USB_EP_IN:
	case USB_EP_OUT:
		return usb.configured;
	default:
		return false;
	}
}

static bool is_ep0(uint16_t address)
{
	return address == 0 || address == USB_DIR_IN;
}

static void set_halt(uint8_t address, bool halt)
{
	if (halt) {
		usb.halted |= halt_bit(address);
		dcd_ep_stall(address);
	} else {
		usb.halted &= ~halt_bit(address);
		dcd_ep_unstall(address);
	}
}

static void leave_configuration(void)
{
	if (!usb.configured)
		return;
	usb.configured = false;
	usb.halted = 0;
	class_close();
}

static bool set_configuration(uint16_t value)
{
	if (value != 0 && value != USB_CONFIGURATION)
		return false;
	leave_configuration();
	if (value) {
		usb.configured = true;
		class_open(usb.speed);
	}
	return true;
}

/* The only setting there is; choosing it takes halts away. */
static bool set_interface(uint16_t interface, uint16_t setting)
{
	if (!usb.configured || interface >= USB_INTERFACES || setting)
		return false;
	if (interface == USB_INTERFACE_CONTROL) {
		set_halt(USB_EP_NOTIFY, false);
	} else {
		set_halt(USB_EP_IN, false);
		set_halt(USB_EP_OUT, false);
	}
	return true;
}

static void get_status(const struct request *r)
{
	uint8_t to = r->type & 0x1f;

	if (to == TO_DEVICE && !r->index)
		answer_word(STATUS_SELF_POWERED, 2);
	else if (to == TO_INTERFACE && usb.configured &&
		 r->index < USB_INTERFACES)
		answer_word(0, 2);
	else if (to == TO_ENDPOINT && is_ep0(r->index))
		answer_word(0, 2);
	else if (to == TO_ENDPOINT && has_endpoint(r->index))
		answer_word(usb.halted & halt_bit(r->index) ? STATUS_HALTED : 0,
			    2);
	else
		refuse();
}

static void get_descriptor(const struct request *r)
{
	uint16_t len;
	const uint8_t *data =
		usb_descriptor(r->value >> 8, r->value & 0xff, usb.speed, &len);

	if (data)
		answer(data, len);
	else
		refuse();
}

/* Those without data from the device; false refuses them. */
static bool obey(const struct request *r)
{
	switch (REQUEST(r->type, r->number)) {
	case REQUEST(TO_DEVICE, SET_ADDRESS):
		if (r->value > 127)
			return false;
		dcd_set_address(r->value);
		return true;
	case REQUEST(TO_DEVICE, SET_CONFIGURATION):
		return set_configuration(r->value);
	case REQUEST(TO_INTERFACE, SET_INTERFACE):
		return set_interface(r->index, r->value);
	case REQUEST(TO_ENDPOINT, CLEAR_FEATURE):
	case REQUEST(TO_ENDPOINT, SET_FEATURE):
		if (r->value != FEATURE_HALT)
			return false;
		/* Endpoint 0 is never halted for longer than a request. */
		if (is_ep0(r->index))
			return r->number == CLEAR_FEATURE;
		if (!has_endpoint(r->index))
			return false;
		set_halt(r->index, r->number == SET_FEATURE);
		return true;
	default:
		return false;
	}
}

static void get_os_descriptor(const struct request *r)
{
	uint16_t len;
	const uint8_t *data = usb_os_descriptor(r->index, &len);

	if (data)
		answer(data, len);
	else
		refuse();
}

static bool is_command(const struct request *r)
{
	return REQUEST(r->type, r->number) == SEND_COMMAND && usb.configured &&
	       !r->value && r->index == USB_INTERFACE_CONTROL && r->length &&
	       r->length <= USB_CONTROL_MAX;
}

static void get_response(const struct request *r)
{
	uint16_t size = r->length < USB_CONTROL_MAX ? r->length :
						      USB_CONTROL_MAX;

	if (!usb.configured || r->value || r->index != USB_INTERFACE_CONTROL ||
	    !size)
		refuse();
	else
		answer(usb.buffer, class_response(usb.buffer, size));
}

static void begin(const struct request *r)
{
	switch (REQUEST(r->type, r->number)) {
	case REQUEST(FROM(TO_DEVICE), GET_STATUS):
	case REQUEST(FROM(TO_INTERFACE), GET_STATUS):
	case REQUEST(FROM(TO_ENDPOINT), GET_STATUS):
		get_status(r);
		break;
	case REQUEST(FROM(TO_DEVICE), GET_DESCRIPTOR):
		get_descriptor(r);
		break;
	case REQUEST(FROM(TO_DEVICE), GET_CONFIGURATION):
		answer_word(usb.configured ? USB_CONFIGURATION : 0, 1);
		break;
	case REQUEST(FROM(TO_INTERFACE), GET_INTERFACE):
		if (usb.configured && r->index < USB_INTERFACES)
			answer_word(0, 1);
		else
			refuse();
		break;
	case OS_DESCRIPTOR(TO_DEVICE):
	case OS_DESCRIPTOR(TO_INTERFACE):
		get_os_descriptor(r);
		break;
	case GET_RESPONSE:
		get_response(r);
		break;
	default:
		/* What remains has no data, but for commands. */
		if (is_command(r)) {
			usb.stage = STAGE_OUT;
			dcd_ep_receive(0, usb.buffer, r->length);
		} else if (!r->length && obey(r)) {
			acknowledge();
		} else {
			refuse();
		}
		break;
	}
}

/* -- events ------------------------------------------------------------------------------ */

void usbd_setup(const uint8_t setup[8])
{
	usb.request = (struct request){
		.type = setup[0],
		.number = setup[1],
		.value = setup[2] | setup[3] << 8,
		.index = setup[4] | setup[5] << 8,
		.length = setup[6] | setup[7] << 8,
	};
	usb.stage = STAGE_IDLE;
	begin(&usb.request);
}

static void ep0_sent(void)
{
	if (usb.stage == STAGE_IN) {
		usb.stage = STAGE_STATUS;
		dcd_ep_receive(0, usb.buffer, 0);
	} else if (usb.stage == STAGE_STATUS) {
		usb.stage = STAGE_IDLE;
	}
}

static void ep0_received(uint32_t len)
{
	if (usb.stage == STAGE_STATUS)
		usb.stage = STAGE_IDLE;
	if (usb.stage != STAGE_OUT)
		return;
	if (len == usb.request.length && class_command(usb.buffer, len))
		acknowledge();
	else
		refuse();
}

void usbd_sent(uint8_t address)
{
	if (address == USB_DIR_IN)
		ep0_sent();
	else if (usb.configured)
		class_sent(address);
}

void usbd_received(uint8_t address, uint32_t len)
{
	if (!address)
		ep0_received(len);
	else if (usb.configured)
		class_received(address, len);
}

void usbd_reset(enum usb_speed speed)
{
	leave_configuration();
	usb.speed = speed;
	usb.stage = STAGE_IDLE;
}

void usbd_disconnected(void)
{
	leave_configuration();
	usb.stage = STAGE_IDLE;
}

/* The host's driver sees to what is under way; on a bus that sleeps nothing moves. */
void usbd_suspended(void)
{
}

void usbd_resumed(void)
{
}

void usb_init(void)
{
	dcd_init();
	dcd_connect();
}
