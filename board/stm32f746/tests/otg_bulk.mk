# SPDX-License-Identifier: GPL-2.0
units += otg_bulk
otg_bulk-sources := $(otg-driver) tests/otg_rig.c
otg_bulk-cflags := -DOTG_MODEL
