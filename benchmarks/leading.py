"""The leading question on real raters: odds ratios of a false yes, with intervals.

The main part of the reassessed ImageNet labels, without the golden pairs. Two labels
are similar if classifiers take one for the other: of the images whose label is one, at
least so many of twelve classifiers' first guesses are the other.
"""

from benchmarks.contains_study import learned, study
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

LEAST = (0.05, 0.15)
NOTES = (
    (
        "odds ratio: conditional on annotator and pair; average: of the rates over "
        "all pairs. 90 % intervals, clustered by image and by annotator. Adjusted "
        "for the share of an image's labels that was shown, the predictions of "
        "twelve classifiers and the data set's label, and the similarity of the "
        "rival. What was shown to whom was not randomized."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "The leading question on the reassessed ImageNet labels"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    from benchmarks.context_effect.observational import leading_question

    golden_study = study(data)
    fit = learned(data, "contains, groups and predictions")
    rows = []
    for least in LEAST:
        table = leading_question(fit, golden_study.similar(least)).round(3)
        rows += [{"similar": least, **row} for row in table.to_dict("records")]
    return Report(title, rows, NOTES)
