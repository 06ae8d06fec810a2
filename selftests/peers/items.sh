# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2086,SC2154 # lists of arguments; variables of run.sh
# What run.sh runs. None sends nothing large over a socket that is attached: packets, small
# messages, kernel TLS, MSG_ZEROCOPY and transmit timestamps, which are never lent.

# bench EXPECT ARGUMENT...: one second of udpgso_bench_tx, over IPv4 and IPv6
bench() {
	local expect=$1
	shift
	item "net/udpgso_bench.sh -4 $*" $expect \
		./in_netns.sh ./udpgso_bench.sh __subprocess -l 1 -4 -D 127.0.0.1 "$@"
	item "net/udpgso_bench.sh -6 $*" $expect \
		./in_netns.sh ./udpgso_bench.sh __subprocess -l 1 -6 -D ::1 "$@"
}

kernel_items() {
	local ip args
	for ip in 4 6; do
		item "net/msg_zerocopy.sh $ip tcp" lends ./msg_zerocopy.sh $ip tcp -t 1
		item "net/msg_zerocopy.sh $ip udp" lends ./msg_zerocopy.sh $ip udp -t 1
		# Its buffer is registered, and so pinned, whether sent by a plain send (-m 0) or not.
		for args in '-m 0' '-m 1'; do
			item "net/io_uring_zerocopy_tx.sh $ip tcp $args" none \
				./io_uring_zerocopy_tx.sh $ip tcp -t 1 -n 1 $args
			item "net/io_uring_zerocopy_tx.sh $ip udp $args" none \
				./io_uring_zerocopy_tx.sh $ip udp -t 1 -n 32 $args
		done
	done
	bench lends -t
	bench none -t -z
	bench none # datagrams of the MTU
	bench lends -S 0
	bench none -S 0 -z -a
	bench lends -S 0 -T -a
	for args in '-4 -C' '-4 -C -s' '-6 -C' '-6 -C -s' '-4 -c'; do
		item "net/udpgso $args" lends ./in_netns.sh ./udpgso $args
	done
	# MSG_MORE: copied, as these are put together from several calls.
	item 'net/udpgso -4 -C -m' none ./in_netns.sh ./udpgso -4 -C -m
	item 'net/udpgso -6 -C -m' none ./in_netns.sh ./udpgso -6 -C -m
	# Not with -z: its receiver fails an assertion of its own at times, module or not.
	item 'net/tcp_mmap -4' lends "$peers/tcp_mmap.sh" -4
	item 'net/tcp_mmap -6' lends "$peers/tcp_mmap.sh" -6
	item 'net/tcp_inq -4' lends ./tcp_inq -4
	item 'net/tcp_inq -6' lends ./tcp_inq -6
	item net/tls none ./tls
	# A tolerance of 100 s: these are about which timestamps come, not about when.
	for ip in '-4 -L 127.0.0.1' '-6 -L ::1'; do
		for args in '-l 20000' '-l 20000 -C' '-l 20000 -n' '-l 1400 -u'; do
			item "net/txtimestamp ${ip% -L*} $args" none ./txtimestamp -t 100000000 $args $ip
		done
	done
	item net/rxtimestamp.sh none ./rxtimestamp.sh
	for args in -4 -6s; do
		item "net/tcp_fastopen_backup_key $args" none ./in_netns.sh \
			sh -c "sysctl -q net.ipv4.tcp_fastopen=3; ./tcp_fastopen_backup_key $args"
	done
	item net/psock_snd.sh none ./psock_snd.sh
	item net/run_afpackettests none ./run_afpackettests
	item net/cmsg_ipv6.sh none ./cmsg_ipv6.sh
	item net/cmsg_so_mark.sh none ./cmsg_so_mark.sh
	item net/ip_defrag.sh none ./ip_defrag.sh
	item net/ipv6_flowlabel.sh none ./ipv6_flowlabel.sh
	for args in reuseport_bpf reuseport_bpf_cpu reuseport_dualstack reuseport_addr_any \
		reuseaddr_conflict sk_bind_sendto_listen sk_connect_zero_addr so_netns_cookie socket; do
		item "net/$args" none ./$args
	done
	item net/stress_reuseport_listen.sh none ./stress_reuseport_listen.sh
}

program_items() {
	local where
	[[ postgres != *$only* && $only != postgres* ]] || make_cluster
	for where in lo veth; do
		item "nginx, sendfile off, $where" lends "$peers/nginx.sh" $where off
		item "nginx, sendfile on, $where" lends "$peers/nginx.sh" $where on
		item "rsync, $where" lends "$peers/rsync.sh" $where
		item "ssh, $where" lends "$peers/ssh.sh" $where
		item "redis, $where" lends "$peers/redis.sh" $where
		item "postgres, $where" lends "$peers/postgres.sh" $where
	done
}
