# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Leaks: the kernel's memory is looked at after each of several like rounds. What caches
# keep, they keep once; a leak takes the same from every round.

# leak_look FILE: appends what there is now, as "name value" lines behind one that is "look"
leak_look() {
	# What RCU and per-CPU lists still hold comes back.
	sleep 2
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	{
		echo look
		# In pages, negative: more is less.
		awk '/^MemAvailable:/ { print "pages", -$2 / 4 }
			/^VmallocUsed:/ { print "vmalloc_pages", $2 / 4 }' /proc/meminfo
		awk '/^(nr_slab_unreclaimable|nr_kernel_stack) / { print $1, $2 }' /proc/vmstat
		# Areas of stacks are kept for later, thousands of them; the leak detector
		# has notes of its own, and more of them for what it knows already.
		awk 'NR > 2 && $1 !~ /^(vmap_area|kmemleak_.*)$/ { print "slab:" $1, $2 }' /proc/slabinfo
		awk '$1 ~ /rndis|usbnet|libcomposite|udc_core/ { print "users:" $1, $3 }' /proc/modules
	} >>"$1"
}

# leak_judge FILE COUNT: fails when something grew in each round but the first, which fills
# caches: by one object in two of a round's COUNT events, or by four pages
leak_judge() {
	awk -v count="$2" '
	/^look$/ { n++; next }
	n == 2 { least[$1] = $2 - last[$1] }
	n > 2 && $2 - last[$1] < least[$1] { least[$1] = $2 - last[$1] }
	{ last[$1] = $2; if ($1 == "pages" || $1 == "nr_slab_unreclaimable") line[$1] = line[$1] " " $2 }
	END {
		for (name in line)
			print "# " name ":" line[name]
		if (n < 4) {
			print "# too few looks: " n
			exit 1
		}
		for (name in least) {
			limit = count / 2
			if (name == "pages")
				limit = count * 4
			else if (name ~ /^users:/)
				limit = 1
			if (least[name] >= limit) {
				print "# leaked: " name ", " least[name] " in every " count
				bad = 1
			}
		}
		exit bad
	}' "$1"
}
