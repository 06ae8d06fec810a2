#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# sockloan gadget: up, status and down, on an emulated controller whose cable ends at a
# host in the same machine.  The interface here is moved to a namespace, so that the two
# ends do not take the short way.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

gadgets=/sys/kernel/config/usb_gadget
udcs=/sys/class/udc
netns=sl_gadget
dev_addr=02:00:00:00:05:01 host_addr=02:00:00:00:05:02
loan=$(dirname "${SOCKLOAN_KO:-/nowhere/none}")/usb_f_rndis_loan.ko

# same WHAT IS EXPECTED
same() { [ "$2" = "$3" ] || { echo "# $1 is '$2', not '$3'"; return 1; }; }

# status_of COMMAND...: its exit status; output and messages to files
status_of() {
	local status=0 line
	"$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	while IFS= read -r line; do echo "# $line" >&2; done <"$tmp/err"
	echo $status
}

# Few programs are run here but those that are tested: on an emulated machine the start of
# each takes as long as all that it does.

# says TEXT [FILE]: in the messages, unless there is another file
says() { [[ $(<"${2:-$tmp/err}") == *"$1"* ]] || { echo "# not in ${2:-the messages}: $1"; return 1; }; }

# cell HEAD GADGET: of the table in $tmp/table
cell() {
	local -a heads row
	local i
	{
		read -ra heads
		while read -ra row; do
			[ "${row[0]}" = "$2" ] || continue
			for i in "${!heads[@]}"; do
				[ "${heads[i]}" != "$1" ] || echo "${row[i]}"
			done
		done
	} <"$tmp/table"
}

table() { sockloan gadget status >"$tmp/table"; }

# rows: of that table; the last has as many words as its head
rows() {
	local -a lines words heads
	mapfile -t lines <"$tmp/table"
	read -ra heads <<<"${lines[0]}"
	read -ra words <<<"${lines[-1]}"
	same cells ${#words[@]} ${#heads[@]} >&2
	echo $((${#lines[@]} - 1))
}

# interface ADDRESS: its name, if it is here
interface() {
	local file
	for file in /sys/class/net/*/address; do
		[ "$(<"$file")" != "$1" ] || { file=${file%/address}; echo "${file##*/}"; }
	done
}

in_gadgets() {
	local dirs=("$gadgets"/*)
	[ ! -e "${dirs[0]}" ] || echo "${dirs[*]##*/}"
}

nothing_left() {
	same gadgets "$(in_gadgets)" ''
	same interfaces "$(interface $dev_addr)" ''
	# It takes a moment to notice, and keeps a name until then.
	within 10 host_is_gone
}

host_is_up() { [ -n "$(interface $host_addr)" ]; }
host_is_gone() { [ -z "$(interface $host_addr)" ]; }
configured() { [ "$(<$udcs/dummy_udc.0/state)" = configured ]; }

# Without the zeros behind it
plain() {
	local value
	IFS= read -r -d '' value <"$1" || true
	echo "$value"
}

up() { sockloan gadget up -u dummy_udc.0 -f "$function" -d $dev_addr -H $host_addr "$@"; }
ping() { busybox ping -c 1 -W 2 "$1" >"$tmp/ping" 2>&1; }

up_makes_what_it_tells() {
	local g=$gadgets/sockloan
	local windows=$g/functions/$function.0/os_desc/interface.rndis
	same status "$(status_of up -a 10.213.0.1/24 -a fd00:213::1/64 -N $netns)" 0
	same line "$(<"$tmp/out")" \
		"sockloan: $function on dummy_udc.0, interface usb0 in $netns, 10.213.0.1/24 fd00:213::1/64"
	same messages "$(<"$tmp/err")" ''
	same vendor "$(<$g/idVendor)" 0x1d6b
	same product "$(<$g/idProduct)" 0x0104
	# For Windows
	same 'use of OS descriptors' "$(<$g/os_desc/use)" 1
	same signature "$(plain $g/os_desc/qw_sign)" MSFT100
	same configuration "$(readlink -f $g/os_desc/c.1)" $g/configs/c.1
	same 'compatible id' "$(plain "$windows/compatible_id")" RNDIS
	same 'its sub-id' "$(plain "$windows/sub_compatible_id")" 5162001
	within 10 configured
	same 'the serial number to the host' "$(cat /sys/bus/usb/devices/*/serial | grep 0200)" \
		"${host_addr//:/}"
	sockloan gadget down
	nothing_left
}

host_reaches_it() {
	local end
	up -a 10.213.0.1/24 -a fd00:213::1/64 -N $netns -m 1400 >/dev/null
	within 10 host_is_up
	end=$(interface $host_addr)
	# It goes by the largest transfer: a frame and some more, or many frames.
	[ $function != rndis ] || same "the host's MTU" "$(<"/sys/class/net/$end/mtu")" 1422
	same "its peer's MTU" "$(ip netns exec $netns cat /sys/class/net/usb0/mtu)" 1400
	ip address add 10.213.0.2/24 dev "$end"
	ip address add fd00:213::2/64 dev "$end" nodad
	ip link set "$end" up
	within 10 ping 10.213.0.1
	within 10 ping fd00:213::1
	table
	same rows "$(rows)" 1
	for pair in UDC:dummy_udc.0 STATE:configured SPEED:high-speed FUNCTION:"$function.0" \
		INTERFACE:usb0 NETNS:$netns DEV-ADDR:$dev_addr HOST-ADDR:$host_addr; do
		same "${pair%%:*}" "$(cell "${pair%%:*}" sockloan)" "${pair#*:}"
	done
	sockloan gadget down
	nothing_left
}

namespace_by_path() {
	up -N /run/netns/$netns >"$tmp/out"
	says "in /run/netns/$netns" "$tmp/out"
	table
	same netns "$(cell NETNS sockloan)" $netns
	sockloan gadget down
	nothing_left
}

up_twice_is_an_error() {
	up -a 10.213.0.1/24 -N $netns >/dev/null
	same 'status of the second' "$(status_of up -a 10.213.0.9/24)" 1
	says "there is a gadget 'sockloan'"
	ip -n $netns address show dev usb0 >"$tmp/out"
	says 'inet 10.213.0.1/24' "$tmp/out"
	within 10 configured
	# Its controller is not free.
	same 'status of another' "$(status_of up -n other)" 1
	says "'dummy_udc.0' is used by the gadget 'sockloan'"
	configured
	same gadgets "$(in_gadgets)" sockloan
	sockloan gadget down
	nothing_left
}

# Without a namespace there is none to name.
name_of_ones_own() {
	up -n 'my gadget' >/dev/null
	table
	same udc "$(cell UDC my-gadget)" dummy_udc.0
	same netns "$(cell NETNS my-gadget)" -
	same 'status of another' "$(status_of sockloan gadget down)" 1
	sockloan gadget down -n 'my gadget'
	same 'status of the second time' "$(status_of sockloan gadget down -n 'my gadget')" 1
	says "there is no gadget 'my gadget'"
	nothing_left
}

# What cannot be known before: the interface is there by then, and moved.
failure_in_the_middle_is_undone() {
	same 'status with an address twice' "$(status_of up -N $netns -a 10.213.0.1/24 -a 10.213.0.1/24)" 1
	says 'failed: ip address add 10.213.0.1/24 dev usb0'
	nothing_left
	same interfaces "$(ip -n $netns -br link | grep -cv '^lo ')" 0
	same 'status with an MTU' "$(status_of up -m 65535)" 1
	nothing_left
	ip -n $netns link add usb0 type dummy
	same 'status with a name in use' "$(status_of up -N $netns)" 1
	ip -n $netns link del usb0
	nothing_left
	printf '#!/bin/sh\nexit 9\n' >"$tmp/bin/ip"
	chmod 755 "$tmp/bin/ip"
	same 'status with an ip that fails' "$(PATH=$tmp/bin:$PATH status_of up)" 1
	rm "$tmp/bin/ip"
	nothing_left
}

# Of any state that it can be left in
down_removes_what_is_half_removed() {
	local g=$gadgets/sockloan
	mkdir $g
	sockloan gadget down
	up >/dev/null
	echo >$g/UDC
	table
	same udc "$(cell UDC sockloan)" -
	same state "$(cell STATE sockloan)" -
	rm $g/os_desc/c.1 "$g/configs/c.1/$function.0"
	sockloan gadget down
	nothing_left
	up >/dev/null
	rm "$g/os_desc/c.1" "$g/configs/c.1/$function.0"
	rmdir $g/configs/c.1/strings/0x409 $g/configs/c.1 $g/strings/0x409
	sockloan gadget down
	nothing_left
}

down_leaves_those_of_others() {
	local g=$gadgets/theirs
	mkdir $g $g/configs/c.2
	same status "$(status_of sockloan gadget down -n theirs)" 1
	says 'left alone'
	rmdir $g/configs/c.2
	mkdir $g/strings/0x409
	echo somebody >$g/strings/0x409/manufacturer
	same status "$(status_of sockloan gadget down -n theirs)" 1
	rmdir $g/strings/0x409
	sockloan gadget down -n theirs
	nothing_left
}

# One after the other, as quickly as can be: there are many.
wrong_usage() {
	local arguments status number=0
	local wrong=('' sideways 'up x' 'up -q' 'up -n' 'up -n a/b' 'up -n .a' 'up -f ecm' 'up -m x'
		'up -m 67' 'up -m 65536' 'up -a 10.0.0.1' 'up -a 10.0.0.1/33' 'up -a fd00::1/129'
		'up -a 10.0.0/8' 'up -a 10.0.0.1/8x' 'up -a /8' 'up -d 1' 'up -u a/b'
		'up -d 01:00:00:00:00:01' 'up -d 00:00:00:00:00:00' 'up -H 02:00:00:00:00:0g'
		'up -H 02:00:00:00:00:01:' 'up -H 02:00:00:00:001' 'down x' 'down -n ../a' 'down -f rndis'
		'status x' 'status -n a' 'up -n =' 'up -N =' 'up -u =' "up -n $(printf '%0256d' 0)")
	: >"$tmp/err"
	for arguments in "${wrong[@]}"; do
		status=0
		# shellcheck disable=SC2086 # words
		set -- ${arguments/=/}
		# An empty one is none of them.
		[[ $arguments != *= ]] || set -- "$@" ''
		sockloan gadget "$@" >"$tmp/out" 2>>"$tmp/err" || status=$?
		same "$arguments" $status 2
		number=$((number + 1))
	done
	same 'hints at the help' "$(grep -c "^Try 'sockloan gadget --help'" "$tmp/err")" $number
	for arguments in '' 'up ' 'down ' 'status '; do
		# shellcheck disable=SC2086 # words
		same help "$(status_of sockloan gadget $arguments--help)" 0
		says 'Usage: sockloan gadget up ' "$tmp/out"
	done
	nothing_left
}

what_is_not_there() {
	same 'status with no such namespace' "$(status_of up -N sl_none)" 1
	says "no network namespace 'sl_none'"
	same 'status with no namespace' "$(status_of up -N /proc/self/ns/mnt)" 1
	same 'status with no such controller' "$(status_of up -u nowhere.0)" 1
	says "no USB device controller 'nowhere.0'; there is: dummy_udc.0"
	nothing_left
	same "nobody's status" "$(status_of setpriv --reuid=65534 --regid=65534 --clear-groups \
		sockloan gadget up)" 1
	says 'only root'
}

status_without_gadgets() {
	same status "$(status_of sockloan gadget status)" 0
	same output "$(<"$tmp/out")" ''
	says 'no gadget'
}

# Before anything is loaded that this might find
without_the_module() {
	[ ! -e /sys/module/libcomposite ] || skip 'libcomposite is loaded'
	[ ! -e /sys/module/usb_f_rndis_loan ] || skip 'usb_f_rndis_loan is loaded'
	printf '#!/bin/sh\nexit 1\n' >"$tmp/bin/modprobe"
	chmod 755 "$tmp/bin/modprobe"
	same status "$(PATH=$tmp/bin:$PATH status_of sockloan gadget up -u dummy_udc.0)" 1
	rm "$tmp/bin/modprobe"
	says 'cannot load libcomposite'
	same status "$(status_of sockloan gadget up -u dummy_udc.0)" 1
	says 'cannot load usb_f_rndis_loan: is it built and installed'
	# It came up to mounting.
	same filesystem "$(stat -f -c %T /sys/kernel/config)" "$configfs"
	nothing_left
}

without_a_controller() {
	local udcs_here=("$udcs"/*)
	if [ -e "${udcs_here[0]}" ]; then
		skip "there is ${udcs_here[*]}"
	fi
	same status "$(status_of sockloan gadget up)" 1
	says "no USB device controller here ('modprobe dummy_hcd'"
}

several_controllers() {
	[ -e $udcs/dummy_udc.1 ] || skip 'there is just one'
	same 'status with two' "$(status_of sockloan gadget up -f "$function")" 1
	says 'choose one with -u: dummy_udc.0 dummy_udc.1'
	sockloan gadget up -u dummy_udc.1 -f "$function" >/dev/null
	# The one that is left is no question.
	sockloan gadget up -f "$function" -n second >"$tmp/out"
	says "second: $function on dummy_udc.0, interface usb" "$tmp/out"
	table
	same rows "$(rows)" 2
	same 'one of two' "$(cell UDC second)" dummy_udc.0
	same 'status of a third' "$(status_of sockloan gadget up -n third)" 1
	says 'no USB device controller is free: dummy_udc.0 (used by second) dummy_udc.1 (used by sockloan)'
	sockloan gadget down
	same 'the other' "$(in_gadgets)" second
	sockloan gadget down -n second
	nothing_left
}

# What it needs is beside it, or the kernel's.
load_loan() {
	local module
	for module in $(modinfo -F depends "$loan" | tr ',-' ' _'); do
		[ ! -e "/sys/module/$module" ] || continue
		if [ -e "${loan%/*}/$module.ko" ]; then
			insmod "${loan%/*}/$module.ko"
		else
			modprobe "$module"
		fi
	done
	insmod "$loan"
}

# The same with this one
the_function_that_lends() {
	[ -e "$loan" ] || skip "no $loan"
	[ -e /sys/module/usb_f_rndis_loan ] || load_loan
	function=rndis_loan
	up_makes_what_it_tells
	host_reaches_it
}

tmp=$(mktemp -d)
chmod 755 "$tmp"
mkdir "$tmp/bin"
function=rndis
# Not dummy_hcd: kernels whose f_rndis moves its interface away when it is unbound leave a
# directory "net" behind at the controller, and one that comes to lie in the same memory
# then fails to be bound.
clean_up() {
	sockloan gadget down 2>/dev/null
	ip netns del $netns
	modprobe -rq rndis_host
	# Those of the kernel's that it needed go with the stock one.
	for module in usb_f_rndis_loan sl_rndis; do
		[[ $loaded == *" $module "* ]] || rmmod $module 2>/dev/null
	done
	modprobe -rq usb_f_rndis
	[ "$configfs" = configfs ] || umount /sys/kernel/config 2>/dev/null
	rm -rf "$tmp"
}
if ! modprobe -naq dummy_hcd rndis_host usb_f_rndis; then
	echo '1..0 # SKIP no dummy_hcd, rndis_host or usb_f_rndis for this kernel'
	rm -rf "$tmp"
	exit 4
fi
# Where it can be mounted is there once it is loaded.
modprobe -q configfs
configfs=$(stat -f -c %T /sys/kernel/config 2>/dev/null)
loaded=" $(cd /sys/module && echo *) "
ip netns add $netns
trap clean_up EXIT

load_controllers() { modprobe rndis_host && modprobe dummy_hcd num=2; }

tap without_a_controller load_controllers without_the_module wrong_usage status_without_gadgets \
	what_is_not_there up_makes_what_it_tells host_reaches_it namespace_by_path \
	up_twice_is_an_error name_of_ones_own failure_in_the_middle_is_undone \
	down_removes_what_is_half_removed down_leaves_those_of_others several_controllers \
	the_function_that_lends
