#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""RNDIS commands from a host that means no good, for usb_gadget.sh.

usb_command.py DEVICE: its path below /dev/bus/usb; no driver is bound to it.
"""
import fcntl
import struct
import sys
import ctypes

CONTROL = 0xC0185500  # USBDEVFS_CONTROL
CLAIM = 0x8004550F  # USBDEVFS_CLAIMINTERFACE
SUCCESS, NOT_SUPPORTED, INVALID = 0, 0xC00000BB, 0xC0010015
INIT, HALT, QUERY, SET, RESET, ALIVE = 2, 3, 4, 5, 6, 8
FILTER, LIST, MAC = 0x1010E, 0x10101, 0x1010101
CAPABILITIES, CONFIG, PARAMETERS = 0xFC01020D, 0xFC01020B, 0xFC01020C

device = open(sys.argv[1], "r+b", buffering=0)
fcntl.ioctl(device, CLAIM, struct.pack("I", 0))


def control(kind, request, data):
    """One control transfer; the number of bytes, or -1 when it was stalled"""
    buf = ctypes.create_string_buffer(bytes(data), len(data)) if data else None
    address = ctypes.addressof(buf) if buf else 0
    setup = bytearray(struct.pack("BBHHHIxxxxQ", kind, request, 0, 0, len(data), 2000, address))
    try:
        return fcntl.ioctl(device, CONTROL, setup, True), buf.raw if buf else b""
    except OSError:
        return -1, b""


def send(data):
    return control(0x21, 0, data)[0]


def fetch():
    length, data = control(0xA1, 1, bytes(1025))
    return data[:length] if length > 0 else None


def message(kind, *words, extra=b"", length=None):
    size = 8 + 4 * len(words) + len(extra) if length is None else length
    return struct.pack(f"<{2 + len(words)}I", kind, size, *words) + extra


def query(oid, **more):
    return message(QUERY, 7, oid, 0, 0, 0, **more)


def set_oid(oid, info, size=None, offset=20):
    return message(SET, 8, oid, len(info) if size is None else size, offset, 0, extra=info)


def words(data):
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def drain():
    count = 0
    while len(fetch()) > 1:
        count += 1
    return count


def answered(data, status):
    assert send(data) == len(data), data
    answer = fetch()
    got = words(answer)
    assert got[1] == len(answer) and got[3] == status, (answer, status)
    return got


def refused(data):
    drain()
    send(data)
    assert fetch() == b"\0", data


# A device with nothing to say sends one zero.
drain()
assert fetch() == b"\0"

init = answered(message(INIT, 1, 1, 0, 0x20000), SUCCESS)
assert init[8] > 1 and init[9] >= 16384, init

assert send(b"") == -1
assert send(bytes(11)) == -1
refused(bytes(12))
refused(message(INIT, 1))
refused(message(INIT, 1, 1, 0, 0x4000, length=100))
refused(message(INIT, 1, 1, 0, 0x4000, length=8))
refused(message(ALIVE, 1, length=0xFFFFFFFF))
refused(message(QUERY, 7, LIST))
refused(message(QUERY, 7, LIST, 4, 0xFFFFFFFC, 0))
refused(message(QUERY, 7, LIST, 0xFFFFFFFF, 20, 0))
refused(message(QUERY, 7, LIST, 0, 0xFFFFFFFF, 0))
refused(set_oid(FILTER, bytes(4), size=5))
refused(set_oid(FILTER, bytes(4), offset=21))
refused(set_oid(FILTER, bytes(4), offset=0))
refused(message(1, 1, 2, 3, 4, 5, 6, 7, 8, 9))
refused(message(0x80000002, 1, 2, 3, 4, 5, 6, 7, 8, 9))

answered(set_oid(FILTER, bytes(2)), INVALID)
answered(set_oid(0x12345678, bytes(8)), NOT_SUPPORTED)
answered(query(0x12345678), NOT_SUPPORTED)
answered(query(PARAMETERS), NOT_SUPPORTED)
assert CAPABILITIES in answered(query(LIST), SUCCESS)
assert len(answered(query(MAC), SUCCESS)) == 7

# The list of answers does not grow for ever.
for _ in range(100):
    send(message(ALIVE, 1))
assert drain() == 32

# Nothing is on that was not turned on, and nothing stays on.
def state():
    got = answered(query(CONFIG), SUCCESS)
    return got[6 + 2], got[6 + 4]


caps = answered(query(CAPABILITIES), SUCCESS)
assert caps[6] & 0xFF == 0xA7 and caps[6 + 2], caps
# No checksums behind IPv6 extension headers, no large frames with them
assert not (caps[6 + 6] | caps[6 + 8] | caps[6 + 26]) & 1, caps
assert state() == (0, 0)
on = struct.pack("<BBHBBBBBBBBBBBBIBBBBBBH", 0x80, 3, 28, 0, 4, 4, 4, 4, 0, 0, 2, 2, 0, 0, 0,
                 0, 0, 0, 2, 2, 0, 0, 0)
answered(set_oid(PARAMETERS, on[:8]), INVALID)
answered(set_oid(PARAMETERS, b"\xff" * 32), INVALID)
answered(set_oid(PARAMETERS, b""), INVALID)
answered(set_oid(PARAMETERS, on), SUCCESS)
assert all(state())
answered(message(INIT, 1, 1, 0, 0x20000), SUCCESS)
assert state() == (0, 0)
answered(set_oid(PARAMETERS, on), SUCCESS)
send(message(HALT, 1))
answered(message(INIT, 1, 1, 0, 0), SUCCESS)
assert state() == (0, 0)
send(message(ALIVE, 1))
send(message(RESET, 0))
assert words(fetch())[0] == 0x80000006
assert drain() == 0
print("# the device took it all")
