"""Draws how cost grows: `make plot` measures, writes cost.svg, four plots with logarithmic axes, and puts
the figures into LOG.md.

plot.py PICTURE LOG. Time is processor time: of the thread that draws masks, or of the daemon that answers.
Only throughput is by the clock, and holds for a machine that does nothing else.
"""

import contextlib
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

import chart
import measuring
import page
import tiles

COUNTS = [4 ** k for k in range(7)]
ROWS = [2 ** k for k in range(9)]
CONNECTIONS = [4 ** k for k in range(7)]
THREADS = (1, 2)
ROUNDS = 3
CALL = 128  # masks of 32x32 in a request whose throughput is measured
MASKS = "/v1/masks.raw?shape={}&n={}&dtype=bits&seed=%"
BATCH = ("/v1/datasets/set/batches/0.raw?n={}&seed=7&shuffle=1&size={}&view=random&flip=1&method=fmix"
         "&parts=mixed&epoch=%")


def growth(what):
    """Points by curve, as the program of masks measures them."""
    done = subprocess.run([measuring.BUILD / "growth", what], check=True, text=True, stdout=subprocess.PIPE)
    curves = {}
    for name, x, nanoseconds in map(str.split, done.stdout.splitlines()):
        curves.setdefault(name, []).append((int(x), float(nanoseconds)))
    return curves


def levels(points):
    """N log N through the cheapest point by this measure."""
    least = min(y / (x * math.log2(x)) for x, y in points)
    return [(x, least * x * math.log2(x)) for x, _ in points]


def proportion(points):
    """Each at the last one's cost."""
    x0, y0 = points[-1]
    return [(x, y0 * x / x0) for x, _ in points]


def masks():
    """A mask against its elements."""
    return [chart.Curve(name, points, levels(points)) for name, points in growth("masks").items()]


def time_of(server, target):
    """Processor time of a request, the median of some rounds."""
    return statistics.median(measuring.time_a_request(server, target, seconds=0.4)[0] for _ in range(ROUNDS))


def requests(calls):
    """A request against its masks; the limit is the library's call."""
    with measuring.Daemon("--threads", "1", "--io-threads", "1", "--log", "off") as server:
        for shape, limit in calls.items():
            measuring.warm(server, MASKS.format(shape, 16))
            yield chart.Curve(shape.replace("x", " × "),
                              [(n, time_of(server, MASKS.format(shape, n))) for n in COUNTS], limit)


def batches():
    """A batch of views of pictures against its rows."""
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as stack:
        tiles.write(pathlib.Path(root, "pictures"), 2)
        subprocess.run([measuring.harness.program(), "import", f"{root}/sets/set", "--from", "folder",
                        f"{root}/pictures", "--store", "files"], check=True, stderr=subprocess.DEVNULL)
        server = stack.enter_context(measuring.Daemon("--data", f"{root}/sets", "--threads", "1", "--io-threads",
                                                      "1", "--log", "off"))
        for side in (224, 64):
            measuring.warm(server, BATCH.format(256, side))
            points = [(rows, time_of(server, BATCH.format(rows, side))) for rows in ROWS]
            yield chart.Curve(f"views of {side} × {side}", points, proportion(points))


def throughput(call):
    """Requests a second against connections, by the clock, and the daemon's time of each; the limit is
    what the library would do on so many threads."""
    target = MASKS.format("32x32", CALL)
    for threads in THREADS:
        with measuring.Daemon("--threads", str(threads), "--queue", str(2 * max(CONNECTIONS)), "--log",
                              "off") as server:
            measuring.warm(server, target)
            # So long that each asks some times, and the beginning of a connection counts little.
            seen = [measuring.time_a_request(server, target, connections, max(2, connections / 256))
                    for connections in CONNECTIONS]
        rates = [(connections, rate) for connections, (_, rate) in zip(CONNECTIONS, seen)]
        yield (chart.Curve(f"{threads} thread{'s' * (threads > 1)}", rates,
                           [(connections, threads * 1e9 / call) for connections in CONNECTIONS]),
               [(connections, nanoseconds) for connections, (nanoseconds, _) in zip(CONNECTIONS, seen)])


def microseconds(points):
    """As a row of LOG.md has them."""
    return " · ".join(f"{float(f'{y / 1e3:.3g}'):,.10g}" for _, y in points)


def figures(beside, sized, counted, rowed, rates):
    """What LOG.md has of them."""
    lines = [beside, "", "| processor time, µs | at | measured |", "|---|---|---|"]
    for curve in sized:
        lines.append(f"| a mask, {curve.label} | N = {places(curve.points)} | {microseconds(curve.points)} |")
    for curve in counted:
        lines.append(f"| a request, {curve.label} | n = {places(curve.points)} | {microseconds(curve.points)} |")
        lines.append(f"| the library's call for as many | the same | {microseconds(curve.limit)} |")
    for curve in rowed:
        lines.append(f"| a batch, {curve.label} | rows = {places(curve.points)} | {microseconds(curve.points)} |")
    for curve, times in rates:
        lines.append(f"| a request for {CALL} masks of 32², {curve.label} | connections = {places(times)} | "
                     f"{microseconds(times)} |")
        lines.append(f"| requests a second, by the clock; limit {curve.limit[0][1]:,.0f} | the same | "
                     f"{' · '.join(f'{y:,.0f}' for _, y in curve.points)} |")
    return "\n".join(lines) + "\n"


def places(points):
    """First and last, and by how much each is more than the one before."""
    steps = {round(b[0] / a[0], 3) for a, b in zip(points, points[1:])}
    return f"{points[0][0]} … {points[-1][0]} by {min(steps):g}"


def main():
    """Measures and writes."""
    drawing, log = map(pathlib.Path, sys.argv[1:])
    place, beside = page.Place(log, "cost"), page.beside()
    calls = growth("calls")
    sized, counted, rowed = masks(), list(requests(calls)), list(batches())
    rates = list(throughput(dict(calls["32x32"])[256] * CALL / 256))
    plots = [chart.Plot("One mask (dashed: N log N)", "elements N", sized, (0, 0)),
             chart.Plot("A request for n masks (dashed: the library's call)", "masks n", counted, (1, 0)),
             chart.Plot("A batch of views of pictures (dashed: in proportion)", "rows", rowed, (0, 1)),
             chart.Plot("Requests a second (dashed: the library's calls)",
                        f"connections, each with requests for {CALL} masks of 32 × 32",
                        [curve for curve, _ in rates], (1, 1), chart.power)]
    text = figures(beside, sized, counted, rowed, rates)
    print(text)
    place.put(text)
    drawing.write_text(chart.picture(plots, 2, 2), encoding="utf-8")


if __name__ == "__main__":
    main()
