#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The host's end of the board's services, for board.sh.

  echo BYTES         sends a burst, as if pasted, and reads it back
  sleeper BYTES      the same, but reads only when it cannot send any more, and after a nap
  many CLIENTS BYTES that many echo connections at once
  stuck CLIENTS      that many send and do not read; meanwhile another is served; when they
                     read at last, all is there
  connections COUNT  one after the other, each with a line there and back
  discard BYTES      to the discard service
  datagrams COUNT    UDP echo, of all sizes; lost ones are sent again

Exits with 0 when every byte came back as it was sent.
"""
import random
import select
import socket
import sys
import time

BOARD = '10.77.0.1'
ECHO = 7
DISCARD = 9
# Nothing here depends on how fast the machine is: this is for ever.
LIMIT = 300


def connect(port):
    """The board has room for so many; more have to wait until it has forgotten some."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            sock = socket.create_connection((BOARD, port), timeout=LIMIT)
            sock.settimeout(LIMIT)
            return sock
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class Burst:
    """An echo connection that has something to send and to get back."""

    def __init__(self, size, seed):
        self.data = random.Random(seed).randbytes(size)
        self.sock = connect(ECHO)
        self.sock.setblocking(False)
        self.sent = self.got = 0

    def send(self):
        try:
            self.sent += self.sock.send(self.data[self.sent:self.sent + 65536])
        except BlockingIOError:
            pass
        if self.sent == len(self.data):
            self.sock.shutdown(socket.SHUT_WR)

    def receive(self):
        part = self.sock.recv(65536)
        if part != self.data[self.got:self.got + len(part)]:
            sys.exit('other data came back, after %d bytes' % self.got)
        if not part:
            sys.exit('closed after %d bytes of %d' % (self.got, len(self.data)))
        self.got += len(part)

    def done(self):
        return self.got == len(self.data)

    def send_until_stuck(self):
        """Until the window has been closed for a second."""
        while self.sent < len(self.data) and select.select([], [self.sock], [], 1)[1]:
            self.send()


def finish(bursts):
    end = time.monotonic() + LIMIT
    left = bursts
    while left:
        writers = [b.sock for b in left if b.sent < len(b.data)]
        readable, writable, _ = select.select([b.sock for b in left], writers, [], 1)
        for burst in left:
            if burst.sock in writable:
                burst.send()
            if burst.sock in readable:
                burst.receive()
        left = [b for b in left if not b.done()]
        if time.monotonic() > end:
            sys.exit('%d not done after %d s' % (len(left), LIMIT))
    for burst in bursts:
        if burst.sock.recv(1) if select.select([burst.sock], [], [], LIMIT)[0] else True:
            sys.exit('not closed')
        burst.sock.close()


def echo(size):
    finish([Burst(size, size)])


def sleeper(size):
    burst = Burst(size, size)
    burst.send_until_stuck()
    if burst.sent == size:
        sys.exit('the window did not close')
    time.sleep(3)
    burst.send_until_stuck()
    finish([burst])


def many(clients, size):
    finish([Burst(size, i) for i in range(clients)])


def stuck(clients):
    bursts = [Burst(1 << 20, i) for i in range(clients)]
    for burst in bursts:
        burst.send_until_stuck()
    echo(100000)
    for burst in bursts:
        burst.data = burst.data[:burst.sent]
        burst.sock.shutdown(socket.SHUT_WR)
    finish(bursts)


def connections(count):
    told = time.monotonic()
    for i in range(count):
        echo(20 + i % 2000)
        if time.monotonic() > told + 5:
            told = time.monotonic()
            print('# %d of %d connections' % (i, count), flush=True)


def discard(size):
    sock = connect(DISCARD)
    sock.sendall(bytes(size))
    sock.shutdown(socket.SHUT_WR)
    if sock.recv(1):
        sys.exit('discard says something')


def datagrams(count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((BOARD, ECHO))
    sock.settimeout(3)
    for i in range(count):
        data = random.Random(i).randbytes(1 + i * 1471 // max(count - 1, 1))
        for _ in range(20):
            sock.send(data)
            try:
                while sock.recv(2000) != data:
                    pass
                break
            except socket.timeout:
                pass
        else:
            sys.exit('no answer to %d bytes' % len(data))


if len(sys.argv) < 3 or sys.argv[1] not in ('echo', 'sleeper', 'many', 'stuck', 'connections',
                                            'discard', 'datagrams'):
    sys.exit(__doc__)
try:
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
except OSError as error:
    sys.exit('%s: %s' % (' '.join(sys.argv[1:]), error))
