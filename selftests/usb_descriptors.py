#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What a host reads of the gadget before it has a driver, byte by byte, for usb_speed.sh.

usb_descriptors.py SYSFS SPEED: the USB device below /sys/bus/usb/devices, and what it
should have: full, high or super. Also the descriptors by which Windows finds its driver:
string 0xEE, then the extended compat ID and the (empty) extended properties.
"""
import ctypes
import fcntl
import struct
import sys

CONTROL = 0xC0185500  # USBDEVFS_CONTROL
STRING, INTERFACE, ENDPOINT = 3, 4, 5
ASSOCIATION, CLASS, COMPANION = 11, 36, 48
VENDOR_CODE = 0xCD  # as usb_speed.sh has set it
PACKET = {"full": 64, "high": 512, "super": 1024}
# Of the notification endpoint: 32 ms in frames, or as a power of microframes
INTERVAL = {"full": 32, "high": 9, "super": 9}


def read(name):
    with open(f"{sys.argv[1]}/{name}", "rb") as file:
        return file.read()


def control(device, kind, request, value, index, size):
    """A control transfer to the host; None when it was stalled"""
    buf = ctypes.create_string_buffer(size)
    at = ctypes.addressof(buf)
    setup = struct.pack("BBHHHIxxxxQ", kind, request, value, index, size, 5000, at)
    try:
        size = fcntl.ioctl(device, CONTROL, bytearray(setup), True)
        return buf.raw[:size]
    except OSError:
        return None


def same(what, got, wanted):
    if got != wanted:
        show = [x.hex(" ") if isinstance(x, bytes) else x for x in (got, wanted)]
        sys.exit(f"# {what} is\n#   {show[0]}, not\n#   {show[1]}")


def split(data):
    while data:
        assert 2 <= data[0] <= len(data), data
        yield data[: data[0]]
        data = data[data[0] :]


def endpoints(speed):
    """The endpoint descriptors in order, with the gadget's numbers left out"""
    size = PACKET[speed]
    notify = [struct.pack("<BBBBHB", 7, ENDPOINT, 0x80, 3, 8, INTERVAL[speed])]
    bulk_in = [struct.pack("<BBBBHB", 7, ENDPOINT, 0x80, 2, size, 0)]
    bulk_out = [struct.pack("<BBBBHB", 7, ENDPOINT, 0, 2, size, 0)]
    if speed == "super":
        notify.append(struct.pack("<BBBBH", 6, COMPANION, 0, 0, 8))
        bulk_in.append(struct.pack("<BBBBH", 6, COMPANION, 0, 0, 0))
        bulk_out.append(struct.pack("<BBBBH", 6, COMPANION, 0, 0, 0))
    return notify, bulk_in + bulk_out


def check_descriptors(speed):
    device, config, *rest = split(read("descriptors"))
    same("USB's version", device[3], 3 if speed == "super" else 2)
    same("the configuration's length", config[2:5], struct.pack("<HB", 9 + sum(map(len, rest)), 2))
    got = [
        part if part[1] != ENDPOINT else part[:2] + bytes([part[2] & 0x80]) + part[3:]
        for part in rest
    ]
    notify, bulk = endpoints(speed)
    # Strings have numbers that the gadget chose.
    for part in got:
        if part[1] == INTERFACE:
            same("a string's number", part[8] != 0, True)
    got = [part[:-1] if part[1] in (INTERFACE, ASSOCIATION) else part for part in got]
    wanted = [bytes([8, ASSOCIATION, 0, 2, 2, 6, 0]), bytes([9, INTERFACE, 0, 0, 1, 2, 2, 0xFF])]
    wanted += [bytes([5, CLASS, 0, 0x10, 1]), bytes([5, CLASS, 1, 0, 1]), bytes([4, CLASS, 2, 0])]
    wanted += [bytes([5, CLASS, 6, 0, 1]), *notify, bytes([9, INTERFACE, 1, 0, 2, 10, 0, 0]), *bulk]
    same("what the configuration has", b"".join(got), b"".join(wanted))


def check_microsoft(device):
    name = "MSFT100".encode("utf-16-le")
    os_string = bytes([18, STRING]) + name + bytes([VENDOR_CODE, 0])
    same("string 0xEE", control(device, 0x80, 6, STRING << 8 | 0xEE, 0, 18), os_string)
    # A host reads the header first, which has the length.
    header = struct.pack("<IHHB7x", 16 + 24, 0x0100, 4, 1)
    function = struct.pack("<BB8s8s6x", 0, 1, b"RNDIS", b"5162001")
    same("the compat ID's header", control(device, 0xC0, VENDOR_CODE, 0, 4, 16), header)
    same("the compat ID", control(device, 0xC0, VENDOR_CODE, 0, 4, 40), header + function)
    same("longer than it is", control(device, 0xC0, VENDOR_CODE, 0, 4, 4096), header + function)
    properties = struct.pack("<IHHH", 10, 0x0100, 5, 0)
    same("the properties", control(device, 0xC1, VENDOR_CODE, 0, 5, 10), properties)
    same("another page", control(device, 0xC0, VENDOR_CODE, 0, 9, 16), None)


def main():
    speed = sys.argv[2]
    rate = {"full": b"12", "high": b"480", "super": b"5000"}[speed]
    same("the speed", read("speed").strip(), rate)
    check_descriptors(speed)
    path = "/dev/bus/usb/%03d/%03d" % (int(read("busnum")), int(read("devnum")))
    with open(path, "r+b", buffering=0) as device:
        check_microsoft(device)


main()
