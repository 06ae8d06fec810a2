# SPDX-License-Identifier: GPL-2.0
# The STM32F746 Discovery.  SPEED=hs: CN12, high speed; SPEED=fs: CN13, full speed.
ifeq ($(filter fs hs,$(SPEED)),)
$(error SPEED is fs or hs, not "$(SPEED)")
endif

CROSS := arm-none-eabi-
port-sources := $(addprefix ports/stm32/,start.c main.c clock.c otg.c otg_board.c otg_ep.c \
		  otg_fifo.c otg_in.c otg_out.c)
port-cflags := -mcpu=cortex-m7 -mthumb -mfloat-abi=soft --specs=nano.specs \
	       -I$(here)ports/stm32 $(if $(filter hs,$(SPEED)),-DOTG_HIGH_SPEED)
port-ldflags := -nostartfiles -T$(here)ports/stm32/stm32f746.ld -Wl,--fatal-warnings
