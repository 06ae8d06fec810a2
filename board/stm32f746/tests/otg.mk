# SPDX-License-Identifier: GPL-2.0
# The OTG driver of ports/stm32 on a model of the block.
units += otg
otg-driver := $(addprefix ports/stm32/,otg.c otg_ep.c otg_fifo.c otg_in.c otg_out.c) \
	      $(addprefix tests/,otg_model.c otg_model_ep.c otg_model_host.c otg_host.c)
otg-sources := $(otg-driver) tests/otg_rig.c
otg-cflags := -DOTG_MODEL
