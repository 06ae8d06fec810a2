#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ssh.sh lo|veth: scp, pipes, a forwarded port and rsync over OpenSSH

cd "$(dirname "$0")" || exit 1
. ./lib.sh

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$tmp/host"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/user"
cat >"$tmp/sshd_config" <<-END
	ListenAddress $host:8022
	HostKey $tmp/host
	PidFile $tmp/pid
	AuthorizedKeysFile $tmp/user.pub
	PermitRootLogin yes
	StrictModes no
	UsePAM no
	Subsystem sftp internal-sftp
END
cat >"$tmp/ssh_config" <<-END
	Host there
		HostName $address
		Port 8022
		User root
		IdentityFile $tmp/user
		StrictHostKeyChecking no
		UserKnownHostsFile $tmp/known
		LogLevel ERROR
END

remote() { ssh -F "$tmp/ssh_config" there "$@"; }
copy() { scp -q -F "$tmp/ssh_config" "$@"; }

download() { copy "there:$peers_data/$1" "$tmp/down" && cmp "$tmp/down" "$peers_data/$1"; }
upload() { copy "$peers_data/$1" "there:$tmp/up" && cmp "$tmp/up" "$peers_data/$1"; }
old_scp() { copy -O "there:$peers_data/$1" "$tmp/old" && cmp "$tmp/old" "$peers_data/$1"; }
# shellcheck disable=SC2094 # nothing writes it
pipe() { remote "$@" cat <"$peers_data/8m" | cmp - "$peers_data/8m"; }
status() { ! remote exit 3; }

# The forwarded connection goes on to this sshd itself, whose answers are data enough.
forward() {
	remote -N -L 127.0.0.1:8023:"$host":8022 &
	local tunnel=$! result=0
	up bash -c 'exec 3<>/dev/tcp/127.0.0.1/8023' || return
	pipe -o HostName=127.0.0.1 -p 8023 || result=1
	kill "$tunnel"
	return "$result"
}

sync_up() {
	rsync -a --exclude 50m -e "ssh -F $tmp/ssh_config" "$peers_data/" "there:$tmp/sync/" &&
		diff -r -x 50m "$peers_data" "$tmp/sync"
}
sync_down() {
	rsync -a --exclude 50m -e "ssh -F $tmp/ssh_config" "there:$peers_data/" "$tmp/back/" &&
		diff -r -x 50m "$peers_data" "$tmp/back"
}

server /usr/sbin/sshd -D -e -f "$tmp/sshd_config" 2>"$tmp/sshd.log" &
up remote true || exit

for file in 0 4096 8m; do
	try "scp $file from there" download "$file"
	try "scp $file to there" upload "$file"
done
try 'scp with its old protocol' old_scp 1m
try 'pipe there and back' pipe
try 'pipe compressed' pipe -C
try 'pipe through a forwarded port' forward
try 'exit status' status
try 'rsync to there' sync_up
try 'rsync from there' sync_down
finish
