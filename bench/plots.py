# SPDX-License-Identifier: GPL-2.0
"""Plots of the results, by gnuplot, as SVG."""

import subprocess

import cases
import report
import results

COLOURS = {
    "copy": "#444444",
    "loan": "#c03020",
    "xout": "#e08020",
    "zerocopy": "#2060a0",
    "send_zc": "#60a0d0",
    "sendfile": "#208040",
    "splice": "#80b060",
    "vmsplice": "#8050a0",
}
PARTS = {"copy": "#c03020", "page": "#e0a030", "protocol": "#2060a0", "user": "#999999"}


def gnuplot(path, title, body):
    script = (f'set terminal svg size 760,460 font "sans,12" background "white"\n'
              f'set output "{path}"\nset title "{title}"\nset key outside right top\n'
              f'set grid ytics lc rgb "#dddddd"\nset yrange [0:*]\n' + body)
    done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"gnuplot, {path}: {done.stderr}")


def data(name, rows):
    return f"${name} << END\n" + "\n".join(" ".join(map(str, row)) for row in rows) + "\nEND\n"


def curves(path, title, x_label, y_label, lines, settings=""):
    """@lines: name of a mechanism: points"""
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    if not lines:
        return
    body = settings + f'set xlabel "{x_label}"\nset ylabel "{y_label}"\n'
    for name, points in lines.items():
        body += data(name, points)
    body += "plot " + ", ".join(
        f'${name} using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc rgb "{COLOURS[name]}" '
        f'title "{report.NAMES[name]}"' for name in lines)
    gnuplot(path, title, body + "\n")


SIZE_AXIS = ('set logscale x 2\nset xtics ("64" 64, "256" 256, "1K" 1024, "4K" 4096, "16K" 16384, '
             '"64K" 65536, "256K" 262144, "1M" 1048576)\n')


def by_size(res, **fixed):
    """Rates of the cases that are so, by mechanism"""
    lines = {}
    for mechanism in report.MECHANISMS:
        found = [c for c in res.cases() if c.mechanism == mechanism and c.streams == "1"
                 and all(getattr(c, k) == v for k, v in fixed.items())]
        points = sorted((cases.SIZES[c.size], round(res.median(c, "rate"), 1)) for c in found)
        if points:
            lines[mechanism] = points
    return lines


def throughput(directory, res):
    for rx in "recv", "trunc", "peek":
        curves(directory / f"sizes-{rx}.svg", f"One buffer sent again; {report.RXS[rx]}",
               "bytes a call", "MB/s of instruction time",
               by_size(res, mode="icount", transport="tcp", pattern="same", rx=rx), SIZE_AXIS)
    curves(directory / "sizes-file.svg", "Windows of a mapped file; recv", "bytes a call",
           "MB/s of instruction time",
           by_size(res, mode="icount", transport="tcp", pattern="file", rx="recv"), SIZE_AXIS)
    curves(directory / "sizes-smp2.svg", "One buffer sent again; recv; two CPUs", "bytes a call",
           "MB/s of wall clock",
           by_size(res, mode="smp2", transport="tcp", pattern="same", rx="recv"), SIZE_AXIS)


def rewriting(directory, res):
    """Nanoseconds a byte when nothing, one page of 16, and all is rewritten"""
    patterns = ("same", "part", "rewrite")
    used, rows = [], []
    for mechanism in report.MECHANISMS:
        row = []
        for pattern in patterns:
            case = cases.Case("icount", "tcp", mechanism, "64K", pattern, "recv")
            row.append(f"{res.median(case, 'cost'):.4f}" if case in res.runs else "-")
        if "-" not in row:
            used.append(mechanism)
            rows.append(row)
    if not rows:
        return
    body = ('set style data histograms\nset style fill solid 0.9\nset boxwidth 0.9\n'
            'set ylabel "ns (instructions) a byte, both ends"\n')
    body += data("d", [[f'"{text}"'] + [row[i] for row in rows] for i, text in
                       enumerate(("never", "1 page of 16", "all of it"))])
    body += "plot " + ", ".join(
        f'$d using {i + 2}:xtic(1) lc rgb "{COLOURS[m]}" title "{report.NAMES[m]}"'
        for i, m in enumerate(used))
    gnuplot(directory / "rewriting.svg", "64 KiB, rewritten before each call; recv", body + "\n")


def scaling(directory, res):
    for mode, unit in ("icount", "instruction time"), ("smp2", "wall clock"):
        lines, threads = {}, {}
        for case in res.cases():
            if (case.mode, case.transport, case.size, case.pattern, case.rx) != (
                    mode, "tcp", "64K", "same", "recv"):
                continue
            point = round(res.median(case, "rate"), 1)
            if case.threads == 1:
                lines.setdefault(case.mechanism, []).append((case.connections, point))
            if case.connections == 4:
                threads.setdefault(case.mechanism, []).append((case.threads, point))
        for found in lines, threads:
            for points in found.values():
                points.sort()
        curves(directory / f"connections-{mode}.svg", f"64 KiB sent again; recv; {mode}",
               "connections in turn, one thread", f"MB/s of {unit}", lines)
        curves(directory / f"threads-{mode}.svg", f"64 KiB sent again, 4 connections; recv; {mode}",
               "threads that send", f"MB/s of {unit}", threads)


def costs(directory, res):
    """Each byte's cost by kind of work"""
    rows = []
    for case in res.profiled():
        parts = report.split(res, case)
        if parts:
            label = f"{case.mechanism} {case.size} {case.pattern} {case.rx}"
            rows.append([f'"{label}"'] + [f"{parts[group]:.4f}" for group in results.GROUPS])
    if not rows:
        return
    body = ('set style data histograms\nset style histogram rowstacked\nset style fill solid 0.9\n'
            'set boxwidth 0.7\nset xtics rotate by -35\n'
            'set ylabel "ns (instructions) a byte, both ends"\n')
    body += data("d", rows) + "plot " + ", ".join(
        f'$d using {i + 2}:xtic(1) lc rgb "{PARTS[group]}" title "{group}"'
        for i, group in enumerate(results.GROUPS))
    gnuplot(directory / "costs.svg", "What a byte costs, by kind of work", body + "\n")


def write(directory, res):
    for plot in throughput, rewriting, scaling, costs:
        plot(directory, res)
