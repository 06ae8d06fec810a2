# SPDX-License-Identifier: GPL-2.0
"""A machine at the other end of ssh, and bench/remote_node.sh on it."""

import io
import pathlib
import queue
import shlex
import subprocess
import tarfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
BUILD = TOP / "build" / "bench"

# This machine, without ssh
THIS = "."
# Seconds: for an answer, and for what takes long (packages, which DKMS compiles)
ANSWER, LONG = 300, 3600

# Takes so many bytes of archive, and leaves the rest of the input to the script in it.
START = """d=$(mktemp -d /tmp/sockloan-remote.XXXXXX) || exit
head -c {size} | tar -xz -C "$d" || {{ rm -rf "$d"; exit 1; }}
[ "$(id -u)" = 0 ] || sudo='sudo -n'
exec $sudo bash "$d/remote_node.sh" "$d"
"""


class NodeError(Exception):
    """A machine that is gone, or does not do what it is told"""


class Refused(NodeError):
    """It could not, and says why"""


def archive(packages):
    """What goes there; @packages: files of packages"""
    files = {HERE / "remote_node.sh": "remote_node.sh"}
    files.update({BUILD / name: name for name in ("sender", "receiver")})
    files.update({path: f"packages/{path.name}" for path in packages})
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for path, name in files.items():
            tar.add(path, name)
    return data.getvalue()


class Node:
    """One of the two"""

    def __init__(self, name, ssh, data):
        self.name = "this machine" if name == THIS else name
        script = START.format(size=len(data))
        command = ["bash", "-c", script]
        if name != THIS:
            command = [*ssh, name, shlex.join(command)]
        # Not for the terminal's interrupt: the end of its input tells it to put things back.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.write(data)

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode(errors="replace").rstrip("\n"))
        self.lines.put(None)

    def write(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError as error:
            raise NodeError(f"{self.name}: {error.strerror}") from None

    def tell(self, order):
        self.write(order.encode() + b"\n")

    def answer(self, order, seconds=ANSWER):
        """To what it was told; raises NodeError when it is a refusal"""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                raise NodeError(f"{self.name}: no answer to '{order}' in {seconds} s") from None
            if line is None:
                raise NodeError(f"{self.name}: the connection ended at '{order}'")
            kind, _, text = line.partition(" ")
            if kind == "@ok":
                return text
            if kind == "@fail":
                raise Refused(f"{self.name}: {text}")

    def ask(self, order, seconds=ANSWER):
        self.tell(order)
        return self.answer(order, seconds)

    def ask_pairs(self, order, seconds=ANSWER):
        """For answers that are KEY=VALUE..."""
        return dict(word.rsplit("=", 1) for word in self.ask(order, seconds).split())

    def close(self):
        """Its end of input makes it put back what it changed, if it has not."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(ANSWER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ssh_command(config):
    """Never asks; notices when the machine is gone"""
    options = ("BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=8")
    command = ["ssh"] + [word for option in options for word in ("-o", option)]
    return command + (["-F", config] if config else [])


def name_of(host, ssh):
    """What ssh would connect to"""
    done = subprocess.run([*ssh, "-G", host], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        if key == "hostname":
            return value
    raise NodeError(f"{host}: {done.stderr.strip()}")
