// SPDX-License-Identifier: GPL-2.0
/*
 * The usbredir protocol with the library that QEMU reads it with: its messages to
 * and from ports/redir.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <usbredirparser.h>

#include "board.h"
#include "native.h"
#include "ports/redir/redir.h"

static struct usbredirparser *parser;
/* A message has come. */
static bool came;

static void *allocate(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		board_fail("no memory");
	return memory;
}

static struct redir_packet *new_packet(uint64_t id)
{
	struct redir_packet *packet = allocate(sizeof(*packet));

	packet->id = id;
	came = true;
	return packet;
}

/* -- from the host ------------------------------------------------------------------------ */

static void on_log(void *priv, int level, const char *message)
{
	(void)priv;
	if (level <= usbredirparser_warning)
		fprintf(stderr, "board: usbredir: %s\n", message);
}

static int on_read(void *priv, uint8_t *data, int count)
{
	(void)priv;
	return line_read(data, count);
}

static int on_write(void *priv, uint8_t *data, int count)
{
	(void)priv;
	return line_write(data, count);
}

static void on_hello(void *priv, struct usb_redir_hello_header *hello)
{
	(void)priv;
	(void)hello;
	came = true;
	redir_peer();
}

static void on_reset(void *priv)
{
	(void)priv;
	came = true;
	redir_reset();
}

static void
on_set_configuration(void *priv, uint64_t id,
		     struct usb_redir_set_configuration_header *header)
{
	(void)priv;
	redir_set_configuration(new_packet(id), header->configuration);
}

static void on_get_configuration(void *priv, uint64_t id)
{
	(void)priv;
	redir_get_configuration(new_packet(id));
}

static void on_set_alt_setting(void *priv, uint64_t id,
			       struct usb_redir_set_alt_setting_header *header)
{
	(void)priv;
	redir_set_alt_setting(new_packet(id), header->interface, header->alt);
}

static void on_get_alt_setting(void *priv, uint64_t id,
			       struct usb_redir_get_alt_setting_header *header)
{
	(void)priv;
	redir_get_alt_setting(new_packet(id), header->interface);
}

static void tell_polling(uint64_t id, uint8_t endpoint,
			 enum redir_status status)
{
	struct usb_redir_interrupt_receiving_status_header header = {
		.status = status,
		.endpoint = endpoint,
	};

	came = true;
	usbredirparser_send_interrupt_receiving_status(parser, id, &header);
}

static void
on_start_interrupt(void *priv, uint64_t id,
		   struct usb_redir_start_interrupt_receiving_header *header)
{
	(void)priv;
	tell_polling(id, header->endpoint,
		     redir_start_interrupt(header->endpoint));
}

static void
on_stop_interrupt(void *priv, uint64_t id,
		  struct usb_redir_stop_interrupt_receiving_header *header)
{
	(void)priv;
	tell_polling(id, header->endpoint,
		     redir_stop_interrupt(header->endpoint));
}

static void on_cancel(void *priv, uint64_t id)
{
	(void)priv;
	came = true;
	redir_cancel(id);
}

static void on_control(void *priv, uint64_t id,
		       struct usb_redir_control_packet_header *header,
		       uint8_t *data, int len)
{
	struct redir_packet *packet = new_packet(id);
	const uint8_t setup[8] = {
		header->requesttype,   header->request,
		header->value & 0xff,  header->value >> 8,
		header->index & 0xff,  header->index >> 8,
		header->length & 0xff, header->length >> 8,
	};

	(void)priv;
	packet->kind = REDIR_CONTROL;
	packet->endpoint = header->endpoint;
	memcpy(packet->setup, setup, sizeof(setup));
	packet->data = data;
	packet->len = data ? (uint32_t)len : header->length;
	redir_submit(packet);
}

static void submit_data(uint64_t id, uint8_t endpoint, uint32_t wanted,
			uint8_t *data, int len)
{
	struct redir_packet *packet = new_packet(id);

	packet->kind = REDIR_DATA;
	packet->endpoint = endpoint;
	packet->data = data;
	packet->len = data ? (uint32_t)len : wanted;
	redir_submit(packet);
}

static void on_bulk(void *priv, uint64_t id,
		    struct usb_redir_bulk_packet_header *header, uint8_t *data,
		    int len)
{
	(void)priv;
	submit_data(id, header->endpoint,
		    header->length | (uint32_t)header->length_high << 16, data,
		    len);
}

static void on_interrupt(void *priv, uint64_t id,
			 struct usb_redir_interrupt_packet_header *header,
			 uint8_t *data, int len)
{
	(void)priv;
	submit_data(id, header->endpoint, header->length, data, len);
}

/* -- to the host ------------------------------------------------------------------------- */

static uint8_t *gather(const struct dcd_piece *pieces, unsigned int n,
		       uint32_t *len)
{
	uint8_t *data, *at;
	unsigned int i;

	*len = 0;
	for (i = 0; i < n; i++)
		*len += pieces[i].len;
	data = at = allocate(*len);
	for (i = 0; i < n; i++) {
		memcpy(at, pieces[i].data, pieces[i].len);
		at += pieces[i].len;
	}
	return data;
}

static void done_control(const struct redir_packet *packet,
			 enum redir_status status, uint8_t *data, uint32_t len)
{
	const uint8_t *s = packet->setup;
	bool in = s[0] & USB_DIR_IN;
	struct usb_redir_control_packet_header header = {
		.endpoint = packet->endpoint,
		.requesttype = s[0],
		.request = s[1],
		.status = status,
		.value = s[2] | s[3] << 8,
		.index = s[4] | s[5] << 8,
		.length = in ? len : packet->done,
	};

	usbredirparser_send_control_packet(parser, packet->id, &header,
					   in && len ? data : NULL,
					   in ? len : 0);
}

static void done_bulk(const struct redir_packet *packet,
		      enum redir_status status, uint8_t *data, uint32_t len)
{
	bool in = packet->endpoint & USB_DIR_IN;
	uint32_t length = in ? len : packet->done;
	struct usb_redir_bulk_packet_header header = {
		.endpoint = packet->endpoint,
		.status = status,
		.length = length & 0xffff,
		.length_high = length >> 16,
	};

	usbredirparser_send_bulk_packet(parser, packet->id, &header,
					in && len ? data : NULL, in ? len : 0);
}

/* What was asked for, or set */
static uint8_t setting(const struct redir_packet *packet, const uint8_t *data,
		       uint32_t len)
{
	if (packet->setup[0] & USB_DIR_IN)
		return len ? data[0] : 0;
	return packet->setup[2];
}

void redir_port_done(struct redir_packet *packet, enum redir_status status,
		     const struct dcd_piece *pieces, unsigned int n)
{
	uint32_t len;
	uint8_t *data = gather(pieces, n, &len);
	struct usb_redir_configuration_status_header configuration = {
		.status = status,
		.configuration = setting(packet, data, len),
	};
	struct usb_redir_alt_setting_status_header alt = {
		.status = status,
		.interface = packet->setup[4],
		.alt = configuration.configuration,
	};

	if (!parser)
		goto out;
	switch (packet->kind) {
	case REDIR_CONTROL:
		done_control(packet, status, data, len);
		break;
	case REDIR_DATA:
		done_bulk(packet, status, data, len);
		break;
	case REDIR_CONFIGURATION:
		usbredirparser_send_configuration_status(parser, packet->id,
							 &configuration);
		break;
	case REDIR_ALT_SETTING:
		usbredirparser_send_alt_setting_status(parser, packet->id,
						       &alt);
		break;
	}
out:
	free(data);
	free((void *)packet->data);
	free(packet);
}

void redir_port_interrupt(uint64_t id, uint8_t endpoint,
			  const struct dcd_piece *pieces, unsigned int n)
{
	uint32_t len;
	uint8_t *data = gather(pieces, n, &len);
	struct usb_redir_interrupt_packet_header header = {
		.endpoint = endpoint,
		.length = len,
	};

	usbredirparser_send_interrupt_packet(parser, id, &header, data, len);
	free(data);
}

void redir_port_connect(const struct redir_device *device)
{
	struct usb_redir_device_connect_header header = {
		.speed = device->speed,
		.device_class = device->class,
		.device_subclass = device->subclass,
		.device_protocol = device->protocol,
		.vendor_id = device->vendor,
		.product_id = device->product,
		.device_version_bcd = device->version,
	};

	usbredirparser_send_device_connect(parser, &header);
}

void redir_port_disconnect(void)
{
	usbredirparser_send_device_disconnect(parser);
}

void redir_port_describe(const struct redir_interfaces *interfaces,
			 const struct redir_endpoints *endpoints)
{
	struct usb_redir_interface_info_header interface_info;
	struct usb_redir_ep_info_header ep_info;

	_Static_assert(sizeof(interface_info) == sizeof(*interfaces),
		       "as on the wire");
	_Static_assert(sizeof(ep_info) == sizeof(*endpoints), "as on the wire");
	memcpy(&interface_info, interfaces, sizeof(interface_info));
	memcpy(&ep_info, endpoints, sizeof(ep_info));
	usbredirparser_send_interface_info(parser, &interface_info);
	usbredirparser_send_ep_info(parser, &ep_info);
}

/* -- the line ------------------------------------------------------------------------------ */

static void begin(void)
{
	uint32_t caps[USB_REDIR_CAPS_SIZE] = { 0 };

	parser = usbredirparser_create();
	if (!parser)
		board_fail("no memory");
	parser->log_func = on_log;
	parser->read_func = on_read;
	parser->write_func = on_write;
	parser->hello_func = on_hello;
	parser->reset_func = on_reset;
	parser->set_configuration_func = on_set_configuration;
	parser->get_configuration_func = on_get_configuration;
	parser->set_alt_setting_func = on_set_alt_setting;
	parser->get_alt_setting_func = on_get_alt_setting;
	parser->start_interrupt_receiving_func = on_start_interrupt;
	parser->stop_interrupt_receiving_func = on_stop_interrupt;
	parser->cancel_data_packet_func = on_cancel;
	parser->control_packet_func = on_control;
	parser->bulk_packet_func = on_bulk;
	parser->interrupt_packet_func = on_interrupt;
	usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
	usbredirparser_caps_set_cap(caps,
				    usb_redir_cap_ep_info_max_packet_size);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
	usbredirparser_init(parser, "sockloan board", caps, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
}

static void end(void)
{
	usbredirparser_destroy(parser);
	parser = NULL;
	line_hang_up();
	redir_peer_lost();
}

void redir_port_init(void)
{
}

bool parser_has_output(void)
{
	return parser && usbredirparser_has_data_to_write(parser);
}

bool redir_port_pump(void)
{
	int status;

	came = false;
	if (!line_connected()) {
		if (!line_accept())
			return false;
		begin();
	}
	status = usbredirparser_do_read(parser);
	if (status != usbredirparser_read_io_error &&
	    usbredirparser_has_data_to_write(parser) &&
	    usbredirparser_do_write(parser) < 0)
		status = usbredirparser_read_io_error;
	if (status == usbredirparser_read_io_error) {
		end();
		return true;
	}
	return came;
}
