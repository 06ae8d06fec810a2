# SPDX-License-Identifier: GPL-2.0
"""A short measurement that fails when a ratio is worse than it was: `make bench-gate`."""

import argparse
import csv
import pathlib
import sys
import time

import cases
import hosts
import program
import report
import results
import runner

BASELINE = pathlib.Path(__file__).resolve().parent / "baseline.csv"
KERNEL = "6.1"
# What a ratio may lose
TOLERANCE = 0.02

ABOUT = f"""Measures a few ratios by instruction counts on kernel {KERNEL}, some five minutes,
prints them beside those of bench/baseline.csv, and fails when one is lower by more than 2 %. An
improvement is told, and no failure."""


def arguments():
    parser = argparse.ArgumentParser(prog="bench/gate", description=ABOUT)
    parser.add_argument("-w", dest="write", action="store_true",
                        help="write what is measured to bench/baseline.csv")
    parser.add_argument("-r", dest="rounds", metavar="ROUNDS", type=int, default=3,
                        help="of each case (default 3); their median counts")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("ROUNDS is 1 or more")
    return options


def read_baseline():
    try:
        with open(BASELINE, newline="", encoding="utf-8") as file:
            return {row["case"]: float(row["ratio"]) for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}


def write_baseline(ratios):
    with open(BASELINE, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("case", "ratio"))
        writer.writerows((name, f"{ratio:.4f}") for name, ratio in ratios.items())


def verdict(ratio, before):
    """What is printed, and whether it is a failure"""
    if before is None:
        return "not in the baseline", True
    change = ratio / before - 1
    if change < -TOLERANCE:
        return f"LOWER by {-100 * change:.1f} %", True
    if change > TOLERANCE:
        return f"better by {100 * change:.1f} %: make bench-baseline keeps it", False
    return "", False


def compare(res, ratios, baseline):
    """Prints all; the names of those that are worse"""
    worse = []
    print(f"{'ratio to a plain send':34} {'ratio':>7} {'before':>7} {'change':>8} {'spread':>8}")
    for case, ratio in ratios.items():
        before = baseline.get(case.name)
        text, bad = verdict(ratio, before)
        old = f"{before:7.3f} {100 * (ratio / before - 1):+7.2f}%" if before else 16 * " "
        print(f"{case.name.removeprefix('icount/'):34} {ratio:7.3f} {old} "
              f"{100 * results.spread(res.ratios(case)):7.2f}%  {text}".rstrip())
        if bad:
            worse.append(f"{report.NAMES[case.mechanism]}: {report.title(case)}: {text}")
    return worse


def measure(options, baseline):
    """One measurement, compared; the ratios, what is worse, whether all cases ran"""
    wanted = cases.gate()
    res = runner.measure(KERNEL, wanted, options.rounds, cases.GATE_MEGABYTES)
    ratios = {case: res.ratio(case) for case in wanted
              if case.mechanism != "copy" and res.ratio(case)}
    worse = compare(res, ratios, baseline)
    gone = set(baseline) - {case.name for case in ratios}
    worse += [f"{name}: in the baseline, but not measured" for name in sorted(gone)]
    return ratios, worse, runner.tell_failures(res)


def main():
    options = arguments()
    hosts.obey_signals()
    baseline = read_baseline()
    if not baseline and not options.write:
        print("bench-gate: there is no bench/baseline.csv (make bench-baseline)", file=sys.stderr)
        return 1
    start = time.monotonic()
    ratios, worse, good = measure(options, baseline)
    if options.write:
        if not good:
            return 1
        write_baseline({case.name: ratio for case, ratio in ratios.items()})
        print(f"bench-gate: {len(ratios)} ratios are the baseline now")
        return 0
    if worse or not good:
        # What code costs, it costs again; a boot that went another way does not come twice.
        print("bench-gate: once more, in another boot")
        ratios, worse, good = measure(options, baseline)
    for line in worse:
        print(f"bench-gate: FAILED: {line}")
    print(f"bench-gate: {len(ratios)} ratios, {len(worse)} worse, "
          f"{time.monotonic() - start:.0f} s")
    return 1 if worse or not good else 0


if __name__ == "__main__":
    program.run("bench-gate", main, hosts.HostError)
