# SPDX-License-Identifier: GPL-2.0
units += otg_bulk
otg_bulk-sources := $(otg-driver)
otg_bulk-cflags := -DOTG_MODEL
