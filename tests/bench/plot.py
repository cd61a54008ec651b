"""Draws how cost grows: `make plot` measures and writes cost.svg, two plots with logarithmic axes.

Left, one FMix mask against its elements, with N log N through the smallest that the caches hold;
right, a call for n masks against n, with a line in proportion.
"""

import math
import pathlib
import sys
from typing import NamedTuple

import measuring

WIDTH, HEIGHT = 470, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 46, 46
INK, FAINT, GRID = "#24292f", "#6e7781", "#d8dee4"
COLOURS = ["#0969da", "#bc4c00"]


class Curve(NamedTuple):
    """Points, a label, and the guide that belongs to it."""

    label: str
    points: list
    guide: list


def measure():
    """Curves of the left and the right plot, in elements or masks and nanoseconds."""
    squares, cubes, counts = [], [], {}
    for name, x, nanoseconds in measuring.library("cost"):
        kind, which, *_ = name.split("/")
        if kind == "count":
            counts.setdefault(which, []).append((x, nanoseconds))
        else:
            (squares if which == "2" else cubes).append((x, nanoseconds))
    return ([Curve("squares, 16² … 4096²", squares, levels(squares)),
             Curve("cubes, 16³ … 256³", cubes, [])],
            [Curve(f"masks of {name.replace('x', ' × ')}", points, proportion(points))
             for name, points in counts.items()])


def levels(points):
    """N log N through the point at 256²."""
    x0, y0 = points[4]
    return [(x, y0 * x * math.log2(x) / (x0 * math.log2(x0))) for x, _ in points]


def proportion(points):
    """n times the last call's cost a mask."""
    x0, y0 = points[-1]
    return [(x, y0 * x / x0) for x, _ in points]


def decades(values):
    """Whole powers of ten around them."""
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def power(exponent):
    """10^exponent as text."""
    return "10" + "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(c)] for c in str(exponent))


def time_name(exponent):
    """10^exponent nanoseconds as people say it."""
    unit, base = [("ns", 0), ("µs", 3), ("ms", 6), ("s", 9)][min(exponent // 3, 3)]
    return f"{10 ** (exponent - base)} {unit}"


class Plot:
    """One pair of axes at an offset."""

    def __init__(self, title, x_label, curves, offset):
        xs = [x for c in curves for x, _ in c.points]
        ys = [y for c in curves for _, y in c.points]
        self.title, self.x_label, self.curves, self.offset = title, x_label, curves, offset
        self.x_span, self.y_span = decades(xs), decades(ys)

    def x(self, value):
        """Where it lies."""
        low, high = self.x_span
        part = (math.log10(value) - low) / (high - low)
        return self.offset + LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        """Where it lies."""
        low, high = self.y_span
        part = (math.log10(value) - low) / (high - low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def path(self, points, style):
        """A line through points, as far as the axes reach."""
        inside = [(x, y) for x, y in points
                  if self.y_span[0] <= math.log10(y) <= self.y_span[1]]
        text = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in inside)
        return f'<polyline points="{text}" fill="none" {style}/>'

    def grid(self):
        """Lines and names of the decades."""
        for exponent in range(self.x_span[0], self.x_span[1] + 1):
            x = self.x(10 ** exponent)
            yield line(x, TOP, x, HEIGHT - BOTTOM)
            yield text(x, HEIGHT - BOTTOM + 16, power(exponent), "middle")
        for exponent in range(self.y_span[0], self.y_span[1] + 1):
            y = self.y(10 ** exponent)
            yield line(self.offset + LEFT, y, self.offset + WIDTH - RIGHT, y)
            yield text(self.offset + LEFT - 7, y + 4, time_name(exponent), "end")

    def draw(self):
        """Everything of it."""
        yield text(self.offset + LEFT, 18, self.title, weight="600", colour=INK)
        yield text((self.offset * 2 + LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x_label,
                   "middle")
        yield from self.grid()
        for number, curve in enumerate(self.curves):
            colour = COLOURS[number]
            if curve.guide:
                yield self.path(curve.guide,
                                f'stroke="{FAINT}" stroke-width="1" stroke-dasharray="4 3"')
            yield self.path(curve.points, f'stroke="{colour}" stroke-width="2"')
            for x, y in curve.points:
                yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>'
            y = 36
            x = self.offset + LEFT + number * 170
            yield f'<circle cx="{x + 4}" cy="{y - 4}" r="4" fill="{colour}"/>'
            yield text(x + 14, y, curve.label, colour=INK)


def line(x1, y1, x2, y2):
    """Of the grid."""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>')


def text(x, y, content, anchor="start", weight="400", colour=FAINT):
    """A few words."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{content}</text>')


def main():
    """Measures and writes."""
    sizes, counts = measure()
    plots = [Plot("One mask, by its elements (dashed: N log N)", "elements N", sizes, 0),
             Plot("One call for n masks (dashed: in proportion)", "masks n", counts, WIDTH)]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" '
             f'font-family="system-ui, sans-serif" font-size="12">',
             f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for plot in plots:
        parts += plot.draw()
    pathlib.Path(sys.argv[1]).write_text("\n".join(parts + ["</svg>", ""]), encoding="utf-8")
    for curve in sizes + counts:
        print(curve.label + ": " + ", ".join(f"{x:.0f} {y / 1e3:.4g} us" for x, y in curve.points))


if __name__ == "__main__":
    main()
