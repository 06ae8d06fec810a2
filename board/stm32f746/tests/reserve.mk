# SPDX-License-Identifier: GPL-2.0
units += reserve
reserve-sources := net/rx.c net/rxbuf.c net/segment.c \
		   $(patsubst $(here)%,%,$(wildcard $(here)net/chksum.c))
reserve-lwip := $(gro-lwip)
reserve-cflags := $(gro-cflags)
