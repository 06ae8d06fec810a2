# SPDX-License-Identifier: GPL-2.0
units += usbredir
usbredir-sources := ports/mps2/usbredir.c ports/redir/redir.c ports/redir/describe.c
