# SPDX-License-Identifier: GPL-2.0
units += gro
gro-sources := net/gro.c net/rxbuf.c net/segment.c \
	       $(patsubst $(here)%,%,$(wildcard $(here)net/chksum.c))
gro-lwip := core/pbuf.c core/mem.c core/memp.c core/def.c core/inet_chksum.c core/stats.c
# What lwIP does not need of itself is not asked for, and has no prototype.
gro-cflags := -Wno-address -Wno-missing-prototypes -ffunction-sections -Wl,--gc-sections
