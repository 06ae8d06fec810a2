# SPDX-License-Identifier: GPL-2.0
units += dhcp
dhcp-sources := services/dhcp.c
