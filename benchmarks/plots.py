#!/usr/bin/env python3
"""Draws docs/plots/*.svg from docs/plots/measurements.json, which ./dev bench --update-docs writes.

    benchmarks/plots.py [measurements.json]

Plain SVG: it takes the reader's dark or light colours, and needs no library.
"""
import json
import math
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 46, 56
GREY = 5  # of STYLE's colours: for what is no measurement
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .axis { stroke: #57606a; stroke-width: 1.2; }
  .line { fill: none; stroke-width: 2.2; }
  .limit { stroke-dasharray: 6 5; stroke-width: 1.6; }
  .c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #1a7f37; }
  .c3 { stroke: #8250df; } .c4 { stroke: #bf3989; } .c5 { stroke: #57606a; }
  .c6 { stroke: #9a6700; }
  circle { stroke-width: 2; fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .grid { stroke: #30363d; } .axis { stroke: #8b949e; }
    .c0 { stroke: #58a6ff; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; }
    .c3 { stroke: #bc8cff; } .c4 { stroke: #f778ba; } .c5 { stroke: #8b949e; }
    .c6 { stroke: #d29922; }
    circle { fill: #0d1117; }
  }
"""


@dataclass
class Series:
    name: str
    points: list  # of (x, y)
    colour: int
    limit: bool = False  # dashed, without markers
    line: bool = True


@dataclass
class Axis:
    label: str
    log: bool = False
    ticks: list = field(default_factory=list)
    low: float = 0.0
    high: float = 1.0

    def fit(self, values):
        if self.log:
            self.low, self.high = min(values) / 1.15, max(values) * 1.15
            if not self.ticks:
                self.ticks = log_ticks(self.low, self.high)
        else:
            self.low = min(0.0, *values)
            step = nice_step(max(values) - self.low)
            self.high = math.ceil(max(values) / step - 1e-9) * step
            if not self.ticks:
                self.ticks = [i * step for i in range(round(self.high / step) + 1)]

    def place(self, value):
        """0 at the axis' low end, 1 at its high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def nice_step(span):
    raw = span / 6
    power = 10 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= raw)


def log_ticks(low, high):
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    many = [m * 10.0**d for d in decades for m in (1, 2, 5)]
    few = [10.0**d for d in decades]
    shown = [t for t in many if low <= t <= high]
    return shown if len(shown) <= 8 else [t for t in few if low <= t <= high]


def tick_text(value):
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"


class Canvas:
    def __init__(self, height=HEIGHT):
        self.height, self.parts = height, []

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def text(self, x, y, content, anchor="middle", kind="", turned=False):
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        name = f' class="{kind}"' if kind else ""
        self.parts.append(
            f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>'
            f"{escape(content)}</text>"
        )

    def path(self, points, kind):
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{steps}"/>')

    def circle(self, x, y, kind):
        self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.6"/>')

    def svg(self, title):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
            f'width="{WIDTH}" height="{self.height}" role="img" aria-label="{escape(title)}">\n'
            f"<style>{STYLE}</style>\n" + "\n".join(self.parts) + "\n</svg>\n"
        )


def chart(title, x_axis, y_axis, series):
    x_axis.fit([x for one in series for x, _ in one.points])
    y_axis.fit([y for one in series for _, y in one.points])
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x, y):
        return (
            LEFT + x_axis.place(x) * (right - LEFT),
            bottom - y_axis.place(y) * (bottom - TOP),
        )

    canvas = Canvas()
    canvas.text(LEFT, 24, title, "start", "title")
    for tick in y_axis.ticks:
        y = bottom - y_axis.place(tick) * (bottom - TOP)
        canvas.line(LEFT, y, right, y, "grid")
        canvas.text(LEFT - 8, y + 4.5, tick_text(tick), "end")
    for tick in x_axis.ticks:
        x = LEFT + x_axis.place(tick) * (right - LEFT)
        canvas.line(x, bottom, x, bottom + 5, "axis")
        canvas.text(x, bottom + 21, tick_text(tick))
    canvas.line(LEFT, bottom, right, bottom, "axis")
    canvas.line(LEFT, TOP, LEFT, bottom, "axis")
    canvas.text((LEFT + right) / 2, HEIGHT - 12, x_axis.label)
    canvas.text(20, (TOP + bottom) / 2, y_axis.label, turned=True)
    for index, one in enumerate(series):
        kind = f"line c{one.colour}" + (" limit" if one.limit else "")
        places = [at(x, y) for x, y in one.points]
        y = TOP + 10 + 22 * index
        if one.line:
            canvas.path(places, kind)
            canvas.line(right + 16, y, right + 42, y, kind)
        if not one.limit:
            for place in places:
                canvas.circle(*place, f"c{one.colour}")
            canvas.circle(right + 29, y, f"c{one.colour}")
        canvas.text(right + 50, y + 4.5, one.name, "start")
    return canvas.svg(title)


def dot_chart(title, label, names, groups, marks):
    """A row for each name, a colour for each group; marks: (name, group, summary) by index."""
    bars = [s.half_width or 0.0 for _, _, s in marks]
    lows = [s.mean - bar for (_, _, s), bar in zip(marks, bars)]
    highs = [s.mean + bar for (_, _, s), bar in zip(marks, bars)]
    axis = Axis(label, ticks=dot_ticks(min(lows), max(highs)))
    axis.low, axis.high = axis.ticks[0], axis.ticks[-1]
    left, right = 240, WIDTH - 150
    canvas = Canvas(TOP + 26 * len(names) + BOTTOM)
    bottom = canvas.height - BOTTOM
    canvas.text(20, 24, title, "start", "title")
    for tick in axis.ticks:
        x = left + axis.place(tick) * (right - left)
        canvas.line(x, TOP, x, bottom, "grid")
        canvas.text(x, bottom + 21, tick_text(tick))
    canvas.line(left, bottom, right, bottom, "axis")
    canvas.text((left + right) / 2, canvas.height - 12, label)
    for index, name in enumerate(names):
        canvas.text(left - 10, TOP + 26 * index + 18, name, "end")
    for index, group in enumerate(groups):
        canvas.circle(right + 16, TOP + 10 + 22 * index, f"c{index}")
        canvas.text(right + 26, TOP + 14.5 + 22 * index, group, "start")
    for (name, group, s), bar in zip(marks, bars):
        y = TOP + 26 * name + 13 + 5 * (group - (len(groups) - 1) / 2)
        ends = [left + axis.place(v) * (right - left) for v in (s.mean - bar, s.mean + bar)]
        canvas.line(ends[0], y, ends[1], y, f"line c{group}")
        canvas.circle(sum(ends) / 2, y, f"c{group}")
    return canvas.svg(title)


def dot_ticks(low, high):
    """From below low to above high, which need not be near 0."""
    step = nice_step(max(high - low, 1e-4))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


def peer_points(result):
    """Microseconds of processor time of RecBole's rows, by history length."""
    points = set()
    for figure in result.get("figures", []):
        if not figure["key"].startswith("training") or "peer" not in figure:
            continue
        peer = figure["peer"]
        rate = peer.get("one_thread_cpu_rate") or peer["value"] / peer["cpu_per_wall"]
        points.add((int(figure["key"].rpartition("=")[2]), 1e6 / rate))
    best = {}
    for length, cost in points:
        best[length] = min(cost, best.get(length, cost))
    return sorted(best.items())


def length_plot(result):
    points = result["sweep"]["length"]
    series = []
    for index, form in enumerate(dict.fromkeys(point["form"] for point in points)):
        own = [(p["length"], p["us_per_row"]) for p in points if p["form"] == form]
        series.append(Series(f"recloom, {form}", own, index))
    first = points[0]["form"]
    limit = [(p["length"], p["limit_us_per_row"]) for p in points if p["form"] == first]
    series.append(Series(f"arithmetic, {first}", limit, 0, limit=True))
    if peer := peer_points(result):
        series.append(Series("RecBole", peer, 4, line=False))
    return chart(
        "Training Caser: processor time of a row",
        Axis("history length L", ticks=[1, 10, 20, 30, 40, 50]),
        Axis("microseconds (log scale)", log=True),
        series,
    )


def catalogue_plot(result):
    points = result["sweep"]["catalogue"]
    return chart(
        "Cross-entropy over all items: processor time of a row, L=10",
        Axis("items in the catalogue (log scale)", log=True),
        Axis("microseconds (log scale)", log=True),
        [
            Series("recloom, rows", [(p["items"], p["us_per_row"]) for p in points], 0),
            Series("arithmetic", [(p["items"], p["limit_us_per_row"]) for p in points], 0, True),
        ],
    )


def threads_plot(result):
    points = result["sweep"]["threads"]
    series = []
    for index, form in enumerate(dict.fromkeys(point["form"] for point in points)):
        own = [(p["threads"], p["rate"]) for p in points if p["form"] == form]
        colour = index if index < GREY else index + 1
        series.append(Series(form, [(n, rate / own[0][1]) for n, rate in own], colour))
    counts = sorted({point["threads"] for point in points})
    series.append(Series("ideal", [(n, n) for n in counts], GREY, limit=True))
    return chart(
        "Speed with more threads, against one",
        Axis("threads", ticks=counts),
        Axis("times one thread"),
        series,
    )


def draw_all(result, folder):
    for name, draw in (
        ("length", length_plot),
        ("catalogue", catalogue_plot),
        ("threads", threads_plot),
    ):
        (Path(folder) / f"{name}.svg").write_text(draw(result), encoding="utf-8")


def main():
    default = Path(__file__).resolve().parents[1] / "docs" / "plots" / "measurements.json"
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    draw_all(json.loads(source.read_text(encoding="utf-8")), source.parent)


if __name__ == "__main__":
    main()
