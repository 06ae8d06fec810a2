# SPDX-License-Identifier: GPL-2.0
# A process that speaks usbredir.
port-sources := $(addprefix ports/native/,main.c socket.c parser.c) ports/redir/redir.c
port-cflags := -D_GNU_SOURCE $(shell pkg-config --cflags libusbredirparser-0.5)
port-libs := $(shell pkg-config --libs libusbredirparser-0.5)
