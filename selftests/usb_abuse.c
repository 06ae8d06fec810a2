// SPDX-License-Identifier: GPL-2.0
/*
 * No test, but the host that usb_hostile.sh has for a gadget, by libusb: nothing that
 * it sends is what it should be, and after each batch it looks whether the gadget
 * still answers as it should
 *
 * usage: usb_abuse MODE SEED COUNT
 *
 * MODE is what is wrong with COUNT messages sent (sl_wrong()), "all" for COUNT of each
 * sort, or "control" for COUNT requests on the control channel. With an odd seed, no offload is agreed on. The
 * gadget (1d6b:0104) is taken from its driver; the kernel's network
 * interface at its other end has the address SL_KERNEL.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libusb.h>

#include "sl_hostile.h"

#define IN_FLIGHT 16
#define BATCH 64 /* transfers, or requests */
#define TIMEOUT 5000 /* ms; what the script gives up on is longer */
#define OUT_REQUEST 0x21
#define IN_REQUEST 0xa1

static struct sl_hostile h = { .peer = { 2, 0, 0, 9, 0, 2 } };
static libusb_device_handle *usb;
static uint8_t ep_in, ep_out;
static unsigned long count;
static bool offload;

static void check(int line, bool ok, int error)
{
	if (ok)
		return;
	printf("usb_abuse, line %d, after %lu messages: %s\n", line, h.messages,
	       error ? libusb_strerror(error) : "not so");
	exit(1);
}

#define CHECK(_ok) check(__LINE__, _ok, 0)

static void check_error(int line, int ret)
{
	check(line, ret >= 0, ret);
}

#define CHECK_ERROR(_ret) check_error(__LINE__, _ret)

/* -- the control channel ------------------------------------------------- */

static int command(const void *data, size_t len)
{
	return libusb_control_transfer(usb, OUT_REQUEST, SL_SEND_COMMAND, 0, 0,
				       (void *)data, len, TIMEOUT);
}

static int response(uint8_t *data, size_t len)
{
	return libusb_control_transfer(usb, IN_REQUEST, SL_GET_RESPONSE, 0, 0,
				       data, len, TIMEOUT);
}

/* A request as it should be, and the answer to it, which others' may precede */
static size_t ask(uint32_t *words, size_t n, uint8_t *answer)
{
	static uint32_t id = 0x1000;
	int i, len;

	words[1] = 4 * n;
	words[2] = ++id;
	CHECK_ERROR(command(words, 4 * n));
	for (i = 0; i < 100; i++) {
		memset(answer, 0, SL_CONTROL_MAX);
		len = response(answer, SL_CONTROL_MAX);
		CHECK_ERROR(len);
		if (len >= 16 &&
		    sl_get32(answer) == (words[0] | SL_RNDIS_DONE) &&
		    sl_get32(answer + 8) == id) {
			CHECK(sl_get32(answer + 4) == len);
			return len;
		}
	}
	check(__LINE__, false, LIBUSB_ERROR_NOT_FOUND);
	return 0;
}

/* Everything is as it should be: the link is set up. */
static void initialize(void)
{
	uint8_t answer[SL_CONTROL_MAX];
	uint32_t init[6] = { SL_RNDIS_INIT, 0, 0, 1, 0, SL_TRANSFER_MAX };
	uint32_t query[7] = { SL_RNDIS_QUERY, 0, 0, SL_OID_ADDRESS, 0, 20 };
	uint32_t filter[8] = {
		SL_RNDIS_SET, 0, 0, SL_OID_FILTER, 4, 20, 0, 0x2d
	};
	/* struct ndis_params: all on, both ways */
	uint32_t params[15] = {
		SL_RNDIS_SET, 0,	  0,	     SL_OID_PARAMETERS,
		32,	      20,	  0,	     0x80 | 3 << 8 | 32 << 16,
		0x04040400,   0x00000404, 0x00000202
	};

	CHECK(ask(init, 6, answer) == 52 && !sl_get32(answer + 12));
	CHECK(ask(query, 7, answer) == 30 && !sl_get32(answer + 12));
	/* What it wants as the host's address; its own, only ARP tells. */
	memcpy(h.peer, answer + 24, 6);
	if (offload)
		ask(params, 15, answer);
	CHECK(ask(filter, 8, answer) == 16 && !sl_get32(answer + 12));
}

/* Something like a request; returns its length, of SL_CONTROL_MAX bytes at most */
static size_t odd_request(uint32_t *words)
{
	static const uint32_t types[] = {
		SL_RNDIS_PACKET,   SL_RNDIS_INIT,  SL_RNDIS_HALT,
		SL_RNDIS_QUERY,	   SL_RNDIS_QUERY, SL_RNDIS_SET,
		SL_RNDIS_SET,	   SL_RNDIS_RESET, SL_RNDIS_INDICATE,
		SL_RNDIS_KEEPALIVE
	};
	static const uint32_t oids[] = {
		SL_OID_FILTER,	     SL_OID_ADDRESS,	SL_OID_PHYSICAL_MEDIUM,
		SL_OID_CAPABILITIES, SL_OID_PARAMETERS, 0xfc01020b,
		0x00010101,	     0x0001010d,	0x01010103,
		0xfd010100
	};
	size_t n = 3 + sl_below(&h, 20), i;

	for (i = 0; i < n; i++)
		words[i] = sl_any(&h);
	words[0] = types[sl_below(&h, 10)];
	words[1] = 4 * n;
	if (words[0] == SL_RNDIS_QUERY || words[0] == SL_RNDIS_SET) {
		words[3] = sl_below(&h, 8) ? oids[sl_below(&h, 10)] :
					     sl_any(&h);
		words[4] = n > 7 ? 4 * n - 28 : 0;
		words[5] = 20;
		words[6] = 0;
		words[7] = 0x80 | 3 << 8 | words[4] << 16;
		if (sl_below(&h, 2))
			for (i = 8; i < n; i++)
				words[i] &= 0x03030303;
	}
	if (sl_below(&h, 3)) {
		i = sl_below(&h, n < 8 ? n : 8);
		words[i] = sl_odd(&h, words[i]);
	}
	return 4 * n;
}

static void abuse_control(void)
{
	static uint32_t words[4096];
	uint8_t answer[4096];
	size_t len = odd_request(words);

	h.messages++;
	switch (sl_below(&h, 8)) {
	case 0:
		len = sl_below(&h, 4097);
		break;
	case 1:
		len = sl_below(&h, len + 1);
		break;
	case 2:
		/* Another interface, value or request */
		libusb_control_transfer(usb, OUT_REQUEST, sl_below(&h, 4),
					sl_below(&h, 2), sl_below(&h, 2),
					(void *)words, len, TIMEOUT);
		return;
	case 3:
		libusb_control_transfer(usb, IN_REQUEST, sl_below(&h, 4),
					sl_below(&h, 2), sl_below(&h, 2),
					answer, sl_below(&h, 4096), TIMEOUT);
		return;
	default:
		break;
	}
	command(words, len);
	/* Never read, or too often */
	for (len = sl_below(&h, 4); len > 1; len--)
		response(answer,
			 sl_below(&h, 2) ? SL_CONTROL_MAX : sl_below(&h, 64));
}

/* -- frames -------------------------------------------------------------- */

static struct libusb_transfer *in[IN_FLIGHT], *out[IN_FLIGHT];
static int out_busy;
static bool answered;

static void submit_in(struct libusb_transfer *t)
{
	CHECK_ERROR(libusb_submit_transfer(t));
}

static void on_in(struct libusb_transfer *t)
{
	const uint8_t *frame;
	size_t at = 0, len;

	while (t->actual_length &&
	       (len = sl_payload(t->buffer, t->actual_length, &at, &frame))) {
		if (!sl_arp_answered(frame, len))
			continue;
		answered = true;
		memcpy(h.kernel, frame + 6, 6);
	}
	check(__LINE__, t->status != LIBUSB_TRANSFER_NO_DEVICE,
	      LIBUSB_ERROR_NO_DEVICE);
	if (t->status == LIBUSB_TRANSFER_STALL)
		libusb_clear_halt(usb, ep_in);
	submit_in(t);
}

static void on_out(struct libusb_transfer *t)
{
	(void)t;
	out_busy--;
}

static void handle_events(int ms)
{
	struct timeval time = { .tv_usec = 1000 * ms };

	CHECK_ERROR(libusb_handle_events_timeout(NULL, &time));
}

static struct libusb_transfer *
new_transfer(uint8_t ep, libusb_transfer_cb_fn done, int timeout)
{
	struct libusb_transfer *t = libusb_alloc_transfer(0);
	uint8_t *buffer = malloc(2 * SL_TRANSFER_MAX);

	CHECK(t && buffer);
	libusb_fill_bulk_transfer(t, usb, ep, buffer, 73728, done, NULL,
				  timeout);
	return t;
}

static void start_frames(void)
{
	int i;

	for (i = 0; i < IN_FLIGHT; i++) {
		out[i] = new_transfer(ep_out, on_out, TIMEOUT);
		in[i] = new_transfer(ep_in, on_in, 0);
		if (i < IN_FLIGHT / 2)
			submit_in(in[i]);
	}
}

/* Lets one go whose length is set. */
static void send_out(struct libusb_transfer *t)
{
	out_busy++;
	CHECK_ERROR(libusb_submit_transfer(t));
}

static void wait_out(void)
{
	while (out_busy)
		handle_events(100);
}

static void abuse_frames(enum sl_wrong wrong)
{
	int i, n;

	for (i = 0; i < BATCH && h.messages < count; i += IN_FLIGHT) {
		for (n = 0; n < IN_FLIGHT; n++) {
			out[n]->length =
				sl_hostile_transfer(&h, wrong, out[n]->buffer);
			/* Only "long" is meant to run into the next one. */
			if (out[n]->length && out[n]->length % 512 == 0 &&
			    wrong != SL_WRONG_LONG)
				out[n]->length--;
			send_out(out[n]);
		}
		wait_out();
	}
}

/* Whether the kernel's end still answers ARP */
static void check_frames(void)
{
	uint8_t frame[128];
	int i, tries = 60;

	answered = false;
	while (!answered && tries--) {
		out[0]->length = sl_good(out[0]->buffer, frame,
					 sl_arp_request(&h, frame));
		send_out(out[0]);
		wait_out();
		for (i = 0; i < 20 && !answered; i++)
			handle_events(50);
	}
	CHECK(answered);
}

/* -- all of it ----------------------------------------------------------- */

static void find_endpoints(libusb_device *device)
{
	struct libusb_config_descriptor *config;
	const struct libusb_endpoint_descriptor *ep;
	int i;

	CHECK_ERROR(libusb_get_active_config_descriptor(device, &config));
	CHECK(config->bNumInterfaces == 2);
	for (i = 0; i < config->interface[1].altsetting->bNumEndpoints; i++) {
		ep = &config->interface[1].altsetting->endpoint[i];
		if (ep->bEndpointAddress & LIBUSB_ENDPOINT_IN)
			ep_in = ep->bEndpointAddress;
		else
			ep_out = ep->bEndpointAddress;
	}
	libusb_free_config_descriptor(config);
	CHECK(ep_in && ep_out);
}

static void open_device(void)
{
	int i;

	CHECK_ERROR(libusb_init(NULL));
	usb = libusb_open_device_with_vid_pid(NULL, 0x1d6b, 0x0104);
	CHECK(usb);
	libusb_set_auto_detach_kernel_driver(usb, 1);
	for (i = 0; i < 2; i++)
		CHECK_ERROR(libusb_claim_interface(usb, i));
	find_endpoints(libusb_get_device(usb));
}

static void abuse(int wrong)
{
	int i;

	h.messages = 0;
	while (h.messages < count) {
		if (wrong < SL_WRONG_KINDS)
			abuse_frames(wrong);
		else
			for (i = 0; i < BATCH; i++)
				abuse_control();
		initialize();
		check_frames();
	}
	printf("%s: %lu\n",
	       wrong < SL_WRONG_KINDS ? sl_wrong_name(wrong) : "control",
	       h.messages);
}

int main(int argc, char **argv)
{
	int wrong;

	CHECK(argc == 4);
	wrong = sl_wrong(argv[1]);
	CHECK(wrong < SL_WRONG_KINDS || !strcmp(argv[1], "all") ||
	      !strcmp(argv[1], "control"));
	h.state = strtoul(argv[2], NULL, 0) * 0x9e3779b97f4a7c15 + 1;
	offload = strtoul(argv[2], NULL, 0) % 2 == 0;
	count = strtoul(argv[3], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);

	open_device();
	initialize();
	start_frames();
	check_frames();
	if (strcmp(argv[1], "all"))
		abuse(wrong);
	else
		for (wrong = 0; wrong < SL_WRONG_KINDS; wrong++)
			abuse(wrong);
	puts("all");
	/* What is in flight goes with the process. */
	return 0;
}
