"""Means over seeds, with the interval of Student's t distribution. Standard library only."""
import math
import statistics
from dataclasses import dataclass


def t_cdf(t, degrees):
    """Of whole degrees of freedom, by its finite sum (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(1 + odd, degrees, 2):
        total += term
        term *= cosine**2 * k / (k + 1)
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return 0.5 + inside / 2


def t_quantile(probability, degrees):
    low, high = 0.0, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, degrees) < probability else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Summary:
    n: int
    mean: float
    deviation: float | None  # of the sample; None of one value
    half_width: float | None  # of the 95 % interval of the mean


def summary(values):
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return Summary(n, mean, None, None)
    deviation = statistics.stdev(values)
    return Summary(n, mean, deviation, t_quantile(0.975, n - 1) * deviation / math.sqrt(n))


def paired(first, second):
    """Summary of differences second - first of the seeds that both have. first, second: by seed."""
    common = sorted(set(first) & set(second))
    return summary([second[seed] - first[seed] for seed in common]) if common else None
