# SPDX-License-Identifier: GPL-2.0
# QEMU's mps2-an500: a Cortex-M7 whose serial line carries usbredir
comma := ,
CROSS := arm-none-eabi-
port-sources := ports/redir/redir.c \
		$(addprefix ports/mps2/,start.c board.c meter.c stream.c usbredir.c)
port-cflags := -mcpu=cortex-m7 -mthumb -mfloat-abi=soft
port-ldflags := -nostartfiles -T $(here)ports/mps2/mps2.ld -Wl,-Map=$(out)/board.map
ifneq ($(findstring BOARD_METER,$(DEFINES)),)
port-ldflags += $(addprefix -Wl$(comma)--wrap=,dcd_poll usbd_reset usbd_setup usbd_sent usbd_received)
endif
