#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One transfer for each check that a receiver of frames makes, for usb_hostile.sh.

usb_guards.py DEVICE NETDEV: the gadget's path below /dev/bus/usb, which no driver of the
host has, and its network interface.

Each transfer is right but for one thing, and made so that it would be taken if that one
were not looked at. The gadget's counters say what became of it.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

SIOCETHTOOL, GSTATS = 0x8946, 0x1D
SOL_PACKET, PACKET_VNET_HDR, GSO_TCP4, GSO_TCP6 = 263, 15, 1, 4
ETHER = bytes([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8])
CONTROL, BULK, CLAIM = 0xC0185500, 0xC0185502, 0x8004550F
INIT, HALT, QUERY, SET = 2, 3, 4, 5
FILTER, CONFIG, PARAMETERS = 0x1010E, 0xFC01020B, 0xFC01020C
HEADER = 44  # of a message; offsets in it count from byte 8
CSUM, LSO, OTHER = 0, 2, 9  # kinds of information
TCP4, TCP6, UDP6 = 1 | 4, 2 | 4, 2 | 8  # "fill the checksum in"
MALFORMED, TOO_LONG, NO_MEMORY = "rx_malformed", "rx_too_long", "rx_no_memory"

path, netdev = sys.argv[1:]
device = open(path, "r+b", buffering=0)
for number in (0, 1):
    fcntl.ioctl(device, CLAIM, struct.pack("I", number))
failed = 0


def control(kind, request, buf):
    size = len(buf)
    at = ctypes.addressof(buf)
    setup = struct.pack("BBHHHIxxxxQ", kind, request, 0, 0, size, 20000, at)
    return fcntl.ioctl(device, CONTROL, bytearray(setup), True)


def tell(kind, *words, extra=b""):
    data = struct.pack(f"<{len(words) + 2}I", kind, 8 + 4 * len(words) + len(extra), *words) + extra
    control(0x21, 0, ctypes.create_string_buffer(data, len(data)))


def ask(kind, *words, extra=b""):
    """A command, and the words of its answer"""
    tell(kind, *words, extra=extra)
    buf = ctypes.create_string_buffer(1025)
    for _ in range(100):
        size = control(0xA1, 1, buf)
        got = struct.unpack(f"<{size // 4}I", buf.raw[: size // 4 * 4])
        if got and got[0] == kind | 1 << 31:
            return got
    sys.exit(f"# no answer to a command of type {kind}")


def set_oid(oid, value):
    return ask(SET, 8, oid, len(value), 20, 0, extra=value)[3]


def send(data):
    """A transfer to the gadget, which ends with a short packet"""
    send_raw(data + bytes(len(data) % 512 == 0))


def send_raw(data):
    buf = ctypes.create_string_buffer(data, len(data))
    fcntl.ioctl(device, BULK, struct.pack("IIIxxxxQ", out, len(data), 20000, ctypes.addressof(buf)))


def receive(size, timeout=20000):
    """What the gadget sends, size bytes of it at most; nothing when there is none in time"""
    buf = ctypes.create_string_buffer(size)
    request = struct.pack("IIIxxxxQ", into, size, timeout, ctypes.addressof(buf))
    try:
        size = fcntl.ioctl(device, BULK, bytearray(request))
    except TimeoutError:
        return b""
    return buf.raw[:size]


def byte_queue_limit():
    """Where the kernel tells how many bytes a controller has, if it does"""
    return f"/sys/class/net/{netdev}/queues/tx-0/byte_queue_limits/inflight"


def in_flight():
    """Bytes of frames that the gadget's controller has"""
    with open(byte_queue_limit(), "rb") as file:
        return int(file.read())


def offer(packets, data):
    """Sends a frame until it waits for the host; no queue is there right after a start."""
    for _ in range(500):
        with contextlib.suppress(OSError):
            packets.send(data)
        if in_flight():
            return
        time.sleep(0.01)
    sys.exit("# the gadget does not send any more")


def bulk_endpoint(direction):
    with open(f"/proc/self/fd/{device.fileno()}", "rb") as file:
        data = file.read()
    while data:
        if data[1] == 5 and data[2] & 0x80 == direction and data[3] == 2:
            return data[2]
        data = data[data[0] :] if data[0] else b""
    sys.exit("# no endpoint")


def counter_names():
    command = ["ethtool", "-S", netdev]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split(":")[0].strip() for line in text.splitlines()[1:]]


def counters():
    """As ethtool -S has them, without starting it every time"""
    data = bytearray(struct.pack("II", GSTATS, len(names)) + bytes(8 * len(names)))
    view = (ctypes.c_char * len(data)).from_buffer(data)
    fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sQ16x", netdev.encode(), ctypes.addressof(view)))
    return dict(zip(names, struct.unpack_from(f"{len(names)}Q", data, 8)))


def settled():
    """The counters, when the transfer has been taken apart"""
    last = before
    for _ in range(6000):
        now = counters()
        if now == last and now["rx_transfers"] != before["rx_transfers"]:
            return now
        last = now
        time.sleep(0.01)
    sys.exit("# the gadget does not take transfers any more")


def expect(name, data, **wanted):
    """Sends a transfer; what is counted must be what is wanted, and nothing else"""
    global before, failed
    before = counters()
    send(data)
    now = settled()
    shown = ("rx_messages", MALFORMED, TOO_LONG, NO_MEMORY, "rx_large", "rx_checksum_left")
    got = {k: now[k] - before[k] for k in shown if now[k] != before[k]}
    if got != wanted:
        print(f"# {name}: {got}, not {wanted}")
        failed += 1


def expect_marked(name, data, kind, mss, **wanted):
    """Likewise, and the stack is told what segments there are in a large frame."""
    global failed
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as tap:
        tap.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        tap.bind((netdev, struct.unpack_from("!H", data, data.index(ETHER) + 12)[0]))
        tap.settimeout(60)
        expect(name, data, **wanted)
        _, got_kind, _, got_mss = struct.unpack_from("=BBHH", tap.recv(100))
    if (got_kind, got_mss) != (kind, mss):
        print(f"# {name}: kind {got_kind} of {got_mss} bytes, not {kind} of {mss}")
        failed += 1


def refused(name, data):
    """Not even the message is one"""
    expect(name, data, rx_malformed=1)


def dropped(name, data, reason=MALFORMED):
    """The message is one, its frame is not"""
    expect(name, data, rx_messages=1, **{reason: 1})


def info(kind, value, size=16, offset=12):
    return struct.pack("<IIII", size, kind, offset, value)


def message(frame, infos=b"", pad=0, behind=b"", **fields):
    """A message and what follows it; fields that are to be wrong are given"""
    lead = HEADER + len(infos) + pad
    words = {"type": 1, "len": lead + len(frame), "data": lead - 8, "data_len": len(frame)}
    words |= {"oob_nr": 0, "info": HEADER - 8 if infos else 0, "info_len": len(infos)}
    words |= fields
    first = [words[k] & 0xFFFFFFFF for k in ("type", "len", "data", "data_len")]
    rest = [words[k] & 0xFFFFFFFF for k in ("oob_nr", "info", "info_len")]
    return struct.pack("<11I", *first, 0, 0, *rest, 0, 0) + infos + bytes(pad) + frame + behind


def ethernet(kind, rest):
    return ETHER + struct.pack("!H", kind) + rest


def tcp4(payload, ihl=5, protocol=6, doff=5):
    ip = bytes([4 << 4 | ihl, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1])
    return ethernet(0x800, ip + tcp(doff) + bytes(payload))


def tcp6(payload, protocol=6, doff=5, options=b"", length=0):
    address = bytes([0xFE, 0x80] + 13 * [0])
    ip = struct.pack("!IHBB", 6 << 28, length, protocol, 64) + address + b"\2" + address + b"\1"
    return ethernet(0x86DD, ip + options + tcp(doff) + bytes(payload))


def tcp(doff):
    # The bytes before the data offset have one, too: see "a header of four words".
    return struct.pack("!HHIIBBHHH", 1000, 1000, 0, 0x50000000, doff << 4, 16, 100, 0, 0)


def large(frame, mss=1000, csum=TCP4, **more):
    return message(frame, info(CSUM, csum) + info(LSO, mss | 1 << 30), **more)


PLAIN = ethernet(0x88B5, bytes(100))  # a type for experiments


def start(offload):
    ask(INIT, 1, 1, 0, 70656)
    if offload:
        on = bytes([0x80, 3, 28, 0, 0, 4, 4, 4, 4, 0, 0, 2, 2]) + bytes(9) + bytes([2, 2]) + bytes(4)
        assert set_oid(PARAMETERS, on) == 0
    assert set_oid(FILTER, struct.pack("<I", 0x2D)) == 0


def check_messages():
    size = HEADER + len(PLAIN)
    expect("nothing is wrong", message(PLAIN), rx_messages=1)
    refused("another type", message(PLAIN, type=2))
    refused("shorter than type and length", message(PLAIN, len=4))
    refused("longer than the transfer", message(PLAIN, len=size + 64))
    refused("the frame is in the header", message(PLAIN, data=0))
    refused("the frame is behind the end", message(PLAIN, data=size, behind=bytes(40)))
    behind = message(PLAIN, data_len=len(PLAIN) + 8, behind=bytes(40))
    refused("the frame ends behind the message", behind)
    refused("the frame's end wraps", message(PLAIN, data_len=-24))
    refused("no Ethernet header", message(PLAIN, data_len=13))
    dropped("longer than the MTU allows", message(ethernet(0x88B5, bytes(1600))), TOO_LONG)


def check_info():
    other = info(OTHER, 0)
    expect("unknown information", message(PLAIN, other), rx_messages=1)
    inside = ethernet(0x88B5, other + bytes(100))
    refused("information in the frame", message(inside, info=HEADER - 8 + 14, info_len=16))
    behind = message(PLAIN, info=HEADER - 8 + len(PLAIN), info_len=16, behind=other)
    refused("information behind the message", behind)
    # Its number of elements is a size, its offset a kind, its length an offset.
    refused("information in the header", message(PLAIN, oob_nr=16, info=16, info_len=16))
    refused("too short to be any", message(PLAIN, other, info_len=8))
    refused("of no size", message(PLAIN, info(OTHER, 0, size=0)))
    # As much more as it takes the rest to be "nothing": a second one that wraps back
    wraps = struct.pack("<III", 0x100000000 - 84, OTHER, 12)
    infos = info(OTHER, 0, size=100) + bytes(84) + wraps
    refused("longer than all of it", message(PLAIN, infos, info_len=16))
    refused("a value behind it", message(PLAIN, info(CSUM, 0, offset=16), pad=16))
    refused("a value in its header", message(PLAIN, info(CSUM, 0, offset=0)))


def check_large():
    done = {"rx_messages": 1, "rx_checksum_left": 1}
    expect("a checksum that is left out", message(tcp4(500), info(CSUM, TCP4)), **done)
    whole = done | {"rx_large": 1}
    expect_marked("a large frame", large(tcp4(9000)), GSO_TCP4, 1000, **whole)
    expect_marked("a large frame, IPv6", large(tcp6(9000), csum=TCP6), GSO_TCP6, 1000, **whole)
    small = large(tcp4(9000), mss=8)
    expect_marked("the smallest segments", small, GSO_TCP4, 8, **whole)
    refused("segments too small", large(tcp4(9000), mss=7))
    refused("segments too large", large(tcp4(9000), mss=70000))
    refused("large, with its checksum", message(tcp4(9000), info(LSO, 1000 | 1 << 30)))
    dropped("large, of no known kind", large(ethernet(0x88B5, bytes(3000))))
    dropped("large, half an IPv4 header", large(tcp4(0)[:24]))
    dropped("large, half an IPv6 header", large(tcp6(0)[:40]))
    dropped("large, IPv4 options that are not there", large(tcp4(0, ihl=15)))
    dropped("large, a header of four words", large(tcp4(9000, ihl=4)))
    dropped("large, another protocol", large(tcp4(9000, protocol=17)))
    dropped("large, another protocol, IPv6", large(tcp6(9000, protocol=17), csum=UDP6))
    dropped("large, a short TCP header", large(tcp4(9000, doff=4)))
    dropped("large, nothing in it", large(tcp4(0)))
    dropped("larger than IPv4 can be", large(tcp4(65600)))
    dropped("larger than IPv6 can be", large(tcp6(65600), csum=TCP6))
    # From the end of a page on: in more of them than a frame has room for
    pad = 1020 - HEADER - 32 - 54
    dropped("in too many pages", large(tcp4(69500), pad=pad), NO_MEMORY)


def check_broken_off():
    """Without its end, the next transfer becomes a part of it."""
    done = {"rx_messages": 1, "rx_checksum_left": 1, "rx_large": 1}
    frame, half = large(tcp4(30000)), 16384
    send_raw(frame[:half])
    expect("broken off, another behind it", frame, rx_messages=1, rx_malformed=2)
    send_raw(frame[:half])
    refused("broken off, and ended", bytes(1))
    expect("large frames as ever", frame, **done)
    expect("zeros behind the last message", frame + bytes(4), **done)
    dropped("more than zeros", frame + b"\0\1")
    dropped("more zeros than a pad", frame + bytes(5))
    no_row = {"rx_messages": 1, "rx_malformed": 2}
    expect("another type behind it", frame + message(PLAIN, type=2), **no_row)
    short = struct.pack("<II", 1, HEADER - 4) + bytes(HEADER - 8)
    expect("less than a header behind it", frame + short, **no_row)
    # What has its checksum is delivered, whatever is behind it.
    expect("with its checksum", message(PLAIN) + bytes(43), rx_messages=1)


def check_taken_back():
    """What goes down half-way through a transfer ends that before it sends another."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    packets.bind((netdev, 0))
    while receive(1 << 17, 300):
        pass
    packets.send(PLAIN + bytes(1000))
    # Short ones are the kernel's own frames.
    while len(first := receive(512)) != 512:
        if not first:
            sys.exit("# the gadget sends nothing")
    for state in ("down", "up"):
        subprocess.run(["ip", "link", "set", netdev, state], check=True)
    packets.send(PLAIN)
    got = receive(1 << 17)
    if got != b"\0":
        sys.exit(f"# {len(got)} bytes are appended to a transfer taken back")
    got = receive(1 << 17)
    if got[:4] != message(b"")[:4]:
        sys.exit(f"# no message comes after that, but {got[:64].hex()} of {len(got)} bytes")


def check_begun_anew():
    """What is for a host that has gone is not kept for the next one."""
    if not os.path.exists(byte_queue_limit()):
        print("# left out: this kernel does not tell what is being sent")
        return
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    packets.bind((netdev, 0))
    for command in ("filter", "halt", "initialize"):
        start(True)
        old = b"before " + command.encode()
        offer(packets, PLAIN + old)
        if command == "filter":
            set_oid(FILTER, bytes(4))
        elif command == "halt":
            tell(HALT, 1)
        else:
            ask(INIT, 1, 1, 0, 70656)
        for _ in range(100):
            if not in_flight():
                break
            time.sleep(0.01)
        else:
            sys.exit(f"# {in_flight()} bytes are kept over the host's {command}")
        start(True)
        offer(packets, PLAIN + b"the new one")
        got = b""
        while in_flight():
            got += receive(1 << 17)
        if old in got or b"the new one" not in got:
            sys.exit(f"# the host is sent what was there before its {command}, or nothing")


def check_extensions():
    """Frames of which the gadget never said that they may come like this"""
    option = bytes([6, 0]) + bytes(6)
    behind = tcp6(0, protocol=60, options=option, length=28)
    dropped("TCP behind an IPv6 option", message(behind, info(CSUM, TCP6)))
    # The header behind this one would be behind the frame.
    option = bytes([60, 255]) + bytes(1000)
    endless = tcp6(0, protocol=60, options=option, length=65535)
    dropped("IPv6 headers that end behind the frame", message(endless, info(CSUM, TCP6)))
    # More than the frame's head has room for, which would have to move
    option = bytes([6, 255]) + bytes(2046)
    far = tcp6(9000, protocol=60, options=option)
    dropped("large, TCP far behind IPv6", large(far, csum=TCP6))
    dropped("half an IPv6 header", message(tcp6(0)[:40], info(CSUM, TCP6)))


def check_agreement():
    """What is turned on must be written as it should be, and fit together."""
    on = bytes([0x80, 3, 32, 0, 0, 4, 4, 4, 4, 0, 0, 2, 2]) + bytes(19)
    odd = {"type": b"\x81" + on[1:], "size": on[:2] + b"\x28" + on[3:], "length": on[:12]}
    for name, wrong in odd.items():
        if set_oid(PARAMETERS, wrong) != 0xC0010015:
            sys.exit(f"# parameters of wrong {name} are taken")
    # Large frames, but no checksums
    assert set_oid(PARAMETERS, bytes([0x80, 3, 32, 0, 0, 1, 1, 1, 1, 0, 0, 2, 2]) + bytes(19)) == 0
    state = ask(QUERY, 9, CONFIG, 0, 0, 0)
    if any(state[6 + i] for i in (2, 6, 20, 22, 23, 25)):
        sys.exit("# large frames are on without checksums")


sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names = counter_names()
out, into = bulk_endpoint(0), bulk_endpoint(0x80)
start(False)
check_messages()
refused("a checksum left out unasked", message(tcp4(500), info(CSUM, TCP4)))
# Where all frames have their checksums, devices may pad as they like.
expect("a pad of any kind", message(PLAIN) + b"\1" * 43, rx_messages=1)
start(True)
check_messages()
check_info()
check_large()
check_broken_off()
check_taken_back()
check_begun_anew()
check_extensions()
# Checksums only
check_agreement()
sums = bytes([0x80, 3, 32, 0, 0, 4, 4, 4, 4, 0, 0, 1, 1]) + bytes(19)
assert set_oid(PARAMETERS, sums) == 0
refused("a large frame unasked", large(tcp4(9000)))
sys.exit(1 if failed else 0)
