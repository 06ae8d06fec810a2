# SPDX-License-Identifier: GPL-2.0
units += control
control-sources := usb/core.c usb/descriptors.c
