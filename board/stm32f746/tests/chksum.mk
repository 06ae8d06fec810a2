# SPDX-License-Identifier: GPL-2.0
units += chksum
chksum-sources := net/chksum.c
