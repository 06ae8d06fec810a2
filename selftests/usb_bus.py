#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does to a USB device what its driver knows nothing of, for usb_power.sh.

usb_bus.py suspend|resume|reset SYSFS: the device below /sys/bus/usb/devices, which is at a
root hub's port; suspend and resume are requests to that hub.
"""
import ctypes
import fcntl
import os
import struct
import sys
import time

CONTROL = 0xC0185500  # USBDEVFS_CONTROL
RESET = 0x5514  # USBDEVFS_RESET
CLEAR_FEATURE, SET_FEATURE, PORT, PORT_SUSPEND = 1, 3, 0x23, 2


def open_device(sysfs):
    numbers = []
    for name in ("busnum", "devnum"):
        with open(f"{sysfs}/{name}", encoding="ascii") as file:
            numbers.append(int(file.read()))
    return open("/dev/bus/usb/%03d/%03d" % tuple(numbers), "r+b", buffering=0)


def control(device, kind, request, value, index, size, address):
    setup = struct.pack("BBHHHIxxxxQ", kind, request, value, index, size, 5000, address)
    fcntl.ioctl(device, CONTROL, bytearray(setup), True)


def port_request(sysfs, request):
    bus, port = os.path.basename(sysfs).split("-")
    status = ctypes.create_string_buffer(4)
    with open_device(f"/sys/bus/usb/devices/usb{bus}") as hub:
        control(hub, PORT, request, PORT_SUSPEND, int(port), 0, 0)
        # Resuming takes 20 ms, and ends when the port is looked at.
        time.sleep(0.1)
        control(hub, 0x80 | PORT, 0, 0, int(port), 4, ctypes.addressof(status))


what, path = sys.argv[1:]
if what == "reset":
    with open_device(path) as device:
        fcntl.ioctl(device, RESET)
else:
    port_request(path, SET_FEATURE if what == "suspend" else CLEAR_FEATURE)
