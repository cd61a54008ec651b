"""Accuracy against the number of images that are trained on, as the paper's Fig. 4 has it.

Every network takes the same number of steps, so few images are seen often and many seldom.
"""

import math
import pathlib

import numpy as np

import hosts
import trial

import harness

COUNTS = 250, 500, 1000, 2000, 4000, 8000, 16000
METHODS = {"none": "#57606a", "mixup": "#bc4c00", "fmix": "#0969da", "fmix,mixup": "#1a7f37"}
SEEN = 64000      # images in all, each time that it is seen counted
WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 40, 46
INK, FAINT, GRID = "#24292f", "#6e7781", "#d8dee4"


def measure(root, path, seeds):
    """Prints the table, and writes the picture."""
    hosts.garments(root, COUNTS)
    print(f"{SEEN:,} images in batches of {trial.BATCH}, whatever the number of different ones; held out, %, "
          f"seeds 0 to {seeds - 1}\n\n| images | " + " | ".join(METHODS) + " |\n|---" * (len(METHODS) + 1) + "|")
    with harness.Server("--data", root) as server, trial.cores() as begin:
        url = "http://{}:{}".format(*server.address)
        promised = {count: {method: [begin(trial.Trial(url, f"garments-{count}", "garments-test", method, seed,
                                                       SEEN // count), f"{count}, {method}, seed {seed}")
                                     for seed in range(seeds)] for method in METHODS} for count in COUNTS}
        points = {}
        for count, by_method in promised.items():
            for method, promises in by_method.items():
                points[count, method] = [promise.result().test for promise in promises]
            print(f"| {count} | " + " | ".join(spread(points[count, method]) for method in METHODS) + " |", flush=True)
    draw(points, path)


def spread(found):
    """The mean and the standard deviation."""
    return f"{np.mean(found):.2f} ± {np.std(found, ddof=min(1, len(found) - 1)):.2f}"


class Axes:
    """Where a count and an accuracy lie: counts by their logarithms."""

    def __init__(self, points):
        counts = [count for count, _ in points]
        means = [np.mean(found) for found in points.values()]
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


def grid(axes, counts):
    """Lines with their numbers."""
    for count in counts:
        yield (f'<line x1="{axes.x(count):.1f}" y1="{TOP}" x2="{axes.x(count):.1f}" y2="{HEIGHT - BOTTOM}" '
               f'stroke="{GRID}"/>')
        yield text(axes.x(count), HEIGHT - BOTTOM + 16, f"{count:,}", "middle")
    for accuracy in range(axes.bottom, axes.top + 1, 2):
        yield (f'<line x1="{LEFT}" y1="{axes.y(accuracy):.1f}" x2="{WIDTH - RIGHT}" y2="{axes.y(accuracy):.1f}" '
               f'stroke="{GRID}"/>')
        yield text(LEFT - 7, axes.y(accuracy) + 4, accuracy, "end")


def line(axes, method, means, label_y):
    """One method's: its points, and its name at the right end."""
    colour = METHODS[method]
    places = [(axes.x(count), axes.y(mean)) for count, mean in means.items()]
    yield (f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" fill="none" '
           f'stroke="{colour}" stroke-width="2"/>')
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    yield text(WIDTH - RIGHT + 10, label_y + 4, method, colour=colour)


def draw(points, path):
    """points: by (count, method), the accuracies of the seeds."""
    axes = Axes(points)
    counts = sorted({count for count, _ in points})
    means = {method: {count: np.mean(points[count, method]) for count in counts} for method in METHODS}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="system-ui, sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             text(LEFT, 20, f"Accuracy on held-out images, %, after {SEEN:,} images seen", colour=INK),
             text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "different images of Fashion-MNIST", "middle"),
             *grid(axes, counts)]
    lowest = TOP - 14
    for method in sorted(METHODS, key=lambda method: -means[method][counts[-1]]):
        lowest = max(lowest + 14, axes.y(means[method][counts[-1]]))  # names do not overlap
        parts += line(axes, method, means[method], lowest)
    pathlib.Path(path).write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
