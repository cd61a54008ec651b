"""Accuracy against the number of images that are trained on, as the paper's Fig. 4 has it.

Every network takes the same number of steps, so few images are seen often and many seldom.
"""

import math
import pathlib

import numpy as np

import hosts
import trial

import harness

COUNTS = 250, 1000, 4000, 16000
METHODS = {"none": "#57606a", "mixup": "#bc4c00", "fmix": "#0969da", "fmix,mixup": "#1a7f37"}
SEEN = 64000      # images in all, each time that it is seen counted
WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 40, 46
INK, FAINT, GRID = "#24292f", "#6e7781", "#d8dee4"


def measure(root, path, seeds):
    """Prints the table, and writes the picture."""
    hosts.garments(root, COUNTS)
    print(f"{SEEN:,} images in batches of {trial.BATCH}, whatever the number of different ones; held out, %, "
          f"seeds 0 to {seeds - 1}\n\n| images | " + " | ".join(METHODS) + " |\n|" + "---|" * (len(METHODS) + 1))
    with harness.Server("--data", root) as server, trial.cores() as begin:
        url = "http://{}:{}".format(*server.address)
        promised = {}
        for seed in range(seeds):
            for count in COUNTS:
                for method in METHODS:
                    promised[count, method, seed] = begin(
                        trial.Trial(url, f"garments-{count}", "garments-test", method, seed, SEEN // count),
                        f"{count}, {method}, seed {seed}")
        points = {(count, method): [promised[count, method, seed].result().test for seed in range(seeds)]
                  for count in COUNTS for method in METHODS}
    for count in COUNTS:
        print(f"| {count} | " + " | ".join(spread(points[count, method]) for method in METHODS) + " |")
    draw(points, path)


def deviation(found):
    """Of a sample; of a single one 0."""
    return np.std(found, ddof=min(1, len(found) - 1))


def spread(found):
    """The mean and the standard deviation."""
    return f"{np.mean(found):.2f} ± {deviation(found):.2f}"


class Axes:
    """Where a count and an accuracy lie: counts by their logarithms."""

    def __init__(self, points):
        counts = [count for count, _ in points]
        means = [np.mean(found) + side * deviation(found) for found in points.values() for side in (-1, 1)]
        self.low, self.high = min(counts), max(counts)
        self.bottom, self.top = 2 * math.floor(min(means) / 2), 2 * math.ceil(max(means) / 2)

    def x(self, count):
        """In pixels."""
        return LEFT + math.log(count / self.low) / math.log(self.high / self.low) * (WIDTH - LEFT - RIGHT)

    def y(self, accuracy):
        """In pixels."""
        return HEIGHT - BOTTOM - (accuracy - self.bottom) / (self.top - self.bottom) * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="start", colour=FAINT):
    """A few words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def stroke(x1, y1, x2, y2, colour=GRID):
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def grid(axes, counts):
    """Lines with their numbers."""
    for count in counts:
        yield stroke(axes.x(count), TOP, axes.x(count), HEIGHT - BOTTOM)
        yield text(axes.x(count), HEIGHT - BOTTOM + 16, f"{count:,}", "middle")
    for accuracy in range(axes.bottom, axes.top + 1, 2):
        yield stroke(LEFT, axes.y(accuracy), WIDTH - RIGHT, axes.y(accuracy))
        yield text(LEFT - 7, axes.y(accuracy) + 4, accuracy, "end")


def line(axes, method, found, label_y):
    """One method's: its points with their deviations, and its name at the right end."""
    colour = METHODS[method]
    shift = 3 * (list(METHODS).index(method) - (len(METHODS) - 1) / 2)  # so that deviations stand side by side
    places = [(axes.x(count) + shift, np.mean(some), deviation(some)) for count, some in found.items()]
    yield (f'<polyline points="{" ".join(f"{x:.1f},{axes.y(mean):.1f}" for x, mean, _ in places)}" fill="none" '
           f'stroke="{colour}" stroke-width="2"/>')
    for x, mean, spreads in places:
        yield stroke(x, axes.y(mean - spreads), x, axes.y(mean + spreads), colour)
        yield f'<circle cx="{x:.1f}" cy="{axes.y(mean):.1f}" r="3" fill="{colour}"/>'
    yield text(WIDTH - RIGHT + 12, label_y + 4, method, colour=colour)


def draw(points, path):
    """points: by (count, method), the accuracies of the seeds."""
    axes = Axes(points)
    counts = sorted({count for count, _ in points})
    ends = {method: axes.y(np.mean(points[counts[-1], method])) for method in METHODS}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="system-ui, sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             text(LEFT, 20, f"Accuracy on held-out images, %; each network sees {SEEN:,} in training", colour=INK),
             text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "different images of Fashion-MNIST", "middle"),
             *grid(axes, counts)]
    lowest = TOP - 14
    for method in sorted(METHODS, key=ends.get):
        lowest = max(lowest + 14, ends[method])  # names do not overlap
        parts += line(axes, method, {count: points[count, method] for count in counts}, lowest)
    pathlib.Path(path).write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
