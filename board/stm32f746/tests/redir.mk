# SPDX-License-Identifier: GPL-2.0
units += redir
redir-sources := ports/redir/redir.c usb/core.c usb/descriptors.c
