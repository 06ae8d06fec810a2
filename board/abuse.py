#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A host that does not keep to the protocol, for board.sh, by usbfs.

usage: abuse.py DEVICE SEED COUNT

DEVICE is the file of a board in /dev/bus/usb that no driver is bound to.  Sends COUNT odd
control requests, COUNT odd RNDIS messages on the control channel, and COUNT odd
transfers, each made from SEED.  Whether anything is answered does not matter here.
"""
import ctypes
import fcntl
import os
import random
import struct
import sys

USBDEVFS_CONTROL = 0xc0185500
USBDEVFS_BULK = 0xc0185502
USBDEVFS_CLAIMINTERFACE = 0x8004550f
USBDEVFS_CLEAR_HALT = 0x80045515
EP_IN, EP_OUT = 0x82, 0x02
SEND_COMMAND, GET_RESPONSE = 0, 1
TIMEOUT = 300  # ms; data that the board does not take wait as long


def transfer(device, code, head, data, size):
    """An ioctl whose structure ends with time-out and pointer. Returns what came, or None."""
    buffer = ctypes.create_string_buffer(data, max(size, 1))
    request = bytearray(head + struct.pack('IxxxxP',
                                           TIMEOUT, ctypes.addressof(buffer)))
    try:
        got = fcntl.ioctl(device, code, request)
        return buffer.raw[:got]
    except OSError:
        return None


def control(device, kind, request, value, index, size, data=b''):
    head = struct.pack('BBHHH', kind, request, value, index, size)
    return transfer(device, USBDEVFS_CONTROL, head, data, size)


def bulk(device, endpoint, size, data=b''):
    return transfer(device, USBDEVFS_BULK, struct.pack('II', endpoint, size), data, size)


def clear(device, endpoint):
    try:
        fcntl.ioctl(device, USBDEVFS_CLEAR_HALT, struct.pack('I', endpoint))
    except OSError:
        pass


def odd_request(device, dice):
    kind = dice.choice([0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0x21, 0xa1, 0x40, 0xc0, 0x23, 0xff])
    request = dice.choice([0, 1, 3, 6, 7, 8, 10, 11, 12, 0x20, dice.randrange(256)])
    # Another address or configuration is the kernel's to give.
    if kind & 0x7f == 0 and request in (5, 9):
        return
    size = dice.choice([0, 1, 2, 8, 18, 64, 255, 1024, 4096])
    control(device, kind, request, dice.choice([0, 0x100, 0x200, 0x300, 0x302, 0x600,
                                                dice.randrange(65536)]),
            dice.choice([0, 1, 0x81, 0x82, 2, 4, dice.randrange(65536)]), size,
            b'' if kind & 0x80 else dice.randbytes(size))


def odd_message(device, dice):
    words = [dice.choice([1, 2, 3, 4, 5, 6, 7, 8, dice.randrange(1 << 32)])]
    words += [dice.choice([0, 4, 20, 24, 28, 1024, 0xffffffff, 0x1010e, 0x1010101,
                           dice.randrange(1 << 32)]) for _ in range(dice.randrange(12))]
    if len(words) > 1 and dice.randrange(4):
        words[1] = 4 * len(words)
    data = struct.pack('<%dI' % len(words), *words)
    data = data[:dice.choice([len(data), len(data), dice.randrange(len(data) + 1)])]
    control(device, 0x21, SEND_COMMAND, 0, 0, len(data), data)
    for _ in range(dice.randrange(3)):
        control(device, 0xa1, GET_RESPONSE, 0, 0, dice.choice([0, 8, 64, 1024, 4096]))


def initialize(device):
    for words in ([2, 24, 1, 1, 0, 16384], [5, 32, 2, 0x1010e, 4, 20, 0, 0x2d]):
        control(device, 0x21, SEND_COMMAND, 0, 0, 4 * len(words),
                struct.pack('<%dI' % len(words), *words))
        control(device, 0xa1, GET_RESPONSE, 0, 0, 1024)


def odd_transfer(device, dice):
    payload = dice.randrange(1600)
    words = [1, 44 + payload, 36, payload] + [0] * 7
    frame = bytes([2, 0x53, 0x4c, 0x46, 7, 1]) + dice.randbytes(payload)
    for _ in range(dice.randrange(1, 3)):
        words[dice.randrange(len(words))] = dice.choice(
            [0, 1, 36, 44, 0x7fffffff, 0xffffffff, 0xffffffd4, dice.randrange(3000),
             dice.randrange(1 << 32)])
    data = struct.pack('<11I', *words) + frame[:payload]
    data *= dice.choice([1, 1, 1, 2, 5])
    data = data[:dice.choice([len(data), len(data), dice.randrange(len(data) + 1)])]
    if bulk(device, EP_OUT, len(data), data) is None:
        clear(device, EP_OUT)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    dice, count = random.Random(int(sys.argv[2])), int(sys.argv[3])
    device = os.open(sys.argv[1], os.O_RDWR)
    for interface in (0, 1):
        fcntl.ioctl(device, USBDEVFS_CLAIMINTERFACE, struct.pack('I', interface))
    for _ in range(count):
        odd_request(device, dice)
    for _ in range(count):
        odd_message(device, dice)
    # An odd request may have halted them.
    for endpoint in (EP_IN, EP_OUT):
        clear(device, endpoint)
    initialize(device)
    for _ in range(count):
        odd_transfer(device, dice)


main()
