"""The ImageNet multi-label study again: published, by its own rule, and by a posterior.

Every figure that the study published and that its public files can answer, by the rule
that it used (`tsipras2020`, exact) and as the model `objects` estimates it. A figure is
a function of a fit; both fits go through the same functions.

Feeds `docs/explanation/study-reproduced.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import Report, not_run, public_data

TITLE = "The ImageNet multi-label study, reproduced"
MASS = 0.9
LAPTOP, NOTEBOOK = 620, 681
CROCODILE, ALLIGATOR = 49, 50
PICKELHAUBE, UNIFORM = 715, 652
BEST, FIRST = "pnasnet_large_tf", "alexnet"

NOTES = (
    (
        "published: as stated by the authors, or computed from their released "
        "aggregates. rule: `tsipras2020`, equal to those aggregates in every row; 90 "
        "% intervals from 1,000 bootstrap weightings of the images. posterior: the "
        "model `objects` (an object is present if more than half of annotators would "
        "name it) or another model named in the last column; intervals from the same "
        "weightings."
    ),
    (
        "Asked: the 6,761 images of the second stage (Classify). All: the 10,000 "
        "images that the study began with; the others count as one object under the "
        "data set's label. Easy: 2,923 of these, whose label was the only one that "
        "most annotators confirmed."
    ),
    (
        "Models: twelve, with the predictions published by ImageNetV2; four of them "
        "are in the study (alexnet, vgg16, resnet50, densenet161), and "
        "EfficientNet-B7 is not among them. Means are over the twelve."
    ),
    (
        "Why the columns differ: by the rule, an image has as many objects as most "
        "lists have labels, and the most frequent main label; the posterior counts "
        "objects that more than half of annotators would name, with synonyms "
        "grouped, and its main label is that of the population. Events that never "
        "occurred in a class have intervals of zero width, because the bootstrap "
        "reweights what was observed. em returns a point, so intervals ignore the "
        "uncertainty of the parameters. Any object's name: as in the study, a name "
        "that somebody gave the object, also a wrong one; a valid label is a right "
        "name as well. By the rule the two are the same."
    ),
)


@dataclass(frozen=True)
class Row:
    """A quantity: what was published, its denominator, and how a fit tells it."""

    quantity: str
    of: str
    published: str
    told: Callable[[Any], Any]
    form: str = "{:.3f}"


def study(*, quick: bool, repeats: int) -> Report:
    """Fit both, and tell every figure by each."""
    del repeats
    data = public_data("imagenet-multilabel", "imagenetv2", quick=quick)
    if data is None:
        return not_run(TITLE)
    import pandas as pd

    import consilience as cs
    from benchmarks.study_figures import Figures, Images

    responses = cs.read(data / "imagenet-multilabel")
    fits = [
        cs.fit(responses, model=name, seed=0) for name in ("tsipras2020", "objects")
    ]
    images = Images(data, pd.Index(fits[0].items()["item"].astype(str)))
    rule, posterior = (Figures(fit, images) for fit in fits)
    rows = [
        _row(each, each.told(rule), each.told(posterior), "objects") for each in ROWS
    ]
    rows += _confusions(fits, images, responses)
    rows += _pairs(responses, rule)
    return Report(TITLE, rows, NOTES)


def _row(row: Row, rule, posterior, by: str) -> dict[str, str]:
    return {
        "quantity": row.quantity,
        "of": row.of,
        "published": row.published,
        "rule": _estimate(rule, row.form),
        "posterior": _estimate(posterior, row.form),
        "by": by,
    }


def _estimate(values, form: str = "{:.3f}") -> str:
    """Return a value with bounds, from it and its weightings."""
    from consilience.intervals import bounds

    lower, upper = bounds(values[1:], MASS, skip_nan=True)
    between = " to ".join(form.format(each) for each in (lower, upper))
    return f"{form.format(values[0])} ({between})"


def _mean(values):
    return values.mean(1)


def _best(figures, values):
    return values[:, figures.images.models.index(BEST)]


def _drop(figures):
    apart = figures.metric("dataset_accuracy", "one_object")
    return _mean(apart - figures.metric("dataset_accuracy", "several_objects"))


def _drop_from_easy(figures):
    apart = figures.single_and_easy(figures.own_hit)
    return _mean(apart - figures.metric("dataset_accuracy", "several_objects"))


def _drop_by_any(figures):
    apart = figures.single_and_easy(figures.own_hit)
    return _mean(apart - figures.any_object())


def _drop_by_valid(figures):
    apart = figures.single_and_easy(figures.own_hit)
    return _mean(apart - figures.metric("accuracy", "several_objects"))


def _top5_single(figures):
    both = [figures.single_and_easy(h) for h in (figures.own_top, figures.own_hit)]
    return _mean(both[0] - both[1])


def _top5_several(figures):
    apart = figures.metric("dataset_top_5", "several_objects")
    return _mean(apart - figures.any_object())


def _beyond_chance(figures):
    apart = figures.metric("dataset_accuracy", "other_main_label_several")
    return _best(figures, apart) - figures.chance("other_main_label_several")


def _slope(figures):
    """Return the slope of main-label accuracy on top-1 accuracy over the models."""
    full = figures.images.full - figures.images.full.mean()
    main = figures.main_and_easy()
    return main @ full / (full @ full)


def _uniform(figures):
    """Return the accuracy of the best model on the asked pickelhaubes."""
    from consilience.analysis.shares import ratios

    asked = len(figures.proposals.items)
    mine = (figures.images.own[:asked] == PICKELHAUBE).astype(float)
    hit = figures.own_hit[:, figures.images.models.index(BEST), :asked]
    below = mine[None, None]
    return ratios((hit * mine)[:, None], below, figures.of_asked)[:, 0]


ALL, ASKED = "all 10,000", "asked 6,761"
SEVERAL = "asked, several objects"
OTHER = "asked, several objects, another main label"

ROWS = (
    Row("several objects, as nine find by the rule", ALL, "> 20 %; .2156 as counted",
        lambda f: f.panel("several", whole=True)),
    Row("another main label, as nine find", ASKED, ".312 as counted",
        lambda f: f.panel("differs")),
    Row("several objects", ALL, "> 20 %; .2156 as counted",
        lambda f: f.share_of_all("several_objects")),
    Row("several objects", ASKED, "", lambda f: f.share("several_objects")),
    Row("three objects or more", ALL, ".0594 as counted",
        lambda f: f.share_of_all("three_objects") + f.share_of_all("four_objects")),
    Row("another main label", SEVERAL, "a third; .343 as counted",
        lambda f: f.share("other_main_label_several", "several_objects")),
    Row("another main label", ASKED, ".312 as counted",
        lambda f: f.share("other_main_label")),
    Row("top-1, one object less several", "asked", "about .10", _drop),
    Row("top-1, one object less several", "asked and easy", "", _drop_from_easy),
    Row("top-1 of one object less any object's name of several", "asked and easy",
        "about 0", _drop_by_any),
    Row("top-1 of one object less a valid label of several", "asked and easy", "",
        _drop_by_valid),
    Row("top-5 less top-1, one object", "asked and easy", "too generous",
        _top5_single),
    Row("top-5 less any object's name", SEVERAL, "small", _top5_several),
    Row(f"top-1 of {BEST}", OTHER, "much better than chance",
        lambda f: _best(f, f.metric("dataset_accuracy", "other_main_label_several"))),
    Row("one of the objects at random", OTHER, "chance",
        lambda f: f.chance("other_main_label_several")),
    Row(f"{BEST} less chance", OTHER, "> 0", _beyond_chance),
    Row(f"main label named by {BEST}", ASKED, "",
        lambda f: _best(f, f.metric("main_label", "all"))),
    Row("slope of main-label accuracy on top-1", "asked and easy", "< 1", _slope),
    Row("pickelhaube: with another object", "10 of the class", "9 as counted",
        lambda f: f.together(PICKELHAUBE, UNIFORM), "{:.1f}"),
    Row("pickelhaube: main label is military uniform", "9 asked", "9 of 9",
        lambda f: f.called(PICKELHAUBE, UNIFORM)),
    Row(f"pickelhaube: {BEST} says so", "9 asked", "high", _uniform),
    Row("table lamp with a lampshade", "10 of the class", "10",
        lambda f: f.together(846, 619), "{:.1f}"),
    Row("airliner with a wing", "10 of the class", "10",
        lambda f: f.together(404, 908), "{:.1f}"),
    Row("pickup with a car wheel", "10 of the class", "9",
        lambda f: f.together(717, 479), "{:.1f}"),
)  # fmt: skip


def _confusions(fits, images, responses) -> list[dict[str, str]]:
    import consilience as cs

    parts = []
    for fit in fits:
        judged = cs.evaluate(
            fit, images.predictions(), dataset_labels=images.dataset_labels()
        )
        told = judged.confusion(responses.labels)
        parts.append(told.within().set_index(["model", "statistic"]))

    def row(quantity, of, published, who, statistic):
        cells = [part.loc[(who, statistic)] for part in parts]
        both = [f"{c.value:.4f} ({c.lower:.3f} to {c.upper:.3f})" for c in cells]
        named = {"quantity": quantity, "of": of, "published": published}
        return named | {"rule": both[0], "posterior": both[1], "by": "objects"}

    confused = "items called otherwise"
    kept = "superclass of the main label is the data set's"
    inside = "confusions inside a superclass"
    return [
        row(kept, ASKED, ".9275 as counted", "people", "group_kept"),
        row(kept.replace("main", f"{BEST} first"), ASKED, "", BEST, "group_kept"),
        row(inside, f"people, {confused}", ".768 as counted", "people", "inside"),
        row(inside, f"{FIRST}, {confused}", "fewer than people", FIRST, "inside"),
        row(inside, f"{BEST}, {confused}", "fewer than people", BEST, "inside"),
    ]


def _pairs(responses, rule) -> list[dict[str, str]]:
    """Tell pairs that people take for each other, by shares of main labels or votes."""
    import consilience as cs

    table = cs.analysis.human_confusion(responses).table(min_probability=0.0)
    cells = table.set_index(["true_label", "given_label"])
    rows = []
    for name, (own, other), published in (
        ("notebook called laptop", (NOTEBOOK, LAPTOP), "ambiguous"),
        ("laptop called notebook", (LAPTOP, NOTEBOOK), "ambiguous"),
        ("African crocodile called American alligator", (CROCODILE, ALLIGATOR), ""),
        ("American alligator called African crocodile", (ALLIGATOR, CROCODILE), ""),
    ):
        cell = cells.loc[(str(own), str(other))]
        told = f"{cell.probability:.3f} ({cell.lower:.3f} to {cell.upper:.3f})"
        row = {"quantity": name, "of": "asked of the class", "published": published}
        row |= {"rule": _estimate(rule.called(own, other)), "posterior": told}
        rows.append(row | {"by": "human_confusion"})
    return rows
