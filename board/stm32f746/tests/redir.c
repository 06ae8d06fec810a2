// SPDX-License-Identifier: GPL-2.0
/*
 * The usbredir controller between a host that is this test and the real device core:
 * what becomes of the host's packets, and when a transfer has ended.
 */
#include "ports/redir/redir.h"
#include "tests/unit.h"
#include "usb/class.h"
#include "usb/core.h"
#include "usb/descriptors.h"

static struct {
	int count;
	enum redir_kind kind;
	enum redir_status status;
	uint64_t id;
	uint32_t taken;
	uint8_t data[4096];
	uint32_t len;
} done;

static int connects, disconnects, describes, interfaces, interrupts;
static int opens, sents;
static uint32_t received[8];
static int receives;
static uint8_t memory[4096];
static struct redir_packet packets[64];
static unsigned int used;

enum usb_speed dcd_speed_max(void)
{
	return USB_SPEED_HIGH;
}

/* -- the port: the test calls the other side itself ------------------------ */

void redir_port_init(void)
{
}

bool redir_port_pump(void)
{
	return false;
}

void redir_port_connect(const struct redir_device *device)
{
	check(device->speed == 2 && device->vendor == USB_VENDOR);
	connects++;
}

void redir_port_disconnect(void)
{
	disconnects++;
}

void redir_port_describe(const struct redir_interfaces *is,
			 const struct redir_endpoints *eps)
{
	describes++;
	interfaces = is->count;
	check_equal(eps->type[18], interfaces ? USB_EP_BULK : 0xff);
}

void redir_port_done(struct redir_packet *packet, enum redir_status status,
		     const struct dcd_piece *pieces, unsigned int n)
{
	unsigned int i;

	done.count++;
	done.kind = packet->kind;
	done.status = status;
	done.id = packet->id;
	done.taken = packet->done;
	done.len = 0;
	for (i = 0; i < n; i++) {
		memcpy(done.data + done.len, pieces[i].data, pieces[i].len);
		done.len += pieces[i].len;
	}
}

void redir_port_interrupt(uint64_t id, uint8_t endpoint,
			  const struct dcd_piece *pieces, unsigned int n)
{
	check(id == (uint64_t)interrupts && endpoint == USB_EP_NOTIFY);
	check(n == 1 && pieces[0].len == 3);
	interrupts++;
}

/* -- the function ------------------------------------------------------------ */

void class_open(enum usb_speed speed)
{
	opens++;
	check(dcd_ep_open(USB_EP_NOTIFY, USB_EP_INTERRUPT, 8));
	check(dcd_ep_open(USB_EP_IN, USB_EP_BULK, usb_bulk_size(speed)));
	check(dcd_ep_open(USB_EP_OUT, USB_EP_BULK, usb_bulk_size(speed)));
}

void class_close(void)
{
	opens--;
	dcd_ep_close(USB_EP_NOTIFY);
	dcd_ep_close(USB_EP_IN);
	dcd_ep_close(USB_EP_OUT);
}

bool class_command(const uint8_t *data, uint16_t len)
{
	return len == 12 && data[0] == 0xc0;
}

uint16_t class_response(uint8_t *data, uint16_t size)
{
	(void)size;
	data[0] = 0x77;
	return 1;
}

void class_sent(uint8_t address)
{
	(void)address;
	sents++;
}

void class_received(uint8_t address, uint32_t len)
{
	(void)address;
	received[receives++ & 7] = len;
}

/* -- the host ---------------------------------------------------------------- */

static void settle(void)
{
	while (dcd_poll())
		;
}

static struct redir_packet *packet(enum redir_kind kind)
{
	struct redir_packet *p = &packets[used++ % 64];

	memset(p, 0, sizeof(*p));
	p->id = used;
	p->kind = kind;
	return p;
}

static void bulk(uint8_t endpoint, const uint8_t *data, uint32_t len)
{
	struct redir_packet *p = packet(REDIR_DATA);

	p->endpoint = endpoint;
	p->data = data;
	p->len = len;
	redir_submit(p);
	settle();
}

static enum redir_status control(uint8_t type, uint8_t request, uint16_t value,
				 const uint8_t *data, uint16_t len)
{
	struct redir_packet *p = packet(REDIR_CONTROL);
	int before = done.count;

	p->setup[0] = type;
	p->setup[1] = request;
	p->setup[2] = value & 0xff;
	p->setup[3] = value >> 8;
	p->setup[6] = len & 0xff;
	p->setup[7] = len >> 8;
	p->data = data;
	p->len = len;
	redir_submit(p);
	settle();
	check_equal(done.count, before + 1);
	check_equal(done.kind, REDIR_CONTROL);
	return done.status;
}

static void configure(uint8_t value)
{
	redir_set_configuration(packet(0), value);
	settle();
	check_equal(done.kind, REDIR_CONFIGURATION);
}

static void begin(void)
{
	redir_reset();
	settle();
	configure(1);
	check_equal(done.status, REDIR_SUCCESS);
	check_equal(opens, 1);
	sents = receives = 0;
}

static void plugging_in(void)
{
	usb_init();
	settle();
	check_equal(connects, 0);
	redir_peer();
	settle();
	check(connects == 1 && describes == 1 && !interfaces);
	configure(1);
	check(opens == 1 && describes == 2 && interfaces == 2);
	configure(2);
	check(done.status == REDIR_STALL && opens == 1);
	redir_get_configuration(packet(0));
	settle();
	check(done.len == 1 && done.data[0] == 1);
	redir_set_alt_setting(packet(0), 1, 0);
	settle();
	check(done.kind == REDIR_ALT_SETTING && !done.status);
	redir_set_alt_setting(packet(0), 1, 1);
	settle();
	check_equal(done.status, REDIR_STALL);
}

static void control_transfers(void)
{
	uint8_t command[12] = { 0xc0 };

	begin();
	check(!control(0x80, 6, 0x100, NULL, 64));
	check(done.len == 18 && done.data[0] == 18);
	check(!control(0x80, 6, 0x100, NULL, 8));
	check_equal(done.len, 8);
	check_equal(control(0x80, 6, 0x3300, NULL, 8), REDIR_STALL);
	check(!control(0x21, 0, 0, command, 12));
	check_equal(done.taken, 12);
	command[0] = 0;
	check_equal(control(0x21, 0, 0, command, 12), REDIR_STALL);
	check(!control(0xa1, 1, 0, NULL, 1025));
	check(done.len == 1 && done.data[0] == 0x77);
}

static void data_to_the_host(void)
{
	const struct dcd_piece piece[] = {
		{ "abc", 3 }, { "", 0 }, { memory, 509 }, { memory, 1 }
	};

	begin();
	/* The host first, then the device */
	bulk(USB_EP_IN, NULL, 2048);
	check_equal(done.kind, REDIR_CONFIGURATION);
	dcd_ep_send(USB_EP_IN, piece, 4, true);
	settle();
	check(done.len == 513 && !memcmp(done.data, "abc", 3) && sents == 1);
	/* The device first; the host takes it in pieces. */
	dcd_ep_send(USB_EP_IN, piece, 4, true);
	settle();
	check_equal(sents, 1);
	bulk(USB_EP_IN, NULL, 512);
	check(done.len == 512 && sents == 1);
	bulk(USB_EP_IN, NULL, 512);
	check(done.len == 1 && sents == 2);
	/* A whole packet, and one of none */
	dcd_ep_send(USB_EP_IN, piece, 3, true);
	bulk(USB_EP_IN, NULL, 512);
	check(done.len == 512 && sents == 2);
	bulk(USB_EP_IN, NULL, 512);
	check(!done.len && sents == 3);
	dcd_ep_send(USB_EP_IN, piece, 3, false);
	bulk(USB_EP_IN, NULL, 512);
	check(done.len == 512 && sents == 4);
}

static void data_from_the_host(void)
{
	static uint8_t data[2048];

	begin();
	dcd_ep_receive(USB_EP_OUT, memory, 1024);
	/* Whole packets do not end a transfer, until it is full. */
	bulk(USB_EP_OUT, data, 512);
	check(!receives && done.taken == 512);
	bulk(USB_EP_OUT, data, 0);
	check(receives == 1 && received[0] == 512);
	dcd_ep_receive(USB_EP_OUT, memory, 1024);
	bulk(USB_EP_OUT, data, 100);
	check(receives == 2 && received[1] == 100);
	/* More than there is room for: the rest waits for the next. */
	data[1024] = 0x5a;
	dcd_ep_receive(USB_EP_OUT, memory, 1024);
	done.taken = 0;
	bulk(USB_EP_OUT, data, 1100);
	check(receives == 3 && received[2] == 1024 && !done.taken);
	dcd_ep_receive(USB_EP_OUT, memory, 1024);
	settle();
	check(receives == 4 && received[3] == 76 && memory[0] == 0x5a);
	check_equal(done.taken, 1100);
}

static void interrupts_only_when_asked_for(void)
{
	const struct dcd_piece piece = { "abc", 3 };

	begin();
	check_equal(redir_start_interrupt(USB_EP_IN), REDIR_INVALID);
	check_equal(redir_start_interrupt(0x83), REDIR_INVALID);
	dcd_ep_send(USB_EP_NOTIFY, &piece, 1, false);
	settle();
	check(!interrupts && !sents);
	check_equal(redir_start_interrupt(USB_EP_NOTIFY), REDIR_SUCCESS);
	settle();
	check(interrupts == 1 && sents == 1);
	check_equal(redir_stop_interrupt(USB_EP_NOTIFY), REDIR_SUCCESS);
	dcd_ep_send(USB_EP_NOTIFY, &piece, 1, false);
	settle();
	check_equal(interrupts, 1);
}

static void halts_and_cancellations(void)
{
	static const uint8_t data[100];
	int before;

	begin();
	bulk(USB_EP_IN, NULL, 512);
	before = done.count;
	redir_cancel(used);
	check(done.count == before + 1 && done.status == REDIR_CANCELLED);
	redir_cancel(used);
	check_equal(done.count, before + 1);
	dcd_ep_stall(USB_EP_OUT);
	bulk(USB_EP_OUT, data, 100);
	check_equal(done.status, REDIR_STALL);
	dcd_ep_unstall(USB_EP_OUT);
	dcd_ep_receive(USB_EP_OUT, memory, 512);
	bulk(USB_EP_OUT, data, 100);
	check(!done.status && receives == 1);
	bulk(0x83, NULL, 64);
	check_equal(done.status, REDIR_INVALID);
	bulk(0x8f, NULL, 64);
	check_equal(done.status, REDIR_INVALID);
}

static void pulled_out_and_in(void)
{
	int before;

	begin();
	bulk(USB_EP_IN, NULL, 512);
	before = done.count;
	redir_peer_lost();
	check(done.count == before + 1 && done.status == REDIR_CANCELLED);
	settle();
	check_equal(opens, 0);
	bulk(USB_EP_IN, NULL, 512);
	check_equal(done.status, REDIR_INVALID);
	redir_peer();
	settle();
	check_equal(connects, 2);
	begin();
	dcd_disconnect();
	check_equal(disconnects, 1);
	dcd_connect();
	check_equal(connects, 3);
}

int main(void)
{
	UNIT_PLAN(7);
	UNIT_RUN(plugging_in);
	UNIT_RUN(control_transfers);
	UNIT_RUN(data_to_the_host);
	UNIT_RUN(data_from_the_host);
	UNIT_RUN(interrupts_only_when_asked_for);
	UNIT_RUN(halts_and_cancellations);
	UNIT_RUN(pulled_out_and_in);
	return UNIT_DONE();
}
