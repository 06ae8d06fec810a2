# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a test host needs before it installs the packages. DKMS copies the modules that
# packages.sh had it build there, unless SOCKLOAN_COMPILE is set.

# add_headers DIRECTORY RELEASE: where modules look for them; DIRECTORY is that of packages.sh
add_headers() {
	mkdir -p "/lib/modules/$2"
	ln -sfn "$(awk -v release="$2" '$2 == release { print $3; exit }' "$1/kernels")" \
		"/lib/modules/$2/build"
	touch "/lib/modules/$2/modules.order" "/lib/modules/$2/modules.builtin"
}

# keep_modules NAME...: of this kernel's only these and what they need. DKMS has depmod read
# all of them each time, which takes minutes here.
keep_modules() {
	local release dir file
	release=$(uname -r)
	dir=/lib/modules/$release
	mkdir "/tmp/kept"
	cp "$dir"/modules.builtin* "$dir/modules.order" /tmp/kept
	modprobe --show-depends -a "$@" | awk '$1 == "insmod" { print $2 }' | while read -r file; do
		install -D -m 644 "$file" "/tmp/kept/${file#"$dir/"}"
	done
	mount --bind /tmp/kept "$dir"
	depmod
}

# prepare_packages DIRECTORY
prepare_packages() {
	keep_modules libcomposite usb_f_rndis rndis_host dummy_hcd e1000e
	add_headers "$1" "$(uname -r)"
	# The index of all manual pages takes minutes, too.
	echo man-db man-db/auto-update boolean false | debconf-set-selections
	[ -n "${SOCKLOAN_COMPILE:-}" ] ||
		echo "MAKE=\"cp -a $1/modules/\$kernelver/. .\"" >/etc/dkms/sockloan.conf
}
