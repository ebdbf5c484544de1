"""A simulated crowd as a data frame: `task`, `worker`, `label`, all text.

Confusions are drawn from Dirichlets with ten on the diagonal and a half off it, so that
an annotator of ten classes is right some seven times in ten. NumPy alone makes it, so
that no program under test had a hand in it.
"""

from pathlib import Path

OWN, OTHER = 10.0, 0.5


def make(
    *,
    path: str,
    items: int,
    annotators: int,
    classes: int,
    per_item: int,
    seed: int = 0,
) -> dict[str, int]:
    """Write responses to `path` (Parquet), with the truth in a column of its own.

    The annotators of an item differ from each other.
    """
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(seed)
    shape = np.where(np.eye(classes, dtype=bool), OWN, OTHER)
    confusion = generator.standard_gamma(shape, (annotators, classes, classes))
    cumulated = confusion.cumsum(2)
    truth = np.repeat(generator.integers(0, classes, items), per_item)
    first = generator.integers(0, annotators, (items, 1))
    steps = generator.integers(1, annotators // per_item + 1, (items, per_item - 1))
    annotator = np.concatenate([first, first + steps.cumsum(1)], 1) % annotators
    annotator = annotator.ravel()
    point = generator.random(len(truth)) * cumulated[annotator, truth, -1]
    label = (cumulated[annotator, truth] <= point[:, None]).sum(1)
    item = np.repeat(np.arange(items), per_item)
    table = {
        "task": _named("item", item),
        "worker": _named("annotator", annotator),
        "label": _named("class", label),
        "truth": _named("class", truth),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).to_parquet(path)
    return {"responses": len(truth)}


def _named(name, codes):
    import numpy as np
    import pandas as pd

    names = pd.Series([f"{name}{code}" for code in range(int(codes.max()) + 1)])
    return names.astype("str").take(np.asarray(codes)).reset_index(drop=True)
