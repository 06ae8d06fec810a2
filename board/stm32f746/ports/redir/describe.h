/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's descriptors in usbredir's words.
 */
#ifndef BOARD_REDIR_DESCRIBE_H
#define BOARD_REDIR_DESCRIBE_H

#include "redir.h"

#define EP_NUMBER(address) ((address) & 0x0f)
#define EP_IS_IN(address) ((address) & USB_DIR_IN)

/* Tells the peer of interfaces and endpoints; before it is configured there are none. */
void redir_describe(bool configured);

/* What the peer is told when the device is plugged in. */
void redir_device(struct redir_device *device);

#endif /* BOARD_REDIR_DESCRIBE_H */
