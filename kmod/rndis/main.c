// SPDX-License-Identifier: GPL-2.0
/*
 * rndis_loan.ko: a driver for RNDIS devices that sends frames from where they
 * lie and receives into pages that frames keep.  But for the board of ours it
 * takes no device unasked: see rl_probe().
 */
#include <linux/module.h>

#include "rndis.h"

static bool rl_take;
module_param_named(take, rl_take, bool, 0644);
MODULE_PARM_DESC(take,
		 "Take any RNDIS device that has no driver (default: only devices whose ids are written to new_id)");

bool rl_offload = true;
module_param_named(offload, rl_offload, bool, 0644);
MODULE_PARM_DESC(offload, "Agree on checksums and large frames with devices that offer them (default: yes)");

#define RL_FLAGS	(FLAG_ETHER | FLAG_POINTTOPOINT | FLAG_FRAMING_RN | \
			 FLAG_NO_SETINT | FLAG_MULTI_PACKET)

static const struct driver_info rl_info = {
	.description	= "RNDIS device, frames lent",
	.flags		= RL_FLAGS,
	.bind		= rl_bind,
	.unbind		= rl_unbind,
	.check_connect	= rl_check_connect,
	.status		= rndis_status,
};

/* Devices that answer only after their interrupt endpoint has been read */
static const struct driver_info rl_poll_info = {
	.description	= "RNDIS device (polled), frames lent",
	.flags		= RL_FLAGS,
	.data		= RNDIS_DRIVER_DATA_POLL_STATUS,
	.bind		= rl_bind,
	.unbind		= rl_unbind,
	.check_connect	= rl_check_connect,
	.status		= rndis_status,
};

/* No MODULE_DEVICE_TABLE: this must not be loaded for every telephone. */
static const struct usb_device_id rl_ids[] = {
	/* The board of ours, board/stm32f746; the one that is taken unasked */
	{
		USB_DEVICE_AND_INTERFACE_INFO(0x1209, 0x0001, USB_CLASS_COMM, 2, 0xff),
		.driver_info = (unsigned long)&rl_info,
	}, {
		USB_INTERFACE_INFO(USB_CLASS_COMM, 2, 0xff),
		.driver_info = (unsigned long)&rl_info,
	}, {
		USB_INTERFACE_INFO(USB_CLASS_WIRELESS_CONTROLLER, 1, 3),
		.driver_info = (unsigned long)&rl_info,
	}, {
		USB_INTERFACE_INFO(USB_CLASS_MISC, 1, 1),
		.driver_info = (unsigned long)&rl_poll_info,
	}, {
		USB_INTERFACE_INFO(USB_CLASS_MISC, 4, 1),
		.driver_info = (unsigned long)&rl_info,
	},
	{ }
};

static int rl_probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	/*
	 * What matched an id from new_id is asked for by somebody; but such an id may
	 * name any device, and matches its interfaces of all kinds.
	 */
	bool asked_for = id <= rl_ids || id >= rl_ids + ARRAY_SIZE(rl_ids);

	id = usb_match_id(intf, rl_ids);
	if (!id || !(asked_for || READ_ONCE(rl_take)))
		return -ENODEV;
	return usbnet_probe(intf, id);
}

static int rl_suspend(struct usb_interface *intf, pm_message_t message)
{
	struct usbnet *dev = usb_get_intfdata(intf);
	int err = usbnet_suspend(intf, message);

	/* Both of our interfaces come here; the second time finds nothing to do. */
	if (!err)
		rl_rx_sleep(rl_dev(dev));
	return err;
}

static int rl_resume(struct usb_interface *intf)
{
	struct usbnet *dev = usb_get_intfdata(intf);
	int err = usbnet_resume(intf);

	if (!dev->suspend_count)
		rl_rx_wake(rl_dev(dev));
	return err;
}

/* The device has lost its power meanwhile, and forgotten what was agreed on. */
static int rl_reset_resume(struct usb_interface *intf)
{
	struct usbnet *dev = usb_get_intfdata(intf);
	int err = 0;

	/* Once for both interfaces; before anything is sent. */
	if (intf == dev->intf)
		err = rl_renew(dev);
	return rl_resume(intf) ?: err;
}

/* There is no pre_reset: for any other reset, USB core unbinds and binds us. */
static struct usb_driver rl_driver = {
	.name		= "rndis_loan",
	.id_table	= rl_ids,
	.probe		= rl_probe,
	.disconnect	= usbnet_disconnect,
	.suspend	= rl_suspend,
	.resume		= rl_resume,
	.reset_resume	= rl_reset_resume,
	.supports_autosuspend = 1,
	.disable_hub_initiated_lpm = 1,
};
module_usb_driver(rl_driver);

MODULE_DESCRIPTION("RNDIS host driver that lends frames to the controller");
MODULE_AUTHOR("The sockloan developers");
MODULE_LICENSE("GPL");
