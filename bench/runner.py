# SPDX-License-Identifier: GPL-2.0
"""Boot after boot, run after run: what is to be done in which order, and how far it is."""

import sys
import time

import cases
import hosts
import results

# Seconds, for the first estimate
BOOT, RUN = 30, 1.2
# What is lost when a test host fails, and how long one is up
CASES_PER_BOOT = 64
# Between lines that say how far it is
SILENCE = 5

MEGABYTES = {"icount": 128, "smp2": 128, "nic": 64, "usb": 32}


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
    """What is done, and an estimate of the rest"""

    def __init__(self, runs, boots):
        self.runs, self.boots, self.done = runs, boots, 0
        self.spent = 0.0
        self.shown = 0.0
        self.last = time.monotonic()

    def start(self):
        """The test host is up."""
        self.boots -= 1
        self.last = time.monotonic()

    def step(self, name):
        now = time.monotonic()
        self.done += 1
        self.spent += now - self.last
        self.last = now
        if now - self.shown < SILENCE and self.done < self.runs:
            return
        self.shown = now
        each = self.spent / self.done if self.done >= 10 else RUN
        left = (self.runs - self.done) * each + self.boots * BOOT
        print(f"bench: {self.done} of {self.runs}, about {left / 60:.0f} min left: {name}",
              file=sys.stderr, flush=True)


class Boot:
    """One boot's runs, and what came of them"""

    def __init__(self, order, res, progress):
        self.order, self.results, self.progress = order, res, progress
        self.missing = set(range(len(order)))
        self.ended = False

    def line(self, text):
        """What the test host prints"""
        words = text.split(" ", 2)
        if words[0] == "@end":
            self.ended = True
        elif words[0] in ("@done", "@fail") and len(words) == 3:
            number = int(words[1])
            if number < 0:
                self.progress.start()
                return
            case = self.order[number][0]
            self.missing.discard(number)
            if words[0] == "@fail":
                self.results.fail(case.name, words[2])
            else:
                self.store(case, words[2])
            self.progress.step(case.name)
        elif text:
            print(text, file=sys.stderr)

    def store(self, case, text):
        try:
            if case.profile:
                self.results.profiles[case] = results.parse_profile(text)
            else:
                self.results.add(case, results.parse_run(text))
        except (KeyError, ValueError) as error:
            self.results.fail(case.name, f"cannot read '{text}': {error!r}")


def run_boot(kernel, boot, wanted, rounds, res, progress, megabytes):
    order = in_order(boot, wanted, rounds)
    this = Boot(order, res, progress)
    print(f"bench: {kernel}, {boot}: {len(wanted)} cases", file=sys.stderr, flush=True)
    lines = [case.command(megabytes or MEGABYTES[boot]) for case, _ in order]
    try:
        hosts.run(kernel, boot, lines, this.line)
    except hosts.HostError as error:
        if boot == "usb" and error.status == hosts.SKIPPED:
            res.skip(boot, "this kernel has no dummy_hcd, or no RNDIS")
            this.missing.clear()
        else:
            res.fail(boot, str(error))
    for number in sorted(this.missing):
        res.fail(order[number][0].name, f"round {order[number][1] + 1} was not run")


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


def measure(kernel, wanted, rounds, megabytes=None):
    """Everything, into Results"""
    res = results.Results(kernel)
    boots = split_into_boots(wanted)
    runs = sum(1 if case.profile else rounds for case in wanted)
    progress = Progress(runs, len(boots))
    hosts.build(kernel)
    for boot, its_cases in boots:
        run_boot(kernel, boot, its_cases, rounds, res, progress, megabytes)
    return res


def tell_failures(res):
    """False when there are some"""
    for what, why in res.skipped:
        print(f"bench: skipped: {res.kernel}, {what}: {why}", file=sys.stderr)
    for what, why in dict(res.failures).items():
        print(f"bench: FAILED: {res.kernel}, {what}: {why}", file=sys.stderr)
    return not res.failures
