# SPDX-License-Identifier: GPL-2.0
units += otg_core
otg_core-sources := $(otg-driver) usb/core.c usb/descriptors.c
otg_core-cflags := -DOTG_MODEL
