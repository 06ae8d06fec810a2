# SPDX-License-Identifier: GPL-2.0
"""Measures between two real machines, over ssh: what bench/remote is."""

import argparse
import csv
import dataclasses
import pathlib
import statistics
import subprocess
import sys

import cases
import program
import remote_node
import report
import results
from remote_node import NodeError, Refused

ABOUT = """Sends from SENDER to RECEIVER, two machines that ssh reaches as root or as a user with
sudo ("." for SENDER is this machine), by every mechanism, and writes remote.csv,
remote-rounds.csv and remote-interrupts.csv. Both need the module as sockloan-dkms installs it,
or -i. What is changed on them is put back, whatever happens, but for packages that -i
installs. CASE is a shell pattern (-l lists the names). Documentation/bench-remote.rst tells
more."""

MODE = "remote"
MORE_COLUMNS = ("cpu_s_per_gb_sender", "cpu_s_per_gb_receiver", "interrupts_per_gb")
MIB = 1 << 20


def all_cases():
    found = [dataclasses.replace(case, mode=MODE) for case in cases.nic()]
    found += cases.product(MODE, "tcp", "copy loan xout", "64K 256K", "same", "recv")
    found += cases.product(MODE, "tcp", "copy loan xout", "64K 256K", "same", "peek")
    found += cases.product(MODE, "tcp", "copy loan", "64K", "same", "recv", ((4, 1), (4, 4)))
    # 1472 fills a frame of Ethernet, 8K goes into a large one, and 60K is fragmented on any.
    found += cases.product(MODE, "udp", cases.WRITTEN, "1K 1472 8K 60K", "same", "recv")
    found += cases.product(MODE, "udp", "copy loan xout", "8K", "same", "peek")
    return found


def checks(wanted):
    """Before anything is measured, each way of sending sends what the receiver can look at: it
    cannot look at what it discards, so all is received. A datagram's size decides how it goes."""
    plain = [dataclasses.replace(case, rx="recv", connections=1, threads=1,
                                 size=case.size if case.transport == "udp" else "64K")
             for case in wanted]
    return list(dict.fromkeys(plain))


def words(case, megabytes, more=()):
    """For bench/sender"""
    # As on a machine with several processors
    command = dataclasses.replace(case, mode="smp2").command(megabytes).split()[2:]
    # Not fewer bytes in small calls: a real machine is done with them too soon.
    command[command.index("-b") + 1] = str(megabytes * MIB)
    command[command.index("-w") + 1] = str(warm_up(megabytes))
    return [*command, *more]


def warm_up(megabytes):
    """Bytes"""
    return min(megabytes // 4, 64) * MIB


@dataclasses.dataclass
class Cost:
    """What a round cost on both machines, for each GB"""

    sender: float
    receiver: float
    interrupts: float


class Tap:
    """Tells how each step went, on stdout if asked to"""

    def __init__(self, wanted, steps):
        self.number, self.failed, self.wanted = 0, 0, wanted
        self.steps = steps
        if wanted:
            print(f"TAP version 13\n1..{steps}", flush=True)

    def tell(self, name, why=None, notes=()):
        self.number += 1
        self.failed += why is not None
        if self.wanted:
            for note in [*notes, *(why or "").splitlines()]:
                print(f"# {note}")
            print(f"{'ok' if why is None else 'not ok'} {self.number} {name}", flush=True)
        elif why is not None:
            print(f"remote: FAILED: {name}: {why}", file=sys.stderr, flush=True)
        else:
            notes = "".join(f": {note}" for note in notes)
            print(f"remote: {self.number} of {self.steps}: {name}{notes}", file=sys.stderr,
                  flush=True)


class Remote:
    """A measurement between two nodes"""

    def __init__(self, options, wanted, tap):
        self.options, self.wanted, self.tap = options, wanted, tap
        self.ssh = remote_node.ssh_command(options.config)
        self.nodes = []
        self.results = None
        self.costs = {}
        self.interrupts = []
        self.doing = ""

    def install(self):
        """On both at the same time, for it takes long"""
        for node in self.nodes:
            node.tell("install")
        why = []
        for node in self.nodes:
            try:
                node.answer("install", remote_node.LONG)
            except Refused as error:
                why.append(str(error))
        if why:
            raise Refused("\n".join(why))

    def start(self, data):
        """Both nodes, with the module loaded"""
        self.doing = "sender_is_ready"
        for host in self.options.sender, self.options.receiver:
            self.nodes.append(remote_node.Node(host, self.ssh, data))
        if self.options.install:
            self.install()
        for node, role in zip(self.nodes, ("sender", "receiver")):
            self.doing = f"{role}_is_ready"
            about = node.ask_pairs("prepare")
            if role == "sender":
                self.results = results.Results(about["kernel"])
            self.tap.tell(self.doing, notes=[f"{node.name}: {k} {v}" for k, v in about.items()])
        sender, receiver = self.nodes
        self.doing = "receiver_waits"
        # A name is looked up once, where it will be used, and not by every run.
        name = self.options.address or remote_node.name_of(self.options.receiver, self.ssh)
        self.address = sender.ask(f"resolve {name}")
        self.port = receiver.ask(f"receive {self.options.port} {self.options.data_port or ''}")

    def run(self, command):
        """What the sender says, and by how much each interrupt was counted on"""
        before = [node.ask_pairs("interrupts") for node in self.nodes]
        order = ["send", str(self.options.limit), *command, "-P", self.port, self.address]
        said = self.nodes[0].ask(" ".join(order), self.options.limit + remote_node.ANSWER)
        after = [node.ask_pairs("interrupts") for node in self.nodes]
        counts = [{name: int(n) - int(b.get(name, 0)) for name, n in a.items()}
                  for b, a in zip(before, after)]
        return said, counts

    def attempt(self, name, step):
        """One line of TAP, of @step, which returns notes; a machine that is lost ends it all"""
        self.doing = name
        try:
            self.tap.tell(name, notes=step())
        except (Refused, ValueError, KeyError) as error:
            self.tap.tell(name, str(error))

    def check(self, case):
        command = words(case, 8, ["-c"])
        said, _ = self.run(command)
        pairs = dict(word.split("=", 1) for word in said.split())
        return [f"{pairs['checked']} bytes are right"]

    def measure(self, case):
        """All rounds"""
        command = words(case, self.options.megabytes)
        for _ in range(self.options.rounds):
            said, counts = self.run(command)
            pairs = dict(word.split("=", 1) for word in said.split())
            run = results.parse_run(said)
            # Of the rounds to warm up, too, which the counts are of
            sent = (run.bytes + warm_up(self.options.megabytes)) / 1e9
            total = sum(sum(c.values()) for c in counts)
            self.results.add(case, run)
            self.costs.setdefault(case, []).append(
                Cost(run.cost, int(pairs["rx_busy_ns"]) / run.bytes, total / sent))
            for role, count in zip(("sender", "receiver"), counts):
                self.interrupts += [(case.name, role, line, n) for line, n in count.items() if n]
        ratio = self.results.ratio(case)
        note = (f"{self.results.median(case, 'rate'):.1f} MB/s, CPU s/GB: sender "
                f"{self.cost(case, 'sender'):.3f}, receiver {self.cost(case, 'receiver'):.3f}")
        return [note + (f"; ratio {ratio:.2f}" if ratio else "")]

    def cost(self, case, what):
        return statistics.median(getattr(cost, what) for cost in self.costs[case])

    def finish(self):
        """Has the nodes put everything back; says what they could not"""
        why = []
        for node in self.nodes:
            try:
                if node.process.poll() is None:
                    node.ask("quit")
            except NodeError as error:
                why.append(str(error))
            node.close()
        return why

    def go(self, data):
        try:
            self.start(data)
            for case in checks(self.wanted):
                self.attempt(case.name.replace(MODE, "check", 1),
                             lambda case=case: self.check(case))
            for case in self.wanted:
                self.attempt(case.name, lambda case=case: self.measure(case))
        except NodeError as error:
            self.tap.tell(self.doing, str(error))
            if self.tap.wanted:
                print("Bail out!", flush=True)
            return
        finally:
            left = self.finish()
        self.tap.tell("machines_are_as_before", "\n".join(left) or None)

    def write(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / "remote.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*results.COLUMNS, *MORE_COLUMNS))
            for case in self.results.cases():
                costs = [f"{self.cost(case, what):.4f}"
                         for what in ("sender", "receiver", "interrupts")]
                writer.writerow((*self.results.row(case), *costs))
        with open(directory / "remote-interrupts.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("case", "machine", "line", "interrupts"))
            writer.writerows(self.interrupts)
        results.write_rounds(directory / "remote-rounds.csv", [self.results])

    def table(self):
        rows = [(case.name, f"{self.results.median(case, 'rate'):.0f}",
                 *(f"{self.cost(case, what):.3f}" for what in ("sender", "receiver")),
                 f"{self.cost(case, 'interrupts'):.0f}", report.ratio_text(self.results, case))
                for case in self.results.cases()]
        heading = ("case", "MB/s", "CPU s/GB, sender", "CPU s/GB, receiver", "interrupts/GB",
                   "ratio")
        return "\n".join(report.table(heading, rows))


def arguments():
    parser = argparse.ArgumentParser(prog="bench/remote", description=ABOUT)
    parser.add_argument("sender", metavar="SENDER", nargs="?")
    parser.add_argument("receiver", metavar="RECEIVER", nargs="?")
    parser.add_argument("cases", metavar="CASE", nargs="*")
    parser.add_argument("-i", dest="install", action="store_true",
                        help="install the packages that `make deb` made")
    parser.add_argument("-d", dest="packages", metavar="DIRECTORY", type=pathlib.Path,
                        default=remote_node.TOP / "build" / "deb",
                        help="where these are (default build/deb)")
    parser.add_argument("-a", dest="address",
                        help="send there: RECEIVER's address on the network to measure")
    parser.add_argument("-p", dest="port", type=int, default=5310,
                        help="the receiver's (default 5310)")
    parser.add_argument("-D", dest="data_port", metavar="PORT", type=int,
                        help="its port for data, TCP and UDP (default: any that is free)")
    parser.add_argument("-F", dest="config", metavar="FILE", help="ssh's configuration")
    parser.add_argument("-r", dest="rounds", type=int, default=3,
                        help="of each case (default 3); their median counts")
    parser.add_argument("-b", dest="megabytes", metavar="MIB", type=int, default=1024,
                        help="to send in each round (default 1024)")
    parser.add_argument("-t", dest="limit", metavar="SECONDS", type=int, default=600,
                        help="for one round, after which it has failed (default 600)")
    parser.add_argument("-o", dest="directory", type=pathlib.Path, default=remote_node.BUILD,
                        help="for the results (default build/bench)")
    parser.add_argument("--tap", action="store_true", help="the results as TAP, for fleets")
    parser.add_argument("-l", dest="list", action="store_true", help="list the cases")
    options = parser.parse_intermixed_args()
    if options.list:
        options.cases = [p for p in (options.sender, options.receiver, *options.cases) if p]
    elif not options.receiver:
        parser.error("SENDER and RECEIVER are wanted")
    if min(options.rounds, options.megabytes, options.limit) < 1:
        parser.error("ROUNDS, MIB and SECONDS are 1 or more")
    if options.limit > remote_node.LONG:
        parser.error(f"SECONDS are {remote_node.LONG} at most")
    if options.receiver == remote_node.THIS and not options.address:
        parser.error("for a RECEIVER without ssh, -a is wanted")
    return options


def build():
    """Both ends"""
    targets = [str(remote_node.BUILD / name) for name in ("sender", "receiver")]
    done = subprocess.run(["make", "-s", "-C", remote_node.TOP, *targets], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise NodeError(f"make failed:\n{done.stdout}{done.stderr}")


def main():
    options = arguments()
    wanted = cases.pick(all_cases(), options.cases)
    if options.list:
        print("\n".join(case.name for case in wanted))
        return 0
    if not wanted:
        print(f"remote: no case is called {' or '.join(options.cases)} (-l lists them)",
              file=sys.stderr)
        return 2
    packages = sorted(options.packages.glob("*.deb")) if options.install else []
    if options.install and not packages:
        print(f"remote: no packages in {options.packages}: `make deb` makes them", file=sys.stderr)
        return 2
    build()
    tap = Tap(options.tap, len(checks(wanted)) + len(wanted) + 3)
    remote = Remote(options, wanted, tap)
    remote.go(remote_node.archive(packages))
    if remote.results:
        remote.write(options.directory)
        if not options.tap:
            print(remote.table())
    return 1 if tap.failed else 0


if __name__ == "__main__":
    program.run("remote", main, NodeError)
