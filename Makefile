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
KERNELS ?= 6.1 6.12

PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/MODULE_VERSION("\(.*\)");/\1/p' kmod/core/main.c)

all: modules tools

help:
	@echo 'On any machine (installs what is missing by apt):'
	@echo '  make demo              iperf3 on a test host, copied and lent, as a table'
	@echo '  make check             all tests, on test hosts with the kernels $(KERNELS)'
	@echo '  make check T=NAME      one of them, for example T=overwrite'
	@echo '  make check KERNELS=6.1 on one kernel'
	@echo
	@echo 'On a machine that is to run it:'
	@echo '  make                   build the module for the running kernel, and the command'
	@echo '  sudo make install      install both and the man pages (PREFIX=$(PREFIX))'
	@echo '  make modules KDIR=DIR  build against the kernel headers in DIR'
	@echo '  make clean             remove build/'
	@echo
	@echo 'For its developers:'
	@echo '  make style             checkpatch, sparse, clang-format'
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

# Without a key of the kernel's there is nothing to sign with.
install: all
	$(MAKE) -C $(KDIR) M=$(OBJ) CONFIG_MODULE_SIG_ALL= modules_install
	$(MAKE) -C tools OUTPUT=$(BUILD)/tools VERSION=$(VERSION) install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	install -D -m 644 uapi/linux/sockloan.h $(DESTDIR)$(PREFIX)/include/linux/sockloan.h
	$(if $(DESTDIR),,depmod -a $(KREL))

clean:
	rm -rf $(BUILD)

demo:
	bench/demo

check:
	selftests/check $(foreach k,$(KERNELS),-k $(k)) $(T)

style:
	scripts/style

.PHONY: all help modules tools install clean demo check style
