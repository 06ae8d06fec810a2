# SPDX-License-Identifier: GPL-2.0
"""Boot after boot, run after run: what is to be done in which order, and how far it is."""

import concurrent.futures
import os
import sys
import threading
import time

import cases
import hosts
import results

# Seconds, for the first estimate
BOOT, RUN = 30, 1.2
# What is lost when a test host fails, and how long one is up
CASES_PER_BOOT = 32
# Between lines that say how far it is
SILENCE = 5

MEGABYTES = {"icount": 128, "veth": 128, "smp2": 512, "nic": 64, "usb": 32}

# Test hosts with one processor that counts instructions: others beside them change nothing.
BESIDE_OTHERS = ("icount", "veth", "usb")
# Each has a gigabyte and more of memory.
AT_A_TIME = min(os.cpu_count() or 1, 4)


def boot_of(case):
    return "usb" if case.mode == "usb-stock" else case.mode


def in_order(boot, wanted, rounds):
    """Round by round for those that are compared with each other, which are neighbours; a cable
    is plugged in once a round"""
    if boot == "usb":
        return [(case, i) for i in range(rounds) for case in wanted]
    order = []
    for base in dict.fromkeys(case.base for case in wanted):
        group = [case for case in wanted if case.base == base]
        order += [(case, i) for i in range(1 if base.profile else rounds) for case in group]
    return order


class Progress:
    """What is done, and an estimate of the rest; boots that run beside each other share it"""

    def __init__(self, boots, rounds):
        """@boots: lists of cases"""
        self.lock = threading.Lock()
        self.runs = sum(count_runs(its_cases, rounds) for _, its_cases in boots)
        self.boots, self.done = len(boots), 0
        # Of all boots together; when each got so far
        self.spent = 0.0
        self.last = {}
        self.shown = 0.0

    def start(self, boot):
        """The test host is up."""
        with self.lock:
            self.boots -= 1
            self.last[boot] = time.monotonic()

    def step(self, boot, name, beside):
        """@beside: so many such boots at a time"""
        with self.lock:
            now = time.monotonic()
            self.done += 1
            self.spent += (now - self.last.get(boot, now)) / beside
            self.last[boot] = now
            if now - self.shown < SILENCE and self.done < self.runs:
                return
            self.shown = now
            each = self.spent / self.done if self.done >= 10 else RUN
            left = (self.runs - self.done) * each + self.boots * BOOT / beside
            print(f"bench: {self.done} of {self.runs}, about {left / 60:.0f} min left: {name}",
                  file=sys.stderr, flush=True)


class Boot:
    """One boot's runs, and what came of them"""

    def __init__(self, kind, wanted, plan):
        self.kind, self.plan = kind, plan
        self.order = in_order(kind, wanted, plan.rounds)
        self.missing = set(range(len(self.order)))

    def line(self, text):
        """What the test host prints"""
        words = text.split(" ", 2)
        if words[0] in ("@done", "@fail") and len(words) == 3:
            number = int(words[1])
            if number < 0:
                self.plan.progress.start(self)
                return
            case = self.order[number][0]
            self.missing.discard(number)
            if words[0] == "@fail":
                self.plan.results.fail(case.name, words[2])
            else:
                self.store(case, words[2])
            self.plan.progress.step(self, case.name, self.plan.beside(self.kind))
        elif text and text != "@end":
            print(text, file=sys.stderr)

    def store(self, case, text):
        res = self.plan.results
        try:
            if case.profile:
                res.profiles[case] = results.parse_profile(text)
            else:
                res.add(case, results.parse_run(text))
        except (KeyError, ValueError) as error:
            res.fail(case.name, f"cannot read '{text}': {error!r}")

    def run(self):
        plan, res = self.plan, self.plan.results
        megabytes = plan.megabytes or MEGABYTES[self.kind]
        lines = [case.command(megabytes) for case, _ in self.order]
        try:
            hosts.run(plan.kernel, self.kind, lines, self.line)
        except hosts.HostError as error:
            if self.kind == "usb" and error.status == hosts.SKIPPED:
                res.skip(self.kind, "this kernel has no dummy_hcd, or no RNDIS")
                self.missing.clear()
            else:
                res.fail(self.kind, str(error))
        for number in sorted(self.missing):
            res.fail(self.order[number][0].name,
                     f"round {self.order[number][1] + 1} was not run")


def count_runs(wanted, rounds):
    return sum(1 if case.profile else rounds for case in wanted)


def split_into_boots(wanted):
    """Cases for each boot: those that are compared stay together, and no boot has too many"""
    boots = []
    groups = {}
    for case in wanted:
        groups.setdefault((boot_of(case), boot_of(case) != "usb" and case.base), []).append(case)
    for (boot, _), group in groups.items():
        if not boots or boots[-1][0] != boot or len(boots[-1][1]) + len(group) > CASES_PER_BOOT:
            boots.append((boot, []))
        boots[-1][1].extend(group)
    return boots


class Plan:
    """All that is to be measured on a kernel"""

    def __init__(self, kernel, wanted, rounds, megabytes):
        self.kernel, self.rounds, self.megabytes = kernel, rounds, megabytes
        self.results = results.Results(kernel, wanted)
        boots = split_into_boots(wanted)
        self.progress = Progress(boots, rounds)
        self.boots = [Boot(kind, its_cases, self) for kind, its_cases in boots]

    def beside(self, kind):
        """How many such test hosts run at a time"""
        count = sum(boot.kind in BESIDE_OTHERS for boot in self.boots)
        return min(count, AT_A_TIME) if kind in BESIDE_OTHERS else 1

    def run(self):
        together = [boot for boot in self.boots if boot.kind in BESIDE_OTHERS]
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as threads:
            futures = [threads.submit(boot.run) for boot in together]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                hosts.stop_all()
                raise
        # These have wall clocks, or two test hosts: they get the machine for themselves.
        for boot in self.boots:
            if boot not in together:
                boot.run()


def measure(kernel, wanted, rounds, megabytes=None):
    """Everything, into Results"""
    plan = Plan(kernel, wanted, rounds, megabytes)
    print(f"bench: {kernel}: {len(wanted)} cases, {plan.progress.runs} runs, "
          f"{len(plan.boots)} test hosts", file=sys.stderr, flush=True)
    hosts.build(kernel)
    plan.run()
    return plan.results


def tell_failures(res):
    """False when there are some"""
    for what, why in res.skipped:
        print(f"bench: skipped: {res.kernel}, {what}: {why}", file=sys.stderr)
    for what, why in dict(res.failures).items():
        print(f"bench: FAILED: {res.kernel}, {what}: {why}", file=sys.stderr)
    return not res.failures
