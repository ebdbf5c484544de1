"""Counts without ids: from 1 to 78 anonymous raters, beside shares of votes.

The golden pairs of the reassessed ImageNet labels as in `benchmarks.contains`, the
raters' ids dropped. What is learned, the distribution of frequencies, is learned from
the main part, 922,045 answers without the golden pairs, and kept.
"""

from benchmarks.contains import RATERS, SEEDS, _rows, _Study
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

OURS = "contains"  # the name by which `_rows` finds what others are compared with
NAMES = {OURS: "contains_counts", "rich": "contains_counts, predictions"}
NOTES = (
    (
        "Means over ten draws of raters (one for 78), as in `contains`, and so are "
        "standard errors, of differences from contains_counts, and ECE. A label is "
        "present if its frequency is above one half, set before anything was looked "
        "at; predictions: what twelve classifiers say, and the label of the data set."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Log-loss of what images contain, by anonymous raters"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    import numpy as np

    import consilience as cs

    study = _Study(data)
    fits = {
        name: cs.fit(
            _anonymous(study, study.main),
            model="contains_counts",
            engine="em",
            candidates=study.known(study.main) if name == "rich" else None,
            effort=cs.Effort(restarts=1),
        )
        for name in NAMES
    }
    shares = cs.selection_frequencies(fits[OURS]).round(4)
    rows = []
    for raters in RATERS:
        said: dict[str, list[np.ndarray]] = {}
        for draw in range(SEEDS if raters < 78 else 1):
            part = study.drawn(raters, draw)
            told = _anonymous(study, part)
            for name, fit in fits.items():
                known = study.known(part) if name == "rich" else None
                found = cs.predict(fit, told, candidates=known)
                said.setdefault(name, []).append(study.of_golden(found.labels()))
            votes = cs.fit(told, model="majority")
            said.setdefault("shares of votes", []).append(
                study.of_golden(votes.labels())
            )
        rows += [
            {**row, "method": NAMES.get(row["method"], row["method"])}
            for row in _rows(raters, said, study, study.image >= 0, "all")
        ]
    seconds = ", ".join(
        f"{NAMES[name]} {fit.data.attrs['seconds']:,.0f} s"
        for name, fit in fits.items()
    )
    whole = "; ".join(
        f"above {row.threshold:g}: observed {row.observed:.4f}, share {row.share:.4f} "
        f"({row.lower:.4f} to {row.upper:.4f})"
        for row in shares.itertuples()
    )
    notes = (f"Fitting the main part: {seconds}", f"Pairs of the main part {whole}")
    return Report(title, rows, (*NOTES, *notes))


def _anonymous(study, rows):
    return study.responses(rows.drop(columns="annotator"), groups=False)
