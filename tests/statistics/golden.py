"""Makes golden.tsv: what SciPy and statsmodels say. Run by a person, with the versions that the table names:

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0 && venv/bin/python golden.py
"""

import itertools
import math
import os
import random

import numpy
import scipy
import statsmodels
from scipy.stats import PermutationMethod, mannwhitneyu, norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_effectsize

random.seed(7)
rows = []


def row(kind, *cells):
    rows.append("\t".join([kind, *(cell if isinstance(cell, str) else repr(float(cell)) for cell in cells)]))


def values(numbers):
    return " ".join(repr(float(number)) for number in numbers)


def sample(size, shift=0.0, digits=9):
    return [round(random.lognormvariate(0.0, 0.5) + shift, digits) for _ in range(size)]


def greater(x, y, **how):
    return mannwhitneyu(x, y, alternative="greater", **how).pvalue


def with_u(n, m, u):
    """Samples of these sizes without ties, whose U is `u`."""
    ranks = list(range(1, n + 1))
    for at in reversed(range(n)):
        step = min(m, u)
        ranks[at] += step
        u -= step
    return ranks, [rank for rank in range(1, n + m + 1) if rank not in ranks]


def bounds(x, y, tail):
    """Moses: the pairwise differences that the exact test does not refuse."""
    pairs = sorted(a - b for a, b in itertools.product(x, y))
    k = 0
    while mannwhitneyu(*with_u(len(x), len(y), k), alternative="less", method="exact").pvalue <= tail:
        k += 1
    median = float(numpy.median(pairs))
    return (median, "-", "-") if k == 0 else (median, pairs[k - 1], pairs[len(pairs) - k])


for tail in [0.5, 0.25, 0.1, 0.05, 0.025, 0.0125, 0.005, 0.001, 1e-6, 1e-12]:
    row("normal", tail, norm.isf(tail))
for n, m, shift in [(3, 3, 2.0), (4, 4, 0.3), (5, 4, -0.5), (8, 6, 0.2), (10, 10, 0.4), (20, 20, 0.3), (20, 20, 5.0)]:
    x, y = sample(n, shift), sample(m)
    row("exact", values(x), values(y), greater(x, y, method="exact"))
for n, m, digits in [(4, 4, 0), (5, 5, 0), (6, 5, 1), (8, 8, 0), (9, 9, 0)]:
    x, y = sample(n, 0.5, digits), sample(m, 0.0, digits)
    row("exact", values(x), values(y), greater(x, y, method=PermutationMethod(n_resamples=math.inf)))
zeros, mostly = [0.0] * 10, [0.05] * 7 + [0.0] * 3
row("exact", values(mostly), values(zeros), greater(mostly, zeros, method=PermutationMethod(n_resamples=math.inf)))
for n, m, shift, digits in [(21, 20, 0.2, 9), (40, 30, 0.1, 9), (60, 60, 0.0, 1), (100, 90, 0.2, 0), (25, 25, 0.0, 0)]:
    x, y = sample(n, shift, digits), sample(m, 0.0, digits)
    row("normal-test", values(x), values(y), greater(x, y, method="asymptotic"))
for n, m, tail in [(3, 3, 0.05), (3, 3, 0.025), (4, 4, 0.025), (5, 5, 0.05), (5, 7, 0.025), (10, 10, 0.05), (14, 9, 0.01), (20, 20, 0.05)]:
    x, y = sample(n, 0.3), sample(m)
    row("shift", values(x), values(y), tail, *bounds(x, y, tail))
for hits, of, other, of_other, tail in [
    (56, 70, 48, 80, 0.025), (9, 10, 3, 10, 0.025), (0, 10, 0, 20, 0.025), (10, 10, 0, 10, 0.025), (5, 56, 0, 29, 0.05),
    (2100, 60000, 0, 540000, 0.05), (30, 60000, 270, 540000, 0.025), (1, 12, 2, 9, 0.0125), (600, 6000, 6000, 60000, 0.05),
]:
    low, high = confint_proportions_2indep(hits, of, other, of_other, compare="diff", method="newcomb", alpha=2 * tail)
    row("newcombe", hits, of, other, of_other, tail, low, high, proportion_effectsize(hits / of, other / of_other))
head = f"# SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}; made by golden.py"
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.tsv"), "w") as table:
    table.write("\n".join([head, *rows]) + "\n")
