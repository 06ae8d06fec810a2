# SPDX-License-Identifier: GPL-2.0
"""Test hosts: boots what a mode needs, and hands on what bench/guest.sh says there."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build" / "bench"
VM_RUN = str(TOP / "vm" / "run")

# Of the two hosts that a cable connects
RECEIVER, SENDER = "10.9.1.2", "10.9.1.1"
# Seconds for the first of them to be there, on a machine with much else to do
START = 1200


# Seconds after which a test host is given up; one that prints nothing is much sooner
LIMIT = "14400"
# A test host's status that says that it has not what is to be measured
SKIPPED = 4


def obey_signals():
    """Ended by one, a program takes its test hosts along."""
    for number in signal.SIGTERM, signal.SIGHUP:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


# Those that run, and whether they are to end
running = set()
stopping = threading.Event()


def stop_all():
    """Ends them, and those to come; who waits for one gets a HostError"""
    stopping.set()
    for process in list(running):
        process.terminate()


class HostError(Exception):
    """A test host that did not do what it was to"""

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


def vm_run(kernel, options, command, env=None, **more):
    environment = {**os.environ, "SOCKLOAN_SKIP_BUILD": "1", **(env or {})}
    return subprocess.Popen([VM_RUN, "-k", kernel, "-t", LIMIT, *options, "--", *command],
                            env=environment, text=True, **more)


def build(kernel):
    """The modules, and the two ends"""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    found = subprocess.run([TOP / "vm" / "kernel", kernel, "--headers"], check=False,
                           stdout=subprocess.PIPE, text=True)
    if found.returncode:
        raise HostError(f"there is no kernel {kernel} to be had")
    headers = found.stdout.strip()
    for target in (["modules", f"KDIR={headers}"], ["tools"],
                   [str(BUILD / name) for name in ("sender", "receiver", "profile")]):
        done = subprocess.run(["make", "-s", "-C", TOP, *target], env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"make {' '.join(target)} failed:\n{done.stdout}{done.stderr}")


def read_lines(process, on_line):
    """To its end"""
    running.add(process)
    if stopping.is_set():
        process.terminate()
    try:
        for line in process.stdout:
            on_line(line.rstrip("\n"))
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        running.discard(process)
    if process.wait():
        raise HostError(f"the test host ended with status {process.returncode}",
                        process.returncode)


def card(number, cable, role):
    """A network card, for QEMU"""
    return (f"-device e1000e,netdev=cable,mac=52:54:00:00:00:0{number} "
            f"-netdev stream,id=cable,addr.type=unix,addr.path={cable},server={role}")


def wait_for_cable(receiver, cable, log):
    """The receiver's host makes it when it starts"""
    end = time.monotonic() + START
    while not cable.exists():
        if receiver.poll() is not None or time.monotonic() > end:
            raise HostError("the receiver's host does not start:\n" + log.read_text())
        time.sleep(1)


def run_two(kernel, work, on_line):
    """The receiver's host has the time of the real world, the sender's counts instructions, but
    idles in real time, or time-outs would pass while the other works."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="sockloan-bench."))
    cable, log = place / "cable", place / "log"
    nic = str(TOP / "bench" / "nic.sh")
    with open(log, "w", encoding="utf-8") as output:
        receiver = vm_run(kernel, ["-n", "-s", "1"], [nic, str(BUILD / "receiver"), RECEIVER],
                          {"SOCKLOAN_QEMU": card(2, cable, "on")}, stdout=output, stderr=output)
    try:
        wait_for_cable(receiver, cable, log)
        qemu = f"-icount shift=0,sleep=on {card(1, cable, 'off')}"
        guest = [nic, str(TOP / "bench" / "guest.sh"), SENDER, RECEIVER, work]
        read_lines(vm_run(kernel, ["-i"], guest, {"SOCKLOAN_QEMU": qemu},
                          stdout=subprocess.PIPE), on_line)
    finally:
        receiver.terminate()
        receiver.wait()
        shutil.rmtree(place)


def run(kernel, boot, lines, on_line):
    """Boots what @boot needs, and has it do @lines, one after the other"""
    work = BUILD / f"runs.{os.getpid()}.{threading.get_ident()}"
    # The first one is run once more, and before the others: what it reads is then in caches.
    numbered = [(-1, lines[0])] + list(enumerate(lines))
    work.write_text("".join(f"{i} {line}\n" for i, line in numbered), encoding="utf-8")
    guest = [str(TOP / "bench" / "guest.sh")]
    try:
        if boot == "nic":
            run_two(kernel, str(work), on_line)
        elif boot == "smp2":
            read_lines(vm_run(kernel, ["-s", "2"], guest + ["loopback", str(work)],
                              stdout=subprocess.PIPE), on_line)
        else:
            where = boot if boot in ("usb", "veth") else "loopback"
            read_lines(vm_run(kernel, ["-i"], guest + [where, str(work)],
                              stdout=subprocess.PIPE), on_line)
    finally:
        work.unlink()
