# SPDX-License-Identifier: GPL-2.0
"""Measures every way of sending and receiving against each other: what `make bench` is."""

import argparse
import pathlib
import sys
import time

import cases
import hosts
import plots
import program
import report
import results
import runner

ABOUT = """Boots test hosts (see vm/run --help), sends the same by every mechanism that a user could
pick, and writes results.csv, report.md and plots. CASE is a shell pattern for names such as
icount/tcp/loan/64K/same/recv/c1 (-l lists them); without one, all are measured, which takes a
quarter of an hour on two idle processors, and 40 minutes on busy ones. What a ratio is against is measured, too. Documentation/bench.rst tells more."""


def arguments():
    parser = argparse.ArgumentParser(prog="bench/bench", description=ABOUT)
    parser.add_argument("-k", dest="kernels", metavar="KERNEL", action="append",
                        help="6.1 (default), 6.12, sid; can be given more than once")
    parser.add_argument("-r", dest="rounds", metavar="ROUNDS", type=int, default=3,
                        help="of each case (default 3); their median counts")
    parser.add_argument("-b", dest="megabytes", metavar="MIB", type=int,
                        help="to send in each run (default 128; smp2 512, nic 64, usb 32)")
    parser.add_argument("-o", dest="directory", metavar="DIRECTORY", type=pathlib.Path,
                        default=hosts.BUILD, help="for the results (default build/bench)")
    parser.add_argument("-l", dest="list", action="store_true", help="list the cases")
    parser.add_argument("cases", metavar="CASE", nargs="*")
    options = parser.parse_args()
    if options.rounds < 1 or (options.megabytes is not None and options.megabytes < 1):
        parser.error("ROUNDS and MIB are 1 or more")
    return options


def main():
    options = arguments()
    hosts.obey_signals()
    wanted = cases.pick(cases.full(), options.cases)
    if not wanted:
        print(f"bench: no case is called {' or '.join(options.cases)} (-l lists them)",
              file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(case.name for case in wanted))
        return 0
    options.directory.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    everything = [runner.measure(kernel, wanted, options.rounds, options.megabytes)
                  for kernel in options.kernels or ["6.1"]]
    results.write_csv(options.directory / "results.csv", everything)
    results.write_rounds(options.directory / "rounds.csv", everything)
    minutes = (time.monotonic() - start) / 60
    report.write(options.directory / "report.md", everything, options.rounds, minutes)
    plots.write(options.directory, everything[0])
    good = all([runner.tell_failures(res) for res in everything])
    print(f"bench: {minutes:.0f} minutes; see {options.directory}/report.md", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    program.run("bench", main, hosts.HostError)
