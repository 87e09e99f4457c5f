"""Arithmetic that models need for one training row, part by part (docs/performance.md derives it).

A multiply-add counts as two operations. Only what the formulas state is counted, so the share of a
machine's peak is a statement about the whole: work that an implementation adds lowers it.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    length: int  # L
    items: int  # of the catalogue, padding included
    distinct: float  # distinct items in the histories of a batch
    batch: int = 2048
    size: int = 64  # d
    vertical: int = 4  # nv
    horizontal: int = 8  # nh, of each height
    run: int = 1  # consecutive rows that share their windows
    positions: float = 0  # of histories a row, what rows share counted once
    pairs: float = 0  # the same of a position and one that it may look at
    pairs_of_last: float = 0  # the same of a row's last position


def triangle(n):
    return n * (n + 1) // 2


def tetrahedron(n):
    """The windows of all heights together have so many positions."""
    return n * (n + 1) * (n + 2) // 6


def window_positions(s):
    """The same for one of some consecutive rows, where equal windows count once."""
    return sum(h * (s.run + s.length - h) for h in range(1, s.length + 1)) / s.run


def training_parts(s, model="caser"):
    """Operations of a row, forward and backward, by part."""
    return {"caser": caser_parts, "gru4rec": gru4rec_parts, "sasrec": sasrec_parts}[model](s)


def gru4rec_parts(s, hidden=128):
    return {
        "recurrent layer": 18 * s.positions * hidden * (s.size + hidden),
        "dense": 6 * hidden * s.size,
        "cross-entropy": 6 * s.items * s.size,
    }


def sasrec_parts(s, layers=2, inner=256):
    """Of the last layer, only the last position of a row goes beyond keys and values."""
    inside = layers - 1
    projections = 6 * s.size * s.size
    return {
        "keys and values": 2 * projections * s.positions * layers,
        "queries and output": 2 * projections * (s.positions * inside + 1),
        "attention": 12 * s.size * (s.pairs * inside + s.pairs_of_last),
        "feed-forward": 12 * s.size * inner * (s.positions * inside + 1),
        "cross-entropy": 6 * s.items * s.size,
    }


def caser_parts(s):
    items_per_row = s.distinct / s.batch
    taps = s.horizontal * triangle(s.length)
    fc1_inputs = s.vertical * s.size + s.horizontal * s.length
    return {
        "vertical convolution": 6 * s.vertical * s.length * s.size,
        "horizontal convolution, products": 6 * taps * s.size * items_per_row,
        "horizontal convolution, sums": s.horizontal * window_positions(s) + 2 * taps,
        "fc1": 6 * fc1_inputs * s.size,
        "fc2": 6 * 2 * s.size * s.size,
        "cross-entropy": 6 * s.items * s.size,
    }


def author_operations(length, targets, negatives, size, nv, nh):
    """Of a window in the authors' form, forward and backward, nothing shared between windows."""
    horizontal = windows_operations(Shape(length, 0, 0, size=size, horizontal=nh))
    fc1 = 6 * (nv * size + nh * length) * size
    scores = 6 * (targets + negatives) * 2 * size
    return 6 * nv * length * size + horizontal + fc1 + scores


def windows_operations(s):
    """The horizontal convolution without sharing: all windows forward, the winning ones back."""
    forward = 2 * s.horizontal * s.size * tetrahedron(s.length)
    return forward + 4 * s.horizontal * s.size * triangle(s.length)


def evaluation_operations(s, rows):
    """Operations of one ranked row, the model's forward pass included."""
    taps = s.horizontal * triangle(s.length)
    fc1_inputs = s.vertical * s.size + s.horizontal * s.length
    return (
        2 * s.vertical * s.length * s.size
        + 2 * taps * s.size * s.items / rows
        + s.horizontal * tetrahedron(s.length)
        + taps
        + 2 * fc1_inputs * s.size
        + 4 * s.size * s.size
        + 2 * s.items * s.size
    )


# What the library's phases of a step belong to; the first part whose beginning fits counts.
PHASES = (
    ("forward conv_v", "vertical convolution"),
    ("backward conv_v", "vertical convolution"),
    ("forward conv_h", "horizontal convolution"),
    ("backward conv_h", "horizontal convolution"),
    ("forward fc1.weight", "fc1"),
    ("backward fc1.weight", "fc1"),
    ("forward fc2.weight", "fc2"),
    ("backward fc2.weight", "fc2"),
    ("item head", "cross-entropy"),
    ("forward dropout", "dropout"),
    ("backward dropout", "dropout"),
    ("items of the batch", "look-up of vectors"),
    ("forward item_embedding", "look-up of vectors"),
    ("forward user_embedding", "look-up of vectors"),
    ("clear gradients", "sums of gradients"),
    ("sum gradients", "sums of gradients"),
    ("optimizer", "optimizer"),
)
OTHER = "the rest"


def shares(phases):
    """Seconds by phase -> share of each part, largest first, the rest last."""
    parts = {}
    for phase, seconds in phases.items():
        part = next((part for start, part in PHASES if phase.startswith(start)), OTHER)
        parts[part] = parts.get(part, 0.0) + seconds
    total = sum(parts.values())
    ordered = sorted(parts, key=lambda part: (part == OTHER, -parts[part]))
    return {part: parts[part] / total for part in ordered}
