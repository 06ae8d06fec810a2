/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device core: between the controller (dcd.h) and the function (class.h).
 */
#ifndef BOARD_USB_CORE_H
#define BOARD_USB_CORE_H

/* The longest data stage from the host; also of answers with a buffer of their own */
#define USB_CONTROL_MAX 1024

/* Sets the controller up and lets the host see the device. */
void usb_init(void);

#endif /* BOARD_USB_CORE_H */
