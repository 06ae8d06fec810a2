// SPDX-License-Identifier: GPL-2.0
/*
 * The device's descriptors in usbredir's words.
 */
#include <string.h>

#include "describe.h"
#include "usb/descriptors.h"

static uint16_t le16(const uint8_t *at)
{
	return at[0] | at[1] << 8;
}

static void describe_ep(struct redir_endpoints *eps, const uint8_t *desc,
			uint8_t interface)
{
	unsigned int i = EP_NUMBER(desc[2]) | (EP_IS_IN(desc[2]) ? 16 : 0);

	eps->type[i] = desc[3] & 3;
	eps->interval[i] = desc[6];
	eps->interface[i] = interface;
	eps->maxpacket[i] = le16(desc + 4);
}

void redir_describe(bool configured)
{
	struct redir_interfaces interfaces;
	struct redir_endpoints eps;
	uint8_t interface = 0;
	const uint8_t *desc;
	uint16_t len = 0;
	unsigned int i;

	memset(&interfaces, 0, sizeof(interfaces));
	memset(&eps, 0, sizeof(eps));
	memset(eps.type, 0xff, sizeof(eps.type));
	eps.type[0] = USB_EP_CONTROL;
	eps.type[16] = USB_EP_CONTROL;
	eps.maxpacket[0] = USB_EP0_SIZE;
	eps.maxpacket[16] = USB_EP0_SIZE;
	desc = configured ?
		       usb_descriptor(USB_DT_CONFIG, 0, dcd_speed_max(), &len) :
		       NULL;
	for (i = 0; i < len; i += desc[i]) {
		if (desc[i + 1] == USB_DT_INTERFACE) {
			interface = desc[i + 2];
			interfaces.number[interfaces.count] = interface;
			interfaces.class[interfaces.count] = desc[i + 5];
			interfaces.subclass[interfaces.count] = desc[i + 6];
			interfaces.protocol[interfaces.count++] = desc[i + 7];
		} else if (desc[i + 1] == USB_DT_ENDPOINT) {
			describe_ep(&eps, desc + i, interface);
		}
	}
	redir_port_describe(&interfaces, &eps);
}

void redir_device(struct redir_device *device)
{
	const uint8_t *desc;
	uint16_t len;

	desc = usb_descriptor(USB_DT_DEVICE, 0, dcd_speed_max(), &len);
	/* On the wire, full speed is 1, and high speed 2. */
	device->speed = dcd_speed_max() + 1;
	device->class = desc[4];
	device->subclass = desc[5];
	device->protocol = desc[6];
	device->vendor = le16(desc + 8);
	device->product = le16(desc + 10);
	device->version = le16(desc + 12);
}
