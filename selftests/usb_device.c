// SPDX-License-Identifier: GPL-2.0
/*
 * No test, but the device that usb_hostile.sh plugs in: RNDIS by functionfs, which
 * answers as it should until it does not
 *
 * usage: usb_device FUNCTIONFS UDC-FILE UDC MODE SEED COUNT
 *
 * MODE is what is wrong with COUNT messages sent (sl_wrong()), or
 *   all      COUNT messages of each sort
 *   good     nothing
 *   control  COUNT answers on the control channel, about each third
 *   mute     control: no answer to the COUNTth request, and gone a second later
 * With an odd seed, the device offers no offload. Prints "ready" when it is
 * plugged in and "all" when COUNT messages have gone out; goes on answering ARP and
 * pings until it is killed. Says "gone" and fails when the kernel, asked after each
 * batch, is not there any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/aio_abi.h>
#include <linux/usb/functionfs.h>
#include <sys/syscall.h>

#include "sl_hostile.h"

#define IN_FLIGHT 16
#define BATCH 64 /* transfers */

static struct sl_hostile h = {
	.to_host = true,
	.kernel = { 2, 0, 0, 9, 0, 1 },
	.peer = { 2, 0, 0, 9, 0, 2 },
};
static enum { GOOD, CONTROL, MUTE, BULK } mode;
static int wrong; /* SL_WRONG_KINDS: all of them */
static unsigned long count;
static bool offload;
static int ep0, ep_status, ep_in, ep_out;
static volatile bool up; /* a frame has come */
static volatile unsigned long answers; /* to our ARP requests */
static pthread_mutex_t in_lock = PTHREAD_MUTEX_INITIALIZER;

static void check(int line, bool ok)
{
	if (ok)
		return;
	printf("usb_device, line %d: %s\n", line, strerror(errno));
	exit(1);
}

#define CHECK(_ok) check(__LINE__, _ok)

#define INTERFACE(_number, _endpoints, _class, _subclass, _protocol)        \
	{                                                                   \
		.bLength = USB_DT_INTERFACE_SIZE,                           \
		.bDescriptorType = USB_DT_INTERFACE,                        \
		.bInterfaceNumber = _number, .bNumEndpoints = _endpoints,   \
		.bInterfaceClass = _class, .bInterfaceSubClass = _subclass, \
		.bInterfaceProtocol = _protocol, .iInterface = 1,           \
	}
#define ENDPOINT(_address, _type, _size, _interval)                  \
	{                                                            \
		.bLength = USB_DT_ENDPOINT_SIZE,                     \
		.bDescriptorType = USB_DT_ENDPOINT,                  \
		.bEndpointAddress = _address, .bmAttributes = _type, \
		.wMaxPacketSize = _size, .bInterval = _interval,     \
	}
#define FUNCTION(_bulk, _interval)                                         \
	{                                                                  \
		INTERFACE(0, 1, 2, 2, 0xff),                               \
			ENDPOINT(1 | USB_DIR_IN, USB_ENDPOINT_XFER_INT, 8, \
				 _interval),                               \
			INTERFACE(1, 2, 10, 0, 0),                         \
			ENDPOINT(2 | USB_DIR_IN, USB_ENDPOINT_XFER_BULK,   \
				 _bulk, 0),                                \
			ENDPOINT(3 | USB_DIR_OUT, USB_ENDPOINT_XFER_BULK,  \
				 _bulk, 0),                                \
	}

/* functionfs takes no CDC descriptors; hosts do without for RNDIS. This machine is little-endian. */
struct function {
	struct usb_interface_descriptor control;
	struct usb_endpoint_descriptor_no_audio status;
	struct usb_interface_descriptor data;
	struct usb_endpoint_descriptor_no_audio in, out;
} __attribute__((packed));

static const struct {
	struct usb_functionfs_descs_head_v2 head;
	__le32 full_nr, high_nr;
	struct function full, high;
} __attribute__((packed)) descriptors = {
	.head = {
		.magic = FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
		.flags = FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC,
		.length = sizeof(descriptors),
	},
	.full_nr = 5,
	.high_nr = 5,
	.full = FUNCTION(64, 10),
	.high = FUNCTION(512, 8),
};

static const struct {
	struct usb_functionfs_strings_head head;
	__le16 language;
	char name[sizeof("RNDIS")];
} __attribute__((packed)) strings = {
	.head = {
		.magic = FUNCTIONFS_STRINGS_MAGIC,
		.length = sizeof(strings),
		.str_count = 1,
		.lang_count = 1,
	},
	.language = 0x0409,
	.name = "RNDIS",
};

static int open_in(const char *dir, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	return fd;
}

/* -- the control channel ------------------------------------------------- */

static uint8_t answer[4096];
static size_t answer_len;

static void put_words(const uint32_t *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sl_put32(answer + 4 * i, words[i]);
	answer_len = 4 * n;
}

static void answer_query(const uint8_t *request, uint32_t id)
{
	uint32_t oid = sl_get32(request + 12), len = 0, status = 0;
	uint8_t *value = answer + 24;

	switch (oid) {
	case SL_OID_ADDRESS:
		len = 6;
		memcpy(value, h.kernel, len);
		break;
	case SL_OID_PHYSICAL_MEDIUM:
		len = 4;
		sl_put32(value, 0);
		break;
	case SL_OID_CAPABILITIES:
		len = offload ? 156 : 0;
		if (offload)
			sl_capabilities(value);
		/* fallthrough */
	default:
		/* "Not supported" */
		status = len ? 0 : 0xc00000bb;
	}
	put_words((uint32_t[]){ SL_RNDIS_DONE | SL_RNDIS_QUERY, 24 + len, id,
				status, len, len ? 16 : 0 },
		  6);
	answer_len += len;
}

/* Makes the right answer to a request, if there is one. */
static void make_answer(const uint8_t *request, size_t len)
{
	uint32_t type = sl_get32(request), id = sl_get32(request + 8);

	answer_len = 0;
	if (len < 12)
		return;
	switch (type) {
	case SL_RNDIS_INIT:
		put_words((uint32_t[]){ SL_RNDIS_DONE | type, 52, id, 0, 1, 0,
					1, 0, 10, SL_TRANSFER_MAX, 2, 0, 0 },
			  13);
		break;
	case SL_RNDIS_QUERY:
		answer_query(request, id);
		break;
	case SL_RNDIS_SET:
	case SL_RNDIS_KEEPALIVE:
		put_words((uint32_t[]){ SL_RNDIS_DONE | type, 16, id, 0 }, 4);
		break;
	case SL_RNDIS_RESET:
		put_words((uint32_t[]){ SL_RNDIS_DONE | type, 16, 0, 1 }, 4);
		break;
	default:
		break;
	}
}

/* An answer, or not quite; of room bytes at most. */
static void spoil_answer(size_t room)
{
	uint32_t i;

	switch (sl_below(&h, 9)) {
	case 0:
		answer_len = sl_below(&h, answer_len + 1);
		break;
	case 1:
		answer_len = 0;
		break;
	case 2:
		answer_len = room;
		break;
	case 3:
		/* Indications, whole or not, with their offsets anywhere */
		put_words((uint32_t[]){ SL_RNDIS_INDICATE, sl_odd(&h, 20),
					0x4001000b, sl_odd(&h, 8),
					sl_odd(&h, 12), 0, 0, 0 },
			  5 + sl_below(&h, 4));
		break;
	case 4:
		sl_put32(answer, sl_odd(&h, sl_get32(answer)));
		break;
	case 5:
		sl_put32(answer + 8, sl_odd(&h, sl_get32(answer + 8)));
		break;
	case 6:
		for (i = 0; i < 8; i++)
			answer[sl_below(&h, answer_len)] = sl_any(&h);
		break;
	default:
		/* Any field but the first ones: limits, lengths, offsets */
		i = 12 + 4 * sl_below(&h, (answer_len - 12) / 4);
		sl_put32(answer + i, sl_odd(&h, sl_get32(answer + i)));
	}
}

/* A stall: the direction that the request does not have */
static void stall(const struct usb_ctrlrequest *setup)
{
	ssize_t ret = setup->bRequestType & USB_DIR_IN ? read(ep0, answer, 0) :
							 write(ep0, answer, 0);

	(void)ret;
}

static void on_setup(const struct usb_ctrlrequest *setup)
{
	static unsigned long requests;
	size_t len = le16toh(setup->wLength);
	uint8_t request[4096] = { 0 };
	ssize_t ret;

	if (setup->bRequestType == 0x21 && setup->bRequest == SL_SEND_COMMAND) {
		if (mode == MUTE && ++requests == count) {
			sleep(1);
			exit(0);
		}
		ret = read(ep0, request,
			   len < sizeof(request) ? len : sizeof(request));
		if (ret > 0)
			make_answer(request, ret);
		if (mode == CONTROL && h.messages < count && answer_len) {
			if (++h.messages == count)
				puts("all");
			if (sl_below(&h, 3) == 0)
				spoil_answer(len < SL_CONTROL_MAX ?
						     SL_CONTROL_MAX :
						     len);
		}
	} else if (setup->bRequestType == 0xa1 &&
		   setup->bRequest == SL_GET_RESPONSE) {
		if (!answer_len && sl_below(&h, 2)) {
			stall(setup);
			return;
		}
		ret = write(ep0, answer, answer_len < len ? answer_len : len);
		/* Indications have no end; all else is there once. */
		if (sl_get32(answer) != SL_RNDIS_INDICATE)
			answer_len = 0;
	} else {
		stall(setup);
	}
}

static void serve_control(void)
{
	struct usb_functionfs_event event;

	for (;;) {
		if (read(ep0, &event, sizeof(event)) != sizeof(event)) {
			CHECK(errno == EINTR || errno == EIDRM ||
			      errno == EAGAIN);
			continue;
		}
		if (event.type == FUNCTIONFS_SETUP)
			on_setup(&event.u.setup);
	}
}

/* -- frames -------------------------------------------------------------- */

/* A transfer of its own, ended by a short packet */
static void send_frame(const uint8_t *frame, size_t len)
{
	uint8_t transfer[SL_PACKET_HEADER + 4096];
	size_t n = sl_good(transfer, frame, len);

	if (n % 64 == 0)
		transfer[n++] = 0;
	pthread_mutex_lock(&in_lock);
	while (write(ep_in, transfer, n) < 0 &&
	       (errno == EINTR || errno == ESHUTDOWN))
		usleep(10000);
	pthread_mutex_unlock(&in_lock);
}

/* What the kernel sends: answered, or it is the answer */
static void *serve_frames(void *unused)
{
	static uint8_t transfer[2 * 65536];
	uint8_t reply[4096];
	const uint8_t *frame;
	size_t at, len, n;
	ssize_t ret;

	for (;;) {
		/* The host sends no more than it was told. */
		ret = read(ep_out, transfer, 73728);
		if (ret <= 0) {
			usleep(10000);
			continue;
		}
		at = 0;
		while ((len = sl_payload(transfer, ret, &at, &frame))) {
			up = true;
			answers += sl_arp_answered(frame, len);
			n = len < sizeof(reply) ?
				    sl_answer(&h, frame, len, reply) :
				    0;
			if (n)
				send_frame(reply, n);
		}
	}
	return unused;
}

/* Whatever there is to say on the status endpoint */
static void *send_status(void *unused)
{
	uint32_t words[2];
	ssize_t ret;

	for (;;) {
		words[0] = random();
		words[1] = random();
		if (random() % 2)
			memcpy(words, (uint32_t[]){ 1, 0 }, sizeof(words));
		ret = write(ep_status, words, 1 + random() % 8);
		usleep(ret < 0 ? 100000 : 20000);
	}
	return unused;
}

/* Sends one batch; several at a time, since a controller has them only now and then. */
static void send_batch(aio_context_t context)
{
	static uint8_t transfer[IN_FLIGHT][2 * SL_TRANSFER_MAX];
	struct iocb cb[IN_FLIGHT], *cbs[IN_FLIGHT];
	struct io_event events[IN_FLIGHT];
	int i, n, done;

	for (i = 0; i < BATCH && h.messages < count; i += IN_FLIGHT) {
		for (n = 0; n < IN_FLIGHT; n++) {
			size_t len =
				sl_hostile_transfer(&h, wrong, transfer[n]);

			/* Only "long" is meant to run into the next one. */
			if (len % 512 == 0 && len && wrong != SL_WRONG_LONG)
				len--;
			cb[n] = (struct iocb){
				.aio_lio_opcode = IOCB_CMD_PWRITE,
				.aio_fildes = ep_in,
				.aio_buf = (uintptr_t)transfer[n],
				.aio_nbytes = len,
			};
			cbs[n] = &cb[n];
		}
		pthread_mutex_lock(&in_lock);
		n = syscall(SYS_io_submit, context, IN_FLIGHT, cbs);
		CHECK(n == IN_FLIGHT);
		for (done = 0; done < n;) {
			int got = syscall(SYS_io_getevents, context, 1,
					  n - done, events, NULL);

			CHECK(got > 0 || errno == EINTR);
			done += got > 0 ? got : 0;
		}
		pthread_mutex_unlock(&in_lock);
	}
}

static bool kernel_there(void)
{
	unsigned long before = answers;
	uint8_t frame[128];
	int i, tries = 60;
	size_t len = sl_arp_request(&h, frame);

	while (tries--) {
		send_frame(frame, len);
		for (i = 0; i < 200; i++) {
			if (answers != before)
				return true;
			usleep(5000);
		}
	}
	return false;
}

static void send_wrong(aio_context_t context)
{
	h.messages = 0;
	while (h.messages < count) {
		send_batch(context);
		if (kernel_there())
			continue;
		printf("gone: %s, %lu messages\n", sl_wrong_name(wrong),
		       h.messages);
		exit(1);
	}
}

static void *misbehave(void *unused)
{
	aio_context_t context = 0;

	CHECK(!syscall(SYS_io_setup, IN_FLIGHT, &context));
	while (!up)
		usleep(10000);
	if (wrong < SL_WRONG_KINDS)
		send_wrong(context);
	else
		for (wrong = 0; wrong < SL_WRONG_KINDS; wrong++)
			send_wrong(context);
	puts("all");
	return unused;
}

/* -- all of it ----------------------------------------------------------- */

static void start(void *(*function)(void *))
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, function, NULL));
}

static void set_mode(const char *name)
{
	static const char *const others[] = { "good", "control", "mute" };

	for (mode = GOOD; mode < BULK && strcmp(others[mode], name); mode++)
		;
	if (mode < BULK)
		return;
	wrong = sl_wrong(name);
	CHECK(wrong < SL_WRONG_KINDS || !strcmp(name, "all"));
}

int main(int argc, char **argv)
{
	int udc;

	CHECK(argc == 7);
	set_mode(argv[4]);
	h.state = strtoul(argv[5], NULL, 0) * 0x9e3779b97f4a7c15 + 1;
	offload = strtoul(argv[5], NULL, 0) % 2 == 0;
	count = strtoul(argv[6], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);

	ep0 = open_in(argv[1], "ep0");
	CHECK(write(ep0, &descriptors, sizeof(descriptors)) ==
	      sizeof(descriptors));
	CHECK(write(ep0, &strings, sizeof(strings)) == sizeof(strings));
	ep_status = open_in(argv[1], "ep1");
	ep_in = open_in(argv[1], "ep2");
	ep_out = open_in(argv[1], "ep3");
	udc = open(argv[2], O_WRONLY);
	CHECK(udc >= 0 && write(udc, argv[3], strlen(argv[3])) > 0);
	close(udc);
	puts("ready");

	start(serve_frames);
	start(send_status);
	if (mode == BULK)
		start(misbehave);
	serve_control();
	return 0;
}
