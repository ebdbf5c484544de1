"""The two products that are all the cost of a sweep, beside two usual ways.

`matrix @ table` sums, for each item, one row of a table an answer (E-step);
`matrix.T @ belief` sums, for each annotator and answer, the items' beliefs (M-step).
"""

from time import perf_counter

from benchmarks.measure import Figures, alone
from benchmarks.report import Report

SIZE = {"items": 200_000, "annotators": 1000, "classes": 10, "per_item": 5}
QUICK = {"items": 100, "annotators": 10, "classes": 3, "per_item": 5}

NOTES = (
    (
        "Milliseconds of one product in double precision, compiled and warm: median "
        "of the calls, alternating in one process. `cost of laying out` is that of "
        "the padded index arrays, of the sort by annotator and answer, and of the "
        "two compressed matrices (SciPy; its products run on one core)."
    ),
    (
        "segment_sum is `jax.ops.segment_sum` over answers, sorted by item for the "
        "E-step and by annotator and answer for the M-step, each with "
        "`indices_are_sorted`."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    size = QUICK if quick else SIZE
    arguments = {**size, "times": 3 if quick else 10 * repeats}
    figures = alone(("benchmarks.products", "products", arguments))
    rows = [
        {"program": name, **row, "times slower": row["both ms"] / ours}
        for ours in [figures["consilience"]["both ms"]]
        for name, row in figures.items()
        if isinstance(row, dict)
    ]
    answers = size["items"] * size["per_item"]
    title = f"Sparse products over {answers:,} answers of {size['classes']} classes"
    return Report(title, rows, NOTES)


def products(
    items: int, annotators: int, classes: int, per_item: int, times: int
) -> Figures:
    """Time all; check that they agree."""
    import jax
    import numpy as np

    from consilience.truth.arrays.incidence import incidence

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's way)
    generator = np.random.default_rng(0)
    row = np.repeat(np.arange(items, dtype=np.int32), per_item)
    column = generator.integers(0, annotators * classes, len(row)).astype(np.int32)
    table = generator.normal(size=(annotators * classes, classes))
    belief = generator.normal(size=(items, classes))
    shape = (items, annotators * classes)

    started = perf_counter()
    matrix = jax.block_until_ready(incidence(row, column, None, shape))
    layout = {"consilience": perf_counter() - started}
    forward, backward = jax.jit(lambda m, x: m @ x), jax.jit(lambda m, x: m.T @ x)
    on_device = jax.device_put(table), jax.device_put(belief)
    pairs = {
        "consilience": (
            lambda: forward(matrix, on_device[0]).block_until_ready(),
            lambda: backward(matrix, on_device[1]).block_until_ready(),
        ),
        "jax.ops.segment_sum": _segments(row, column, shape, on_device, layout),
        "SciPy compressed rows": _compressed(
            row, column, shape, (table, belief), layout
        ),
    }
    _check_agreement(pairs)
    spent = {name: ([], []) for name in pairs}
    for _ in range(times):
        for name, pair in pairs.items():
            for seconds, product in zip(spent[name], pair, strict=True):
                started = perf_counter()
                product()
                seconds.append(perf_counter() - started)
    return {
        name: {
            "E-step ms": 1e3 * float(np.median(along)),
            "M-step ms": 1e3 * float(np.median(across)),
            "both ms": 1e3 * float(np.median(along) + np.median(across)),
            "cost of laying out, ms": 1e3 * layout[name],
        }
        for name, (along, across) in spent.items()
    }


def _segments(row, column, shape, on_device, layout):
    import jax
    import numpy as np

    started = perf_counter()
    order = np.argsort(column, kind="stable")
    by_item = jax.device_put(row), jax.device_put(column)
    by_pair = jax.device_put(column[order]), jax.device_put(row[order])
    layout["jax.ops.segment_sum"] = perf_counter() - started

    def product(size):
        @jax.jit
        def summed(segment, member, rows):
            return jax.ops.segment_sum(
                rows[member], segment, num_segments=size, indices_are_sorted=True
            )

        return summed

    along, across = product(shape[0]), product(shape[1])
    return (
        lambda: along(*by_item, on_device[0]).block_until_ready(),
        lambda: across(*by_pair, on_device[1]).block_until_ready(),
    )


def _compressed(row, column, shape, rows, layout):
    import numpy as np
    from scipy.sparse import csr_array

    table, belief = rows

    started = perf_counter()
    matrix = csr_array((np.ones(len(row)), (row, column)), shape=shape)
    transposed = csr_array(matrix.T)
    layout["SciPy compressed rows"] = perf_counter() - started
    return lambda: matrix @ table, lambda: transposed @ belief


def _check_agreement(pairs):
    import numpy as np

    first, *others = (
        [np.asarray(product()) for product in pair] for pair in pairs.values()
    )
    for other in others:
        for ours, theirs in zip(first, other, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-9)
