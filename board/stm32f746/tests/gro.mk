# SPDX-License-Identifier: GPL-2.0
units += gro
gro-sources := net/gro.c net/rxbuf.c
gro-lwip := core/pbuf.c core/mem.c core/memp.c core/def.c core/inet_chksum.c core/stats.c
gro-cflags := -Wno-address -ffunction-sections -Wl,--gc-sections
