# SPDX-License-Identifier: GPL-2.0
units += redir
redir-sources := ports/redir/redir.c ports/redir/describe.c usb/core.c usb/descriptors.c
