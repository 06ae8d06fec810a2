// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: an RNDIS function as Linux and Windows know it, with the class codes
 * of the kernel's own gadget.
 */
#include <string.h>

#include "descriptors.h"

#define LE16(x) ((x) & 0xff), ((x) >> 8)

enum {
	STRING_LANGUAGES,
	STRING_MAKER,
	STRING_PRODUCT,
	STRING_CONTROL,
	STRING_DATA,
	STRING_RNDIS
};
#define STRING_OS 0xee

/* In the configuration, see below */
#define AT_TYPE 1
#define AT_INTERVAL (9 + 8 + 9 + 5 + 5 + 4 + 5 + 6)
#define AT_IN_SIZE (AT_INTERVAL + 1 + 9 + 4)
#define AT_OUT_SIZE (AT_IN_SIZE + 7)
#define CONFIG_SIZE (AT_OUT_SIZE + 3)

/* clang-format off */
static const uint8_t device[] = {
	18, USB_DT_DEVICE, LE16(0x0200),
	/* Miscellaneous, with interface associations */
	0xef, 2, 1, USB_EP0_SIZE, LE16(USB_VENDOR), LE16(USB_PRODUCT), LE16(USB_RELEASE),
	STRING_MAKER, STRING_PRODUCT, 0, 1,
};

static const uint8_t qualifier[] = {
	10, USB_DT_QUALIFIER, LE16(0x0200), 0xef, 2, 1, USB_EP0_SIZE, 1, 0,
};

static const uint8_t config[CONFIG_SIZE] = {
	/* Powered by itself, 2 mA of the bus */
	9, USB_DT_CONFIG, LE16(CONFIG_SIZE), USB_INTERFACES, USB_CONFIGURATION, 0, 0xc0, 1,
	8, USB_DT_ASSOCIATION, USB_INTERFACE_CONTROL, USB_INTERFACES, 2, 2, 0xff, STRING_RNDIS,

	/* Communications, ACM, a protocol of a vendor's */
	9, USB_DT_INTERFACE, USB_INTERFACE_CONTROL, 0, 1, 2, 2, 0xff, STRING_CONTROL,
	/* CDC: header, call management, ACM, union */
	5, 0x24, 0x00, LE16(0x0110),
	5, 0x24, 0x01, 0, USB_INTERFACE_DATA,
	4, 0x24, 0x02, 0,
	5, 0x24, 0x06, USB_INTERFACE_CONTROL, USB_INTERFACE_DATA,
	7, USB_DT_ENDPOINT, USB_EP_NOTIFY, USB_EP_INTERRUPT, LE16(USB_NOTIFY_SIZE), 0,

	9, USB_DT_INTERFACE, USB_INTERFACE_DATA, 0, 2, 0x0a, 0, 0, STRING_DATA,
	7, USB_DT_ENDPOINT, USB_EP_IN, USB_EP_BULK, LE16(0), 0,
	7, USB_DT_ENDPOINT, USB_EP_OUT, USB_EP_BULK, LE16(0), 0,
};
/* clang-format on */

static const char *const strings[] = {
	[STRING_MAKER] = "sockloan",
	[STRING_PRODUCT] = "STM32F746 network link",
	[STRING_CONTROL] = "RNDIS Communications Control",
	[STRING_DATA] = "RNDIS Ethernet Data",
	[STRING_RNDIS] = "RNDIS",
};

/* Everything that is not constant is made here. */
static uint8_t made[CONFIG_SIZE];

_Static_assert(sizeof(made) >= 2 + 2 * sizeof("RNDIS Communications Control"),
	       "longest string");

static const uint8_t *make_config(uint8_t type, enum usb_speed speed,
				  uint16_t *len)
{
	uint16_t size = usb_bulk_size(speed);

	memcpy(made, config, sizeof(config));
	made[AT_TYPE] = type;
	/* 32 ms: in frames, and as a power of two of microframes */
	made[AT_INTERVAL] = speed == USB_SPEED_HIGH ? 9 : 32;
	made[AT_IN_SIZE] = made[AT_OUT_SIZE] = size & 0xff;
	made[AT_IN_SIZE + 1] = made[AT_OUT_SIZE + 1] = size >> 8;
	*len = sizeof(config);
	return made;
}

static const uint8_t *make_string(uint8_t index, uint16_t *len)
{
	/* clang-format off */
	static const uint8_t languages[] = { 4, USB_DT_STRING, LE16(0x0409) };
	static const uint8_t os[] = {
		18, USB_DT_STRING, 'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0', 0,
		USB_OS_REQUEST, 0,
	};
	/* clang-format on */
	const char *s;

	if (index == STRING_LANGUAGES) {
		*len = sizeof(languages);
		return languages;
	}
	if (index == STRING_OS) {
		*len = sizeof(os);
		return os;
	}
	if (index >= sizeof(strings) / sizeof(strings[0]))
		return NULL;
	*len = 2;
	for (s = strings[index]; *s; s++) {
		made[(*len)++] = *s;
		made[(*len)++] = 0;
	}
	made[0] = *len;
	made[1] = USB_DT_STRING;
	return made;
}

const uint8_t *usb_descriptor(uint8_t type, uint8_t index, enum usb_speed speed,
			      uint16_t *len)
{
	enum usb_speed other = speed == USB_SPEED_HIGH ? USB_SPEED_FULL :
							 USB_SPEED_HIGH;

	switch (type) {
	case USB_DT_DEVICE:
		*len = sizeof(device);
		return index ? NULL : device;
	case USB_DT_CONFIG:
		return index ? NULL : make_config(type, speed, len);
	case USB_DT_STRING:
		return make_string(index, len);
	case USB_DT_QUALIFIER:
		*len = sizeof(qualifier);
		return index || dcd_speed_max() != USB_SPEED_HIGH ? NULL :
								    qualifier;
	case USB_DT_OTHER_SPEED:
		return index || dcd_speed_max() != USB_SPEED_HIGH ?
			       NULL :
			       make_config(type, other, len);
	default:
		return NULL;
	}
}

/* By the first of these, Windows finds its RNDIS driver without being told. */
const uint8_t *usb_os_descriptor(uint16_t index, uint16_t *len)
{
	/* clang-format off */
	static const uint8_t compatible[40] = {
		40, 0, 0, 0, LE16(0x0100), LE16(4), 1, 0, 0, 0, 0, 0, 0, 0,
		USB_INTERFACE_CONTROL, 1, 'R', 'N', 'D', 'I', 'S', 0, 0, 0,
		'5', '1', '6', '2', '0', '0', '1', 0,
	};
	/* clang-format on */

	*len = sizeof(compatible);
	return index == 4 ? compatible : NULL;
}
