#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic between two test hosts whose contents are compared; part of selftests/usbip.

flow.py serve PORT             TCP and UDP, IPv4 and IPv6, until it is killed
flow.py tcp ADDRESS PORT MIB   sends MIB and fetches as much; both are compared
flow.py udp ADDRESS PORT N     N datagrams of many sizes, each sent until it comes back
flow.py fetch ADDRESS PORT     fetches and compares until the connection ends

What is fetched, the server sends from pages that are not written to in between.
"""
import hashlib
import mmap
import os
import socket
import socketserver
import struct
import sys
import threading

WRITE = 65536
# Requests: what to do, and how many writes
HEADER = struct.Struct("!4sI")
ENDLESS = 0xFFFFFFFF


def pages(seed):
    """A megabyte that differs in every part, in memory of its own"""
    memory = mmap.mmap(-1, 16 * WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # In part of a huge page, nothing would be lent while some of it is being sent.
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    memory.write(hashlib.shake_128(bytes([seed])).digest(16 * WRITE))
    return memoryview(memory)


PAGES = pages(1)


def piece(i):
    return PAGES[i % 16 * WRITE : (i % 16 + 1) * WRITE]


def read(sock, size):
    """size bytes, or fewer at the end"""
    parts = bytearray()
    while len(parts) < size:
        part = sock.recv(size - len(parts))
        if not part:
            break
        parts += part
    return parts


def send(sock, count):
    i = 0
    while count == ENDLESS or i < count:
        sock.sendall(piece(i))
        i += 1


def compare(sock, count):
    """Reads count writes; returns how many bytes there were"""
    total = 0
    for i in range(count):
        got = read(sock, WRITE)
        if got != piece(i)[: len(got)]:
            sys.exit(f"# wrong bytes behind {total}")
        total += len(got)
        if len(got) < WRITE:
            break
    return total


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            what, count = HEADER.unpack(read(self.request, HEADER.size))
            if what == b"get ":
                send(self.request, count)
            else:
                got = compare(self.request, count)
                self.request.sendall(HEADER.pack(b"got ", got // WRITE))
        except OSError:
            pass  # the cable was cut


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(bytes(255 - byte for byte in data), self.client_address)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


class DatagramServer(socketserver.UDPServer):
    address_family = socket.AF_INET6
    max_packet_size = 65536


def serve(port):
    for kind, handler in ((DatagramServer, Datagram), (Server, Stream)):
        # IPv4, too
        server = kind(("::", port), handler)
        threading.Thread(target=server.serve_forever).start()


def tcp(address, port, mib):
    count = mib * 16
    with socket.create_connection((address, port)) as sock:
        sock.sendall(HEADER.pack(b"put ", count))
        send(sock, count)
        assert HEADER.unpack(read(sock, HEADER.size)) == (b"got ", count), "not all arrived"
    with socket.create_connection((address, port)) as sock:
        sock.sendall(HEADER.pack(b"get ", count))
        assert compare(sock, count) == count * WRITE, "not all came back"


def udp(address, port, count):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(2)
    sock.connect((address, port))
    again = 0
    for i in range(count):
        # Single frames mostly, some in fragments
        size = (i * 97 % 1400 + 4) if i % 8 else (i * 977 % 30000 + 4)
        data = struct.pack("!I", i) + os.urandom(size - 4)
        wanted = bytes(255 - byte for byte in data)
        for _ in range(60):
            try:
                sock.send(data)
                while sock.recv(65536) != wanted:
                    again += 1  # an old one
                break
            except TimeoutError:
                again += 1
        else:
            sys.exit(f"# no answer to a datagram of {size} bytes")
    print(f"# {count} datagrams, {again} of them again")


def fetch(address, port):
    with socket.create_connection((address, port)) as sock:
        sock.sendall(HEADER.pack(b"get ", ENDLESS))
        try:
            compare(sock, ENDLESS)
        except OSError:
            pass  # the cable was cut


def main():
    what, *rest = sys.argv[1:]
    functions = {"serve": serve, "tcp": tcp, "udp": udp, "fetch": fetch}
    functions[what](*(int(word) if word.isdigit() else word for word in rest))


main()
