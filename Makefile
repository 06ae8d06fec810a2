# SPDX-License-Identifier: GPL-2.0
# sockloan: see `make help`.

KDIR ?= /lib/modules/$(shell uname -r)/build
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
BUILD := $(CURDIR)/build
# Where a kernel's objects go: one tree of copies per kernel, so that several
# can be built from one checkout.
OBJ = $(BUILD)/$(KREL)
W ?= 1
T ?=
KERNELS ?= 6.1 6.12 debug
# What `make check` may take, in minutes, when nothing has to be downloaded or built
MINUTES ?= 22

# Of the board's tests, those that make check has as well, on the emulated Cortex-M7
BOARD_CASES := enumerates has_lease bursts_come_back status_page iperf_runs nothing_is_copied many_at_once

PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/MODULE_VERSION("\(.*\)");/\1/p' kmod/core/main.c)

all: modules tools lib

help:
	@echo 'On any machine (installs what is missing by apt):'
	@echo '  make demo              iperf3 on a test host, copied and lent, as a table'
	@echo '  make demo-usb          a USB cable, stock drivers at both ends and ours, as a table'
	@echo '  make bench             every mechanism that a user could pick, against each other, on'
	@echo '                         loopback, veth, a network card and USB: tables, plots (15 to 40 minutes)'
	@echo "  make bench CASES='PATTERN...'   some of it; bench/bench -l lists the cases"
	@echo '  make demo-board        the STM32 firmware on an emulated Cortex-M7, plugged into a test host'
	@echo '  make figures           what a loan gains, case by case, by instruction count'
	@echo '  make receive           what receiving in place, packets and forwarding gain, likewise'
	@echo '  make ipis              interprocessor interrupts per MiB, by number of threads'
	@echo '  make figures-board     instructions of the board per byte received, lent and copied'
	@echo '  make check             all tests on a test host with kernel 6.1, nearly all on 6.12, then on a'
	@echo '                         debug kernel as many as fit into $(MINUTES) minutes; then the board, quickly'
	@echo '  make check-all         all tests on 6.1, 6.12, sid and debug: takes an hour or more'
	@echo '  make check T=NAME      one of them, for example T=overwrite'
	@echo '  make check KERNELS=6.1 on one kernel'
	@echo "  make check-peers       the kernel's own network tests, nginx, PostgreSQL and others,"
	@echo '                         without the module and with it (on 6.1 unless KERNELS is given)'
	@echo '  make check-bench       what make bench measures with: every byte of every way'
	@echo '  make bench-gate        fails when a ratio is lower than in bench/baseline.csv (5 minutes)'
	@echo '  make check-usbip       a USB cable between two test hosts by usbip'
	@echo '  make check-deb         the Debian packages: DKMS builds them, a test host installs them'
	@echo '  make check-remote      bench/remote between two test hosts'
	@echo '  make deb               Debian packages, in build/deb'
	@echo '  make htmldocs          Documentation/ as HTML, in build/htmldocs'
	@echo "  make check-board       the board's firmware, as a process and emulated, plugged into a"
	@echo '                         test host: half an hour (board/check -q: minutes)'
	@echo
	@echo 'On a machine that is to run it:'
	@echo '  make                   build the module for the running kernel, and the command'
	@echo '  sudo make install      install both and the man pages (PREFIX=$(PREFIX))'
	@echo '  make modules KDIR=DIR  build against the kernel headers in DIR'
	@echo '  make clean             remove build/'
	@echo
	@echo "The STM32F746 board's firmware:"
	@echo '  make board             build it, for the board and for both emulations'
	@echo '  make board-flash       write it to a board that is plugged in, with OpenOCD'
	@echo
	@echo 'For its developers:'
	@echo '  make bench-baseline    measures for make bench-gate, and keeps that'
	@echo '  make style             checkpatch, sparse, clang-format; no warning from Sphinx'
	@echo '  vm/run --help          run any command on a test host'

modules:
	@test -n "$(KREL)" || { \
		echo "No kernel headers in $(KDIR): install linux-headers-$(shell uname -r), or give KDIR=" >&2; \
		exit 1; }
	@mkdir -p $(OBJ)
	@cp -Rpu Kbuild kmod uapi $(OBJ)/
	+$(MAKE) -C $(KDIR) M=$(OBJ) W=$(W) $(if $(C),C=$(C)) modules

tools:
	+$(MAKE) -C tools OUTPUT=$(BUILD)/tools VERSION=$(VERSION)

lib $(BUILD)/lib/libsockloan.a:
	+$(MAKE) -C lib OUTPUT=$(BUILD)/lib VERSION=$(VERSION) PREFIX=$(PREFIX)

# Without a key of the kernel's there is nothing to sign with.
install: all
	$(MAKE) -C $(KDIR) M=$(OBJ) CONFIG_MODULE_SIG_ALL= modules_install
	$(MAKE) -C tools OUTPUT=$(BUILD)/tools VERSION=$(VERSION) install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(MAKE) -C lib OUTPUT=$(BUILD)/lib VERSION=$(VERSION) install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(if $(DESTDIR),,depmod -a $(KREL))

clean:
	rm -rf $(BUILD)

demo:
	bench/demo

# The measurements: see Documentation/figures.rst.
BENCH := $(addprefix $(BUILD)/bench/,figures receive ipis usb)
LOOPBACK := $(addprefix bench/,transfer.c compare.c iperf.c peer.c zerocopy.c common.c)

$(BUILD)/bench/figures: $(LOOPBACK)
$(BUILD)/bench/receive: $(addprefix bench/,flow.c flow_receive.c zerocopy.c common.c) $(BUILD)/lib/libsockloan.a
$(BUILD)/bench/ipis: bench/peer.c bench/common.c
$(BUILD)/bench/usb: bench/common.c
$(BENCH): $(BUILD)/bench/%: bench/%.c $(wildcard bench/*.h uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -O2 -Wall -Wextra -pthread -Iuapi -Ilib -o $@ $(filter %.c %.a,$^)

# The two ends of `make bench`: see Documentation/bench.rst.
ENDS := $(addprefix $(BUILD)/bench/,sender receiver)
BOTH_ENDS := $(addprefix bench/,address.c control.c cpu.c content.c job.c options.c)

$(BUILD)/bench/sender: $(addprefix bench/,send_job.c pattern.c ring.c) $(wildcard bench/mech_*.c)
$(BUILD)/bench/receiver: $(addprefix bench/,receive_job.c receive_how.c)
$(ENDS): $(BUILD)/bench/%: bench/%.c $(BOTH_ENDS) $(BUILD)/lib/libsockloan.a $(wildcard bench/*.h uapi/linux/*.h)
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -O2 -Wall -Wextra -pthread -Iuapi -Ilib -o $@ $(filter %.c,$^) $(filter %.a,$^)

$(BUILD)/bench/profile: $(addprefix bench/,profile.c symbols.c options.c symbols.h options.h)
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $(filter %.c,$^)

# The patterns are for names of cases, not of files.
bench:
	set -f; bench/bench $(if $(ROUNDS),-r $(ROUNDS)) $(foreach k,$(BENCH_KERNELS),-k $(k)) $(CASES)

bench-gate:
	bench/gate

bench-baseline:
	bench/gate -w

check-bench:
	bench/check

figures receive ipis:
	bench/measure $@

demo-usb:
	bench/measure usb

check:
	selftests/check -b $(MINUTES) $(foreach k,$(KERNELS),-k $(k)) $(T)
	+$(if $(T),,$(MAKE) -C board/stm32f746 OUTPUT=$(BUILD)/board unit)
	$(if $(T),,SOCKLOAN_AGAIN=1 board/check -q -p mps2 $(BOARD_CASES))

check-all:
	selftests/check -k 6.1 -k 6.12 -k sid -k debug $(T)

# On one kernel unless others are asked for: it takes a quarter of an hour on each.
check-peers:
	selftests/peers/check $(if $(filter file,$(origin KERNELS)),,$(foreach k,$(KERNELS),-k $(k))) $(T)

check-board:
	board/check $(T)

demo-board:
	board/demo

figures-board:
	board/count

# The board's firmware: see Documentation/board.rst.
board:
	+$(MAKE) -C board/stm32f746 OUTPUT=$(BUILD)/board

board-flash:
	+$(MAKE) -C board/stm32f746 OUTPUT=$(BUILD)/board stm32
	openocd -f board/stm32f7discovery.cfg -c 'program $(BUILD)/board/stm32/board.elf verify reset exit'

# The device on the first kernel of KERNELS, the host on the last.
check-usbip:
	selftests/usbip/check $(if $(filter file,$(origin KERNELS)),,-k $(lastword $(KERNELS)) -K $(firstword $(KERNELS)))

check-deb:
	selftests/deb/check $(if $(filter file,$(origin KERNELS)),,$(foreach k,$(KERNELS),-k $(k)))

check-remote:
	selftests/remote/check

deb:
	scripts/deb

htmldocs:
	scripts/htmldocs

style:
	scripts/style
	scripts/htmldocs

.PHONY: all help modules tools install clean demo demo-usb figures receive ipis \
	lib check check-all check-peers style board board-flash bench bench-gate bench-baseline \
	check-bench check-usbip check-deb deb htmldocs check-remote check-board demo-board \
	figures-board
