# SPDX-License-Identifier: GPL-2.0
"""Runs become rows: the median of the rounds, and ratios to what is plainly copied."""

import csv
import dataclasses
import statistics

import cases

COLUMNS = ("kernel", "mode", "transport", "mechanism", "size", "pattern", "rx", "connections",
           "mb_per_s", "ns_per_byte", "bytes_copied", "bytes_lent")


@dataclasses.dataclass
class Run:
    """One round of one case; bytes that the mechanism does not tell of are None"""

    seconds: float
    bytes: int
    busy_ns: int
    lent: int
    copied: int

    @property
    def rate(self):
        return self.bytes / self.seconds / 1e6

    @property
    def cost(self):
        return self.busy_ns / self.bytes


def parse_run(text):
    """What bench/guest.sh prints of a run; raises ValueError or KeyError"""
    pairs = dict(word.split("=", 1) for word in text.split())

    def count(name):
        return None if pairs[name] == "-" else int(pairs[name])

    seconds = float(pairs["seconds"])
    run = Run(seconds, int(float(pairs["bytes"])), int(pairs.get("busy_ns", seconds * 1e9)),
              count("bytes_lent"), count("bytes_copied"))
    if run.bytes <= 0 or run.seconds <= 0:
        raise ValueError("nothing was sent")
    return run


GROUPS = ("copy", "page", "protocol", "user")


def parse_profile(text):
    """What bench/profile prints: which part of the busy time was which kind of work"""
    pairs = dict(word.split("=", 1) for word in text.split())
    counts = {name: int(pairs[name]) for name in GROUPS}
    busy = sum(counts.values())
    if int(pairs["lost"]) or not busy:
        raise ValueError("samples are missing")
    return {name: n / busy for name, n in counts.items()}


def spread(values):
    """Half of what lies between the largest and the smallest, as a part of the median"""
    return (max(values) - min(values)) / 2 / statistics.median(values)


class Results:
    """All runs of a kernel"""

    def __init__(self, kernel, wanted=()):
        self.kernel = kernel
        # The order of the tables, whatever was done first
        self.order = {case: i for i, case in enumerate(wanted)}
        self.runs = {}
        self.profiles = {}
        self.failures = []
        self.skipped = []

    def add(self, case, run):
        self.runs.setdefault(case, []).append(run)

    def fail(self, what, why):
        self.failures.append((what, why))

    def skip(self, what, why):
        self.skipped.append((what, why))

    def cases(self):
        return self.in_order(self.runs)

    def profiled(self):
        return self.in_order(self.profiles)

    def in_order(self, found):
        return sorted(found, key=lambda case: self.order.get(case, len(self.order)))

    def median(self, case, what):
        return statistics.median(getattr(run, what) for run in self.runs[case])

    def spread(self, case):
        return spread([run.rate for run in self.runs[case]])

    def total(self, case, what):
        """Of the rounds, on average"""
        values = [getattr(run, what) for run in self.runs[case]]
        return None if None in values else round(statistics.mean(values))

    def ratios(self, case):
        """By round: how many times the rate of what is copied; of a card or a cable, how much
        less of the processors' time"""
        if case not in self.runs or case.base not in self.runs:
            return []
        what, up = ("cost", False) if by_cost(case.mode) else ("rate", True)
        pairs = [(getattr(run, what), getattr(base, what))
                 for run, base in zip(self.runs[case], self.runs[case.base])]
        return [run / base if up else base / run for run, base in pairs]

    def ratio(self, case):
        ratios = self.ratios(case)
        return statistics.median(ratios) if ratios else None

    def row(self, case):
        def number(value):
            return "" if value is None else value

        return (self.kernel, case.mode, case.transport, case.mechanism, cases.SIZES[case.size],
                case.pattern, case.rx, case.streams, f"{self.median(case, 'rate'):.1f}",
                f"{self.median(case, 'cost'):.4f}", number(self.total(case, "copied")),
                number(self.total(case, "lent")))


def by_cost(mode):
    """Whether the sender's processor is what counts, for the link is what limits the rate"""
    return mode in ("nic", "remote", "usb", "usb-stock")


def write_csv(path, all_results):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for results in all_results:
            writer.writerows(results.row(case) for case in results.cases())


def write_rounds(path, all_results):
    """What the medians are of"""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kernel", "case", "round", "mb_per_s", "ns_per_byte", "ratio"))
        for results in all_results:
            for case in results.cases():
                ratios = results.ratios(case)
                for i, run in enumerate(results.runs[case]):
                    ratio = f"{ratios[i]:.4f}" if i < len(ratios) else ""
                    writer.writerow((results.kernel, case.name, i + 1, f"{run.rate:.2f}",
                                     f"{run.cost:.5f}", ratio))
