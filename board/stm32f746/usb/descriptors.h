/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the device says that it is.
 */
#ifndef BOARD_DESCRIPTORS_H
#define BOARD_DESCRIPTORS_H

#include "dcd.h"

/* Types of descriptors */
enum {
	USB_DT_DEVICE = 1,
	USB_DT_CONFIG,
	USB_DT_STRING,
	USB_DT_INTERFACE,
	USB_DT_ENDPOINT,
	USB_DT_QUALIFIER,
	USB_DT_OTHER_SPEED,
	USB_DT_ASSOCIATION = 0x0b,
};

/* The pid.codes test range: for development, not for devices that are sold. */
#define USB_VENDOR 0x1209
#define USB_PRODUCT 0x0001
#define USB_RELEASE 0x0100

/* Interfaces */
enum {
	USB_INTERFACE_CONTROL,
	USB_INTERFACE_DATA,
	USB_INTERFACES,
};

/* Endpoints */
#define USB_EP_NOTIFY 0x81
#define USB_EP_IN 0x82
#define USB_EP_OUT 0x02

#define USB_CONFIGURATION 1
#define USB_EP0_SIZE 64
#define USB_NOTIFY_SIZE 8

static inline uint16_t usb_bulk_size(enum usb_speed speed)
{
	return speed == USB_SPEED_HIGH ? 512 : 64;
}

/*
 * A standard descriptor for the running speed: NULL when there is none, else its
 * length at @len.  It stays as it is until the next call.
 */
const uint8_t *usb_descriptor(uint8_t type, uint8_t index, enum usb_speed speed,
			      uint16_t *len);

/* Microsoft's: answers to the vendor request that string 0xee names. */
const uint8_t *usb_os_descriptor(uint16_t index, uint16_t *len);
#define USB_OS_REQUEST 0x20

#endif /* BOARD_DESCRIPTORS_H */
