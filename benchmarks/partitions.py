"""Sums over all partitions of an item's labels: by matrix product, by recursion."""

from benchmarks.measure import Figures, alone
from benchmarks.report import Report

MOST = 10
BY_MATRIX = 8  # nine labels make a matrix of 87 MB
NOTES = (
    (
        "CPU milliseconds per item of log Z and its gradient, the probability of "
        "each block, in double precision, compiled and warm: median of the calls."
    ),
    (
        "`difference` is the largest difference of a block's probability between the "
        "two methods."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    arguments = {"most": 4 if quick else MOST, "times": 2 if quick else 3 * repeats}
    figures = alone(("benchmarks.partitions", "sums", arguments))
    rows = [row for row in figures.values() if isinstance(row, dict)]
    return Report("Sums over partitions, by number of labels", rows, NOTES)


def sums(most: int, times: int) -> Figures:
    """Time both ways at each number of labels."""
    from statistics import median
    from time import process_time

    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.nn import logsumexp

    from consilience.objects.layout.partitions import (
        block_indices,
        by_matrix,
        by_recursion,
    )

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's way)
    generator = np.random.default_rng(0)

    def timed(way, phi):
        slope = jax.jit(jax.grad(lambda phi: logsumexp(way(phi), axis=1).sum()))
        found = slope(phi).block_until_ready()
        taken = []
        for _ in range(times):
            before = process_time()
            slope(phi).block_until_ready()
            taken.append(process_time() - before)
        return 1e3 * median(taken) / len(phi), np.asarray(found)[:, 1:]

    figures: Figures = {}
    for labels in range(2, most + 1):
        items = 512 if labels < 7 else 32
        phi = jnp.asarray(generator.normal(size=(items, 1 << labels)))
        recursion, blocks = timed(by_recursion, phi)
        row = {"labels": labels, "partitions": len(block_indices(labels))}
        row |= {"matrix ms": float("nan"), "recursion ms": recursion}
        row["difference"] = float("nan")
        if labels <= BY_MATRIX:
            row["matrix ms"], same = timed(by_matrix, phi)
            row["difference"] = float(np.abs(blocks - same).max())
        figures[str(labels)] = row
    return figures
