# SPDX-License-Identifier: GPL-2.0
"""What is measured: every case has a name, and a side of the ratio that it belongs to."""

import dataclasses
import fnmatch

KIB = 1024
MIB = 1024 * KIB

SIZES = {
    "64": 64,
    "256": 256,
    "1K": KIB,
    "1472": 1472,
    "4K": 4 * KIB,
    "8K": 8 * KIB,
    "16K": 16 * KIB,
    "60K": 60 * KIB,
    "64K": 64 * KIB,
    "128K": 128 * KIB,
    "256K": 256 * KIB,
    "1M": MIB,
}

# What the gate sends in each run: the more, the better it repeats
GATE_MEGABYTES = 192

# Nobody needs more calls for a mean, and of those that take no page not even so many.
MAX_CALLS = 32768


@dataclasses.dataclass(frozen=True)
class Case:
    """One way of sending the same; what differs in the mechanism only is compared."""

    mode: str
    transport: str
    mechanism: str
    size: str
    pattern: str
    rx: str
    connections: int = 1
    threads: int = 1
    # Once more, with samples taken of what the processor does
    profile: bool = False

    @property
    def name(self):
        streams = f"c{self.connections}"
        if self.threads > 1:
            streams += f"t{self.threads}"
        first = "profile/" if self.profile else ""
        return first + "/".join((self.mode, self.transport, self.mechanism, self.size,
                                 self.pattern, self.rx, streams))

    @property
    def base(self):
        """What its ratio is against"""
        return dataclasses.replace(self, mechanism="copy")

    @property
    def streams(self):
        """The column "connections": with the threads that share them, when there are several"""
        return f"{self.connections}t{self.threads}" if self.threads > 1 else str(self.connections)

    def command(self, megabytes):
        """For bench/guest.sh"""
        link = {"usb": "ours", "usb-stock": "stock"}.get(self.mode, "-")
        if self.pattern == "iperf3":
            return f"{link} iperf3" + (" sockloan run" if self.mechanism == "loan" else "")
        size = SIZES[self.size]
        total = min(megabytes * MIB, size * (MAX_CALLS if size >= 4 * KIB else MAX_CALLS // 2))
        words = [link, "profile" if self.profile else "sender", "-m", self.mechanism]
        words += ["-t", self.transport, "-s", self.size, "-p", self.pattern, "-r", self.rx]
        words += ["-b", str(total), "-w", str(min(total // 4, 16 * MIB))]
        if self.connections > 1:
            words += ["-C", str(self.connections), "-T", str(self.threads)]
        if self.mode != "smp2":
            words.append("-B")
        return " ".join(words)


def product(mode, transport, mechanisms, sizes, pattern, rx, streams=((1, 1),)):
    return [
        Case(mode, transport, mechanism, size, pattern, rx, connections, threads)
        for connections, threads in streams
        for size in sizes.split()
        for mechanism in mechanisms.split()
    ]


def profiles():
    cases = product("icount", "tcp", "copy loan xout zerocopy", "64K", "same", "recv")
    cases += product("icount", "tcp", "copy loan", "4K", "same", "recv")
    cases += product("icount", "tcp", "copy loan xout", "256K", "same", "trunc")
    cases += product("icount", "tcp", "copy loan xout", "64K", "rewrite", "recv")
    cases += product("icount", "tcp", "copy loan sendfile", "64K", "file", "recv")
    return [dataclasses.replace(case, profile=True) for case in cases]


# Those that send memory, as it is and when it is written to in between
MEMORY = "copy loan xout zerocopy send_zc vmsplice"
WRITTEN = "copy loan xout zerocopy send_zc"


def icount():
    mode = "icount"
    large = "4K 16K 64K 256K 1M"
    cases = product(mode, "tcp", MEMORY, "64 256 1K " + large, "same", "recv")
    cases += product(mode, "tcp", WRITTEN, large, "same", "trunc")
    cases += product(mode, "tcp", "copy loan xout", large, "same", "peek")
    cases += product(mode, "tcp", "copy loan xout zerocopy", "64K 256K", "same", "zcrecv")
    # With one buffer of 4 KiB they do nothing but wait for each other, which takes minutes.
    cases += product(mode, "tcp", "copy loan xout", "4K", "rewrite", "recv")
    cases += product(mode, "tcp", WRITTEN, "16K 64K 256K 1M", "rewrite", "recv")
    cases += product(mode, "tcp", WRITTEN, "64K 256K", "rewrite", "trunc")
    cases += product(mode, "tcp", WRITTEN, "16K 64K 256K 1M", "part", "recv")
    no_packets = MEMORY.replace("xout ", "")
    cases += product(mode, "tcp", no_packets, "16K 64K 256K", "rotate", "recv")
    cases += product(mode, "tcp", no_packets, "64K 1M", "fresh", "recv")
    cases += product(mode, "tcp", "copy loan sendfile splice vmsplice zerocopy",
                     "16K 64K 256K 1M", "file", "recv")
    cases += product(mode, "tcp", "copy loan sendfile splice", "64K 1M", "file", "trunc")
    cases += product(mode, "udp", WRITTEN, "1K 4K 16K 60K", "same", "recv")
    cases += product(mode, "udp", "copy loan xout", "60K", "same", "trunc")
    cases += product(mode, "udp", "copy loan xout", "60K", "same", "peek")
    cases += product(mode, "udp", WRITTEN, "60K", "rewrite", "recv")
    cases += product(mode, "tcp", "copy loan xout zerocopy", "64K", "same", "recv",
                     ((2, 1), (4, 1), (8, 1), (16, 1), (4, 2), (4, 4)))
    cases += product(mode, "tcp", "copy loan xout", "64K", "rewrite", "recv", ((8, 1),))
    cases += product(mode, "tcp", "copy loan", "128K", "iperf3", "recv")
    return cases


def veth():
    """As between two containers: the receiver is in another network namespace"""
    mode = "veth"
    cases = product(mode, "tcp", MEMORY, "4K 16K 64K 256K", "same", "recv")
    cases += product(mode, "tcp", WRITTEN, "64K 256K", "same", "trunc")
    cases += product(mode, "tcp", "copy loan xout", "64K 256K", "same", "peek")
    cases += product(mode, "tcp", "copy loan xout zerocopy", "64K", "same", "zcrecv")
    cases += product(mode, "tcp", WRITTEN, "64K", "rewrite", "recv")
    cases += product(mode, "tcp", WRITTEN, "64K", "part", "recv")
    cases += product(mode, "tcp", "copy loan sendfile splice vmsplice zerocopy", "64K", "file",
                     "recv")
    # What fits into a frame, and what has to be sent in fragments
    cases += product(mode, "udp", WRITTEN, "1472 60K", "same", "recv")
    return cases


def smp2():
    mode = "smp2"
    cases = product(mode, "tcp", MEMORY, "4K 16K 64K 256K 1M", "same", "recv")
    cases += product(mode, "tcp", WRITTEN, "64K 256K", "rewrite", "recv")
    cases += product(mode, "tcp", "copy loan xout", "64K 256K", "same", "peek")
    cases += product(mode, "tcp", "copy loan sendfile splice", "64K", "file", "recv")
    cases += product(mode, "udp", "copy loan xout zerocopy", "60K", "same", "recv")
    cases += product(mode, "tcp", "copy loan zerocopy", "64K", "same", "recv",
                     ((4, 1), (4, 2), (4, 4)))
    return cases


def nic():
    mode = "nic"
    cases = product(mode, "tcp", MEMORY, "4K 16K 64K 256K", "same", "trunc")
    cases += product(mode, "tcp", "copy loan sendfile splice", "64K", "file", "trunc")
    cases += product(mode, "tcp", WRITTEN, "64K", "rewrite", "trunc")
    return cases


def usb():
    cases = []
    for mode in "usb-stock", "usb":
        cases += product(mode, "tcp", "copy loan xout", "64K", "same", "recv")
    return cases


def full():
    return icount() + profiles() + veth() + smp2() + nic() + usb()


def gate():
    """Few, telling, and each of them large enough to repeat within less than a per cent"""
    mode = "icount"
    cases = product(mode, "tcp", "copy loan xout", "64K", "same", "recv")
    cases += product(mode, "tcp", "copy loan", "4K 16K 256K", "same", "recv")
    cases += product(mode, "tcp", "copy loan xout", "256K", "same", "trunc")
    cases += product(mode, "tcp", "copy loan xout", "256K", "same", "peek")
    cases += product(mode, "tcp", "copy loan xout", "64K", "rewrite", "recv")
    cases += product(mode, "tcp", "copy loan", "64K", "part", "recv")
    cases += product(mode, "tcp", "copy loan", "64K", "fresh", "recv")
    cases += product(mode, "tcp", "copy loan", "64K", "file", "recv")
    cases += product(mode, "tcp", "copy loan", "64K", "rotate", "recv")
    cases += product(mode, "tcp", "copy loan", "64K", "same", "recv", ((8, 1),))
    cases += product(mode, "udp", "copy loan xout", "60K", "same", "recv")
    return cases


def pick(cases, patterns):
    """Those whose names match, and what their ratios are against"""
    if not patterns:
        return cases
    wanted = [c for c in cases if any(fnmatch.fnmatchcase(c.name, p) for p in patterns)]
    # Samples say which part of a cost is what, and the cost itself is of a run without them.
    plain = [dataclasses.replace(c, profile=False) for c in wanted]
    needed = {*wanted, *plain, *(c.base for c in wanted + plain)}
    return [c for c in cases if c in needed]
