"""A plot with two logarithmic axes, in SVG."""

import math
from typing import NamedTuple

WIDTH, HEIGHT = 470, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 64, 46
INK, FAINT, GRID = "#24292f", "#6e7781", "#d8dee4"
COLOURS = ["#0969da", "#bc4c00", "#1a7f37"]
SPACE = 150  # of a curve's label


class Curve(NamedTuple):
    """Points, a label, and the limit that they are held against, which is dashed."""

    label: str
    points: list
    limit: list


def decades(values):
    """Whole powers of ten around them."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def power(exponent):
    """10^exponent as text."""
    return "10" + "".join("⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".index(c)] for c in str(exponent))


def time_name(exponent):
    """10^exponent nanoseconds as people say it."""
    unit, base = [("ns", 0), ("µs", 3), ("ms", 6), ("s", 9)][min(exponent // 3, 3)]
    return f"{10 ** (exponent - base)} {unit}"


class Plot:
    """One pair of axes, at a place in the picture; y_name names a decade, of time unless another is told."""

    def __init__(self, title, x_label, curves, place, y_name=time_name):
        points = [point for c in curves for point in c.points + c.limit]
        self.title, self.x_label, self.curves, self.y_name = title, x_label, curves, y_name
        self.left, self.top = place[0] * WIDTH, place[1] * HEIGHT
        self.x_span, self.y_span = decades([x for x, _ in points]), decades([y for _, y in points])

    def x(self, value):
        """Where it lies."""
        low, high = self.x_span
        part = (math.log10(value) - low) / (high - low)
        return self.left + LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        """Where it lies."""
        low, high = self.y_span
        part = (math.log10(value) - low) / (high - low)
        return self.top + HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def path(self, points, style):
        """A line through points."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return f'<polyline points="{places}" fill="none" {style}/>'

    def grid(self):
        """Lines and names of the decades."""
        bottom = self.top + HEIGHT - BOTTOM
        for exponent in range(self.x_span[0], self.x_span[1] + 1):
            x = self.x(10 ** exponent)
            yield line(x, self.top + TOP, x, bottom)
            yield text(x, bottom + 16, power(exponent), "middle")
        for exponent in range(self.y_span[0], self.y_span[1] + 1):
            y = self.y(10 ** exponent)
            yield line(self.left + LEFT, y, self.left + WIDTH - RIGHT, y)
            yield text(self.left + LEFT - 7, y + 4, self.y_name(exponent), "end")

    def draw(self):
        """Everything of it."""
        yield text(self.left + LEFT, self.top + 22, self.title, weight="600", colour=INK)
        yield text(self.left + (LEFT + WIDTH - RIGHT) / 2, self.top + HEIGHT - 10, self.x_label, "middle")
        yield from self.grid()
        for number, curve in enumerate(self.curves):
            colour = COLOURS[number]
            if curve.limit:
                yield self.path(curve.limit, f'stroke="{colour}" stroke-width="1" stroke-dasharray="4 3"')
            yield self.path(curve.points, f'stroke="{colour}" stroke-width="2"')
            for x, y in curve.points:
                yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>'
            x, y = self.left + LEFT + number * SPACE, self.top + 44
            yield f'<circle cx="{x + 4:.1f}" cy="{y - 4:.1f}" r="4" fill="{colour}"/>'
            yield text(x + 14, y, curve.label, colour=INK)


def line(x1, y1, x2, y2):
    """Of the grid."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'


def text(x, y, content, anchor="start", weight="400", colour=FAINT):
    """A few words."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{content}</text>')


def picture(plots, columns, rows):
    """All of them in one."""
    width, height = columns * WIDTH, rows * HEIGHT
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                      f'font-family="system-ui, sans-serif" font-size="12">',
                      f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
                      *(part for plot in plots for part in plot.draw()), "</svg>", ""])
