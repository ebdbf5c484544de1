"""Counts without ids: from 1 to 78 anonymous raters, beside shares of votes.

The golden pairs of the reassessed ImageNet labels as in `benchmarks.contains`, the
raters' ids dropped. What is learned, the distribution of frequencies, is learned from
the main part, 922,045 answers without the golden pairs, and kept.
"""

from benchmarks.contains_scores import Told, rows
from benchmarks.contains_study import RATERS, draws, study
from benchmarks.harness import Report, not_run, public_data

OURS, RICH = "contains_counts", "contains_counts, predictions"
NOTES = (
    (
        "Means over ten draws of raters (one for 78), with standard errors of "
        "differences from contains_counts and ECE as in `contains`. A label is "
        "present if its frequency is above one half, a threshold fixed in advance; "
        "predictions: those of twelve classifiers, and the label of the data set."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Log-loss of what images contain, by anonymous raters"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    import consilience as cs

    told = study(data)
    fits = {
        name: cs.fit(
            _anonymous(told, told.main),
            model="contains_counts",
            engine="em",
            candidates=told.known(told.main) if name == RICH else None,
            effort=cs.EngineOptions(restarts=1),
        )
        for name in (OURS, RICH)
    }
    shares = cs.selection_frequencies(fits[OURS]).round(4)
    every = told.all_drawn()
    drawn, known = _anonymous(told, every), told.known(every)
    believed = {
        name: cs.predict(fit, drawn, candidates=known if name == RICH else None)
        for name, fit in fits.items()
    }
    believed["shares of votes"] = cs.fit(drawn, model="majority")
    labels = {name: fit.labels() for name, fit in believed.items()}
    table: list[dict] = []
    for raters in RATERS:
        said = {
            name: Told(
                [told.of_golden(each, (raters, d)) for d in range(draws(raters))]
            )
            for name, each in labels.items()
        }
        every_image = told.image >= 0
        table += rows(raters, said, told, every_image, "all", OURS)
    seconds = ", ".join(
        f"{name} {fit.data.attrs['seconds']:,.0f} s" for name, fit in fits.items()
    )
    whole = "; ".join(
        f"above {row.threshold:g}: observed {row.observed:.4f}, share {row.share:.4f} "
        f"({row.lower:.4f} to {row.upper:.4f})"
        for row in shares.itertuples()
    )
    notes = (f"Fitting the main part: {seconds}", f"Pairs of the main part {whole}")
    return Report(title, table, (*NOTES, *notes))


def _anonymous(told, answers):
    return told.responses(answers.drop(columns="annotator"), groups=False)
