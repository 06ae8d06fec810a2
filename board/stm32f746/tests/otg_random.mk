# SPDX-License-Identifier: GPL-2.0
units += otg_random
otg_random-sources := $(otg-driver) tests/otg_rig.c
otg_random-cflags := -DOTG_MODEL
