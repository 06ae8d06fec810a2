# SPDX-License-Identifier: GPL-2.0
"""report.md: ratios, where a loan wins and where not, and what the time goes into."""

import dataclasses

import cases
import results

# In this order, whatever was measured
MECHANISMS = ("copy", "loan", "xout", "zerocopy", "send_zc", "sendfile", "splice", "vmsplice")
NAMES = {
    "copy": "plain send",
    "loan": "loan",
    "xout": "xout",
    "zerocopy": "MSG_ZEROCOPY",
    "send_zc": "SEND_ZC",
    "sendfile": "sendfile",
    "splice": "splice",
    "vmsplice": "vmsplice",
}
PATTERNS = {
    "same": "one buffer, sent again and again",
    "rotate": "16 buffers in turn",
    "rewrite": "the buffer is rewritten before each call",
    "part": "one page of every 16 is rewritten before each call",
    "fresh": "mapped, filled, sent, unmapped",
    "file": "windows of a mapped file",
    "iperf3": "stock iperf3",
}
RXS = {
    "recv": "recv",
    "trunc": "discarded (MSG_TRUNC)",
    "zcrecv": "TCP_ZEROCOPY_RECEIVE",
    "peek": "peek, in place",
}
MODES = {
    "icount": "Loopback, instruction counts: the claims",
    "veth": "Over veth, to another network namespace, instruction counts",
    "smp2": "Loopback, two CPUs, wall clock: beside the claims, and noisy",
    "nic": "Over a network card (e1000e with TSO), the sender's busy time",
    "usb": "Over a USB cable, our drivers, both ends' busy time",
    "usb-stock": "Over a USB cable, the kernel's drivers, both ends' busy time",
}
# A ratio within this of 1 is no difference.
SAME = 0.02
# Rounds that are so far apart say nothing.
NOISE = 0.1


def table(heading, rows):
    """Of strings; numbers to the right"""
    lines = ["| " + " | ".join(heading) + " |",
             "|" + "|".join("---" if i == 0 else "---:" for i in range(len(heading))) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def ratio_text(res, case):
    ratio = res.ratio(case)
    return f"{ratio:.2f}" if ratio else ""


def sections(res, mode):
    """Cases that differ in size, mechanism and streams only, together"""
    found = {}
    for case in res.cases():
        if case.mode == mode:
            found.setdefault((case.transport, case.pattern, case.rx), []).append(case)
    return found


def section_table(res, members):
    """A line for each size and number of streams, a column for each mechanism"""
    used = [m for m in MECHANISMS if m != "copy" and any(c.mechanism == m for c in members)]
    by_cost = results.by_cost(members[0].mode)
    what = "copy, ns/byte" if by_cost else "copy, MB/s"
    streams = any(c.streams != "1" for c in members)
    rows = []
    for base in dict.fromkeys(c.base for c in members):
        if base not in res.runs:
            continue
        value = res.median(base, "cost" if by_cost else "rate")
        row = [base.size + (f", {stream_text(base)}" if streams else "")]
        row.append(f"{value:.3f}" if by_cost else f"{value:.0f}")
        for mechanism in used:
            case = next((c for c in members if c.mechanism == mechanism and c.base == base), None)
            row.append(ratio_text(res, case) if case else "")
        rows.append(row)
    return table(["bytes a call", what] + [NAMES[m] for m in used], rows)


def stream_text(case):
    if case.threads > 1:
        return f"{case.connections} connections, {case.threads} threads"
    return f"{case.connections} connection" + ("s" if case.connections > 1 else "")


def apart(res, mode):
    """How far each case's rounds are, the middle and the worst of them; None: one round"""
    found = sorted(((results.spread(res.ratios(c)), c.name) for c in res.cases()
                    if c.mode == mode and c.mechanism != "copy" and len(res.ratios(c)) > 1))
    return (found[len(found) // 2], found[-1]) if found else None


def warning(res, mode):
    spreads = apart(res, mode)
    if not spreads or spreads[0][0] < NOISE:
        return []
    return [f"**Rounds of the same case are {100 * spreads[0][0]:.0f} % apart, half of them by "
            "more: little can be concluded from these.**", ""]


def mode_part(res, mode):
    lines = []
    for (transport, pattern, rx), members in sections(res, mode).items():
        lines += [f"### {transport.upper()}, {PATTERNS[pattern]}; received by {RXS[rx]}", ""]
        lines += section_table(res, members)
    return [f"## {MODES[mode]}", ""] + warning(res, mode) + lines if lines else []


def drivers_part(res):
    """A cable with our drivers against one with the kernel's"""
    rows = []
    for case in res.cases():
        stock = dataclasses.replace(case, mode="usb-stock")
        if case.mode == "usb" and stock in res.runs:
            ours, theirs = res.median(case, "cost"), res.median(stock, "cost")
            rows.append([f"{NAMES[case.mechanism]}: {title(case)}", f"{theirs:.3f}",
                         f"{ours:.3f}", f"{theirs / ours:.2f}"])
    if not rows:
        return []
    return (["### Our drivers against the kernel's", ""]
            + table(["case", "kernel's, ns/byte", "ours, ns/byte", "ratio"], rows))


def loan_reason(res, case):
    """Why a loan gains nothing here"""
    if cases.SIZES[case.size] < 4096:
        return ("below net.sockloan.threshold everything is copied; what is left is looking the "
                "socket up")
    if case.pattern == "rewrite":
        return ("a page that is rewritten costs a fault for each loan: the adaptive rule finds "
                "out, and copies")
    if case.pattern == "fresh":
        return "each page is faulted in and freed for one send, and then protected: the rule copies"
    if case.size == "4K":
        return "looking up and taking one page costs as much as copying it"
    if not res.total(case, "lent"):
        return "nothing could be lent"
    return "what a loan saves is small beside the rest"


def verdicts(res, mode="icount"):
    """Wins, draws, losses of a loan against copying, and who is faster than it"""
    wins, draws, losses, beaten = [], [], [], []
    for case in res.cases():
        if case.mode != mode or case.mechanism != "loan" or not res.ratio(case):
            continue
        ratio = res.ratio(case)
        if ratio > 1 + SAME:
            wins.append(case)
        else:
            (draws if ratio >= 1 - SAME else losses).append(case)
        for other in res.cases():
            if other.base == case.base and other.mechanism not in ("copy", "loan", "xout"):
                if res.ratio(other) and res.ratio(other) > ratio * (1 + SAME):
                    beaten.append((case, other))
    return wins, draws, losses, beaten


def title(case):
    return (f"{case.transport.upper()}, {case.size}, {case.pattern}, {case.rx}"
            + (f", {stream_text(case)}" if case.streams != "1" else ""))


def verdict_part(res):
    wins, draws, losses, beaten = verdicts(res)
    if not wins + draws + losses:
        return []
    lines = ["## Where a loan wins, and where it does not", "",
             f"Against copying, by instruction counts: faster in {len(wins)} cases, within 2 % in "
             f"{len(draws)}, slower in {len(losses)}.", ""]
    if wins:
        best = sorted(wins, key=res.ratio, reverse=True)
        lines += table(["faster", "ratio"], [[title(c), ratio_text(res, c)] for c in best])
    rest = sorted(losses + draws, key=res.ratio)
    if rest:
        lines += table(["no faster, or slower", "ratio", "why"],
                       [[title(c), ratio_text(res, c), loan_reason(res, c)] for c in rest])
    if beaten:
        lines += ["Faster than a loan, and neither sockloan's own:", ""]
        lines += table(["case", "by", "ratio", "loan's"],
                       [[title(c), NAMES[o.mechanism], ratio_text(res, o), ratio_text(res, c)]
                        for c, o in beaten])
    elif wins:
        lines += ["No mechanism that is not sockloan's own is faster than a loan by more than 2 % "
                  "in any of these cases.", ""]
    return lines


def split(res, case):
    """Nanoseconds a byte by kind of work; None when there are no samples"""
    plain = dataclasses.replace(case, profile=False)
    if case not in res.profiles or plain not in res.runs:
        return None
    cost = res.median(plain, "cost")
    return {group: part * cost for group, part in res.profiles[case].items()}


def split_part(res):
    rows = []
    for case in res.profiled():
        parts = split(res, case)
        if parts:
            rows.append([f"{NAMES[case.mechanism]}: {title(case)}"]
                        + [f"{1024 * parts[group]:.0f}" for group in results.GROUPS]
                        + [f"{1024 * sum(parts.values()):.0f}"])
    if not rows:
        return []
    return (["## What the time goes into", "",
             "Instructions for each KiB that is sent, both ends, by samples of the processor's "
             "clock: copying and clearing, page work (tables, faults, references, allocation), all "
             "else in the kernel, and programs.", ""]
            + table(["case", "copy", "page", "protocol", "programs", "all"], rows))


def readme_rows(res):
    """Some that speak for the rest"""
    wanted = (
        ("64 KiB sent again", "tcp", "64K", "same", "recv"),
        ("256 KiB sent again, discarded", "tcp", "256K", "same", "trunc"),
        ("64 KiB rewritten each time", "tcp", "64K", "rewrite", "recv"),
        ("64 KiB windows of a file", "tcp", "64K", "file", "recv"),
        ("60 KiB datagrams", "udp", "60K", "same", "recv"),
    )
    columns = MECHANISMS[1:]
    rows = []
    for text, transport, *rest in wanted:
        row = [text]
        for mechanism in columns:
            row.append(ratio_text(res, cases.Case("icount", transport, mechanism, *rest)))
        if any(row[1:]):
            rows.append(row)
    return columns, rows


def readme_part(res):
    columns, rows = readme_rows(res)
    if not rows:
        return []
    return ["## In short", "",
            f"Times the rate of a plain send, loopback, kernel {res.kernel}, instruction counts "
            "(`make bench`):", ""] + table([""] + [NAMES[m] for m in columns], rows)


def steadiness(res):
    lines = []
    for mode in MODES:
        spreads = apart(res, mode)
        if spreads:
            (middle, _), (worst, name) = spreads
            lines.append(f"- {mode}: half of them within {100 * middle:.2f} %, the worst "
                         f"{100 * worst:.1f} % ({name}).")
    if not lines:
        return []
    return ["## How far the rounds' ratios are apart", "",
            "Half of what lies between the largest and the smallest, of their median:", "",
            *lines, ""]


def trouble(res):
    lines = [f"- skipped: {what}: {why}" for what, why in res.skipped]
    lines += [f"- **failed**: {what}: {why}" for what, why in dict(res.failures).items()]
    return ["## Not measured", ""] + lines + [""] if lines else []


def one_kernel(res):
    lines = readme_part(res) + trouble(res) + verdict_part(res)
    for mode in MODES:
        lines += mode_part(res, mode)
    lines += drivers_part(res)
    return lines + split_part(res) + steadiness(res)


def write(path, everything, rounds, minutes):
    lines = ["# sockloan against everything a user would pick instead", "",
             f"Medians of {rounds} rounds, in which the sides of a ratio take turns within one "
             f"boot; {minutes:.0f} minutes. A ratio is the rate against a plain send's; of a card "
             "or a cable, a plain send's processor time against this. More than 1 is better than a "
             "plain send. See Documentation/bench.rst.", ""]
    for res in everything:
        lines += [f"# Kernel {res.kernel}", ""] if len(everything) > 1 else []
        lines += one_kernel(res)
    path.write_text("\n".join(lines), encoding="utf-8")
