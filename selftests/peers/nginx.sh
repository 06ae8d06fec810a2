#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nginx.sh lo|veth on|off: nginx serving files to curl and wrk, with sendfile or not

cd "$(dirname "$0")" || exit 1
. ./lib.sh

url=http://$host:8080

mkdir "$tmp/nginx"
cat >"$tmp/nginx.conf" <<-END
	daemon off;
	user root;
	worker_processes 2;
	pid $tmp/nginx/pid;
	error_log $tmp/nginx/error;
	events { worker_connections 256; }
	http {
		access_log off;
		sendfile $2;
		client_body_temp_path $tmp/nginx/body;
		proxy_temp_path $tmp/nginx/proxy;
		fastcgi_temp_path $tmp/nginx/fastcgi;
		uwsgi_temp_path $tmp/nginx/uwsgi;
		scgi_temp_path $tmp/nginx/scgi;
		server {
			listen $host:8080;
			root $peers_data;
			location /proxy/ {
				proxy_pass $url/;
				proxy_buffer_size 64k;
				proxy_buffers 8 64k;
				proxy_busy_buffers_size 128k;
			}
		}
	}
END

download() { curl -sSf "${@:2}" "$url/$1" | cmp - "$peers_data/${1#proxy/}"; }

# Its range is in the middle of pages.
range() {
	curl -sSf -r 12345-1234567 "$url/50m" |
		cmp - <(tail -c +12346 "$peers_data/50m" | head -c 1222223)
}

parallel() {
	local pid pids=() status=0 _
	for _ in 1 2 3 4 5 6; do
		download 8m &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return $status
}

# Both files through one connection, the second head behind the first body
keepalive() {
	curl -sSf "$url/64k" "$url/1m" | cmp - <(cat "$peers_data/64k" "$peers_data/1m")
}


# wrk looks at status and length, not at the bytes.
no_errors() {
	wrk -t 2 -c 8 -d 2s --timeout 60s "$url/$1" >"$tmp/wrk" 2>&1
	cat "$tmp/wrk"
	grep -qE ' [1-9][0-9]* requests in' "$tmp/wrk" && ! grep -qE 'Socket errors|Non-2xx' "$tmp/wrk"
}

server nginx -c "$tmp/nginx.conf" &
up curl -sf "$url/0" || exit

for file in 0 1 4095 4096 64k 1m 8m 50m; do
	try "get $file" download "$file"
done
for file in 64k 8m; do
	try "get $file through a proxy" download "proxy/$file"
done
try 'get a range' range
try 'get two in one connection' keepalive
try 'get six at a time' parallel
try 'get slowly' download 1m --limit-rate 1M
try 'wrk, 4 KiB' no_errors 4096
try 'wrk, 64 KiB' no_errors 64k
finish
