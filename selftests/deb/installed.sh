#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The packages' life on a test host: installed, used, installed again, removed. Each case goes
# on where the one before has stopped.
#
# usage: installed.sh DIRECTORY KERNEL [OTHER-KERNEL]
#
# DIRECTORY is that of packages.sh. With SOCKLOAN_COMPILE, DKMS compiles here.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tap.sh"
. "$here/prepare.sh"
out=$1
kernel=$(uname -r)
export DEBIAN_FRONTEND=noninteractive
packages=(sockloan-dkms sockloan libsockloan0 libsockloan-dev)
all='rndis_loan sl_rndis sockloan usb_f_rndis_loan'

# Release of the other kernel
other=''
[ $# -lt 3 ] || read -r _ other _ < <(grep "^$3 " "$out/kernels")

# installed RELEASE: names of our modules that DKMS has put there
installed() {
	(cd "/lib/modules/$1/updates/dkms" 2>/dev/null && echo *) | sed 's/\.ko[.a-z]*//g'
}

install_all() {
	dpkg --path-include='/usr/share/man/*' -i "$out"/packages/*.deb >"$out/dpkg.out" 2>&1 ||
		{ cat "$out/dpkg.out"; return 1; }
}

are_installed() {
	local package
	prepare_packages "$out"
	install_all
	for package in "${packages[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package")" = installed ]
	done
}

modules_are_for_this_kernel() {
	[ "$(installed "$kernel")" = "$all" ]
	dkms status -m sockloan -k "$kernel" | grep -q ': installed'
	modinfo -F vermagic sockloan | grep -q "^$kernel "
	modinfo -n sockloan | grep -q "/updates/dkms/"
}

modules_load() {
	local module
	for module in $all; do
		modprobe "$module"
		[ -d "/sys/module/$module" ]
	done
	[ -c /dev/sockloan ]
	dpkg-query -W -f '${Version}\n' sockloan-dkms | cmp - /sys/module/sockloan/version
}

command_lends() {
	local before reader
	before=$(counter BytesLent)
	nc -l 127.0.0.1 5001 >/tmp/received &
	reader=$!
	within 300 eval 'ss -ltn 2>/dev/null | grep -q 127.0.0.1:5001'
	head -c 4194304 /dev/zero | /usr/bin/sockloan run nc -N 127.0.0.1 5001
	wait "$reader"
	[ "$(stat -c %s /tmp/received)" = 4194304 ]
	[ "$(counter BytesLent)" -gt "$before" ]
}

programs_build_with_pkg_config() {
	cd /tmp
	cat >pool.c <<-'END'
	#include <sockloan.h>
	#include <stdio.h>

	int main(void)
	{
		struct sl_pool *pool = sl_pool_open(NULL);

		if (!pool) {
			perror("sl_pool_open");
			return 1;
		}
		sl_pool_close(pool);
		return 0;
	}
	END
	# shellcheck disable=SC2046 # lists
	gcc -Wall -Werror -o pool pool.c $(pkg-config --cflags --libs sockloan)
	dpkg-query -W -f '${Version}\n' libsockloan-dev | cmp - <(pkg-config --modversion sockloan)
	ldd pool | grep -q 'libsockloan.so.0 => /[a-z/]*lib/x86_64-linux-gnu/'
	./pool
	gcc -o pool pool.c -Wl,-Bstatic -lsockloan -Wl,-Bdynamic -pthread
	fails eval 'ldd pool | grep libsockloan'
	./pool
}

manual_pages_are_there() {
	local page
	for page in 8/sockloan 4/sockloan 4/sockloan_pool 7/libsockloan 3/sl_peek 3/sl_xout; do
		man -w "${page%/*}" "${page#*/}" | grep -q "^/usr/share/man/man${page%/*}/"
	done
}

completion_is_there() {
	bash -c '. /usr/share/bash-completion/completions/sockloan && complete -p sockloan' \
		>/dev/null
}

come_again() {
	echo garbage >/usr/include/linux/sockloan.h
	install_all
	fails grep garbage /usr/include/linux/sockloan.h
	[ "$(installed "$kernel")" = "$all" ]
	# The ones of before are in use still.
	[ -d /sys/module/sockloan ]
}

modules_come_with_another_kernel() {
	[ -n "$other" ] || skip "no second kernel given"
	add_headers "$out" "$other"
	[ ! -e "/lib/modules/$other/updates" ]
	dkms autoinstall -k "$other" >/tmp/autoinstall 2>&1 || { cat /tmp/autoinstall; return 1; }
	[ "$(installed "$other")" = "$all" ]
	modinfo -F vermagic "/lib/modules/$other/updates/dkms"/sockloan.ko* | grep -q "^$other "
}

# All that must be gone: files of the packages, and what DKMS has made
remains() {
	local file
	while read -r file; do
		[ -d "$file" ] || [ ! -e "$file" ] || echo "$file"
	done </tmp/files
	find /etc /usr/src /var/lib/dkms /var/lib/dpkg/info /lib/modules/*/updates \
		\( -name '*sockloan*' -o -name '*rndis_loan*' -o -name 'sl_rndis*' \) \
		! -path /etc/dkms/sockloan.conf 2>/dev/null
}

are_removed_with_all_that_they_made() {
	# A kernel that was removed before, as far as its headers go
	[ -z "$other" ] || rm "/lib/modules/$other/build"
	rmmod rndis_loan usb_f_rndis_loan sl_rndis sockloan
	dpkg -L "${packages[@]}" >/tmp/files
	[ "$(remains | wc -l)" -gt 50 ]
	dpkg -P "${packages[@]}" >"$out/dpkg.out" 2>&1 || { cat "$out/dpkg.out"; return 1; }
	fails eval 'remains | grep .'
	fails modinfo -n sockloan 2>/dev/null
	fails dpkg-query -W "${packages[@]}" 2>/dev/null
}

tap are_installed modules_are_for_this_kernel modules_load command_lends \
	programs_build_with_pkg_config manual_pages_are_there completion_is_there come_again \
	modules_come_with_another_kernel are_removed_with_all_that_they_made
