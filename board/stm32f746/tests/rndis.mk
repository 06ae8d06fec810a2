# SPDX-License-Identifier: GPL-2.0
units += rndis
rndis-sources := rndis/control.c rndis/message.c rndis/offload.c
