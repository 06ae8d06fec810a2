# SPDX-License-Identifier: GPL-2.0
units += rxbuf
rxbuf-sources := net/rxbuf.c
