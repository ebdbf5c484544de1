"""What three or four annotators say of what nine would: shares, and several objects.

Rules that take votes at face value call more main labels other than the data set's, the
fewer annotators there are. Whether an item has several objects is foreseen from one
half of its annotators, and held against what the study's rule says of the other half.
"""

from dataclasses import replace

import numpy as np

from benchmarks.held_out import FOLDS, Study, study
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report
from consilience.intervals import bounds

FEW, ALL, HALF = 3, 9, 4
SEEDS = 10  # of three annotators drawn
DRAWS = 100
PARAMETERS = 20  # draws of them, for what panels of nine find

NOTES = (
    (
        "share: of items whose main label differs from the data set's. At face "
        "value: the label with the most votes (the first on a tie), of three "
        "annotators drawn at random (mean of ten draws) and of all nine. ties drawn: "
        "of nine in random order, as `human_confusion` breaks ties (mean of ten)."
    ),
    (
        "several, and share of these: images about which nine have answered, so that "
        "all nine are known. several: share of images in whose answers the most "
        "frequent number of labels is above one, ties drawn (mean of ten), and that "
        "from the first three of those drawn. model objects: fitted to three "
        "annotators, what panels of nine find, those three among them "
        "(`judged_several` and `differs` of the draws of all items), with 20 draws of "
        "the parameters by the posterior bootstrap; 90 % intervals. "
        "held: drawings of ten whose interval holds the value from nine."
    ),
    (
        "human_confusion, three told: its table `panels`, learned from three "
        "annotators; 90 % intervals."
    ),
    (
        "halves: from four annotators it is predicted whether most of four others "
        "name several labels, by the study's rule; Brier score and calibration error "
        "(ten bins). calibrated: the frequency of this event in the other folds, "
        "among items with as many annotators who name several. The model answers two "
        "questions: what a new panel of four finds by that rule (the question that "
        "is scored), and whether more than half of all annotators would name two "
        "objects or more."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Say what few annotators say of many."""
    del repeats
    title = "From three or four annotators to nine"
    folder = public_data("imagenet-multilabel", quick=quick)
    if folder is None:
        return not_run(title)
    data = folder / "imagenet-multilabel"
    import consilience as cs

    responses = cs.read(data)
    given = study(responses)
    generator = np.random.default_rng(0)
    few = [drawn(given, FEW, generator) for _ in range(SEEDS)]
    plain = [share_at_face_value(given, those) for those in few]
    drawn_ties = np.mean(
        [share_at_face_value(given, drawn(given, ALL, generator)) for _ in few]
    )
    rows = [
        _row("share", "votes at face value, nine", share=share_at_face_value(
            given, given.by_item)),
        _row("share", "votes at face value, nine, ties drawn", share=drawn_ties),
        _row("share", "votes at face value, three", share=np.mean(plain)),
        *(
            _row("share", f"human_confusion, three told, drawing {number}",
                 **by_naming(responses, those))
            for number, those in enumerate(few, 1)
        ),
    ]  # fmt: skip
    rows += of_panels(responses)
    one, other = halves(given, generator)
    rows += [_row("halves", **each) for each in of_halves(given, one, other)]
    rows += [
        _row("halves", **each)
        for each in several_by_model(given, responses, one, other)
    ]
    return Report(title, rows, NOTES)


def _row(question: str, method: str, **figures) -> dict:
    names = ("share", "lower", "upper", "held", "agree", "log-loss", "Brier", "ECE")
    told = {name: figures.get(name) for name in names}
    return {"question": question, "method": method} | {
        name: None if value is None else round(float(value), 4)
        for name, value in told.items()
    }


def drawn(given: Study, number: int, generator):
    """Draw so many responses about each item."""
    return [generator.permutation(those)[:number] for those in given.by_item]


def main_label(main):
    """Return the label with the most votes, on a tie the first."""
    labels, first, votes = np.unique(main, return_index=True, return_counts=True)
    return labels[np.lexsort((first, -votes))[0]]


def of_panels(responses) -> list[dict]:
    """Return what the model foresees of nine from three, where nine have answered."""
    one = responses.table.drop_duplicates("response_id")
    number = one["item"].value_counts()
    full = number.index[number == ALL]
    responses = responses.where(responses.table["item"].isin(full))
    given = study(responses)
    generator = np.random.default_rng(0)
    few = [drawn(given, FEW, generator) for _ in range(SEEDS)]
    nine = [drawn(given, ALL, generator) for _ in range(SEEDS)]
    foreseen = [_of_nine(_fitted(responses, those, PARAMETERS)) for those in few]
    rows = []
    for question, by_votes, name in (
        ("several", share_several, "judged_several"),
        ("share of these", share_at_face_value, "differs"),
    ):
        value, plain = (
            np.mean([by_votes(given, those) for those in each]) for each in (nine, few)
        )
        intervals = [each[name] for each in foreseen]
        held = sum(each["lower"] <= value <= each["upper"] for each in intervals)
        rows += [
            _row(question, "votes at face value, nine, ties drawn", share=value),
            _row(question, "votes at face value, three", share=plain),
            *(
                _row(question, f"model objects, three told, drawing {number}", **each)
                for number, each in enumerate(intervals, 1)
            ),
            _row(question, f"model objects, held of {SEEDS}", held=held),
        ]
    return rows


def _of_nine(fit) -> dict:
    """Return the shares that a panel of nine finds, those who answered among them."""
    foreseen = {}
    for name in ("judged_several", "differs"):
        draws = fit.data["objects"][name].sel(panel=ALL).to_numpy()
        lower, upper = bounds(draws, 0.9)
        foreseen[name] = {"share": draws.mean(), "lower": lower, "upper": upper}
    return foreseen


def share_several(given: Study, those) -> float:
    """Share of items in which most responses name several labels."""
    return float(np.mean([several(given.sets.size[each]) for each in those]))


def several(sizes) -> bool:
    """Say whether most responses, on a tie the first, name more than one label."""
    return bool(main_label(sizes) > 1)


def share_at_face_value(given: Study, those) -> float:
    """Share of items whose main label is not the data set's, by votes."""
    main = np.array([main_label(given.sets.main[each]) for each in those])
    return float((main != given.own).mean())


def by_naming(responses, those) -> dict:
    """Return the share among panels of nine, as `human_confusion` has it."""
    import consilience as cs

    told = cs.human_confusion(_only(responses, those)).panels([ALL], draws=DRAWS)
    return told[["share", "lower", "upper"]].iloc[0].to_dict()


def halves(given: Study, generator):
    """Split the responses about each item into disjoint halves."""
    parted = [generator.permutation(those) for those in given.by_item]
    return [each[:HALF] for each in parted], [each[HALF : 2 * HALF] for each in parted]


def of_halves(given: Study, one, other) -> list[dict]:
    """Return how well several objects in one half are foreseen from the other."""
    size = given.sets.size
    flag = np.array([several(size[each]) for each in one])
    truth = np.array([several(size[each]) for each in other])
    listers = np.array([(size[each] > 1).sum() for each in one])
    share = listers / HALF
    table = np.zeros(len(truth))
    for held in range(FOLDS):
        train = given.fold != held
        yes = np.bincount(listers[train], truth[train], HALF + 1)
        all_ = np.bincount(listers[train], minlength=HALF + 1)
        table[~train] = ((yes + 0.5) / (all_ + 1))[listers[~train]]
    agree = float((flag == truth).mean())
    methods = {
        "rule of the study": flag.astype(float),
        "share that names several": share,
        "counts of those, calibrated": table,
    }
    return [
        {"method": name, "agree": agree if name.startswith("rule") else None}
        | scores(p, truth)
        for name, p in methods.items()
    ]


def several_by_model(given: Study, responses, one, other) -> list[dict]:
    """Return how what the model says of one half stands to what the other half says."""
    fit = _fitted(responses, one)
    names = responses.table["item"].cat.categories[given.code]
    panel = fit.panel(HALF).set_index("item")["several"].reindex(names).to_numpy()
    counts = fit.object_counts()
    many = counts[np.isclose(counts["tau"], 0.5) & (counts["objects"] > 1)]
    sums = many.groupby("item", observed=False)["probability"].sum()
    half = sums.reindex(names).fillna(0.0).to_numpy()
    size = given.sets.size
    truth = np.array([several(size[each]) for each in other])
    return [
        {"method": name, "agree": ((probability > 0.5) == truth).mean()}
        | scores(probability, truth)
        for name, probability in (
            ("model objects, a panel of four", panel),
            ("model objects, more than half", half),
        )
    ]


def _fitted(responses, those, draws: int = 0):
    """Fit the model to some of the responses."""
    import consilience as cs

    effort = cs.EngineOptions(draws=draws)
    chosen = _only(responses, those)
    return cs.fit(chosen, model="objects", engine="em", seed=0, effort=effort)


def _only(responses, those):
    """Return some of the responses."""
    import pandas as pd

    code = pd.factorize(responses.table["response_id"])[0]
    kept = np.isin(code, np.concatenate(those))
    return replace(responses, table=responses.table[kept].reset_index(drop=True))


def scores(probability, truth) -> dict:
    """Return log-loss (cut at .001), Brier score and calibration error."""
    inside = np.clip(probability, 1e-3, 1 - 1e-3)
    bins = np.minimum((probability * 10).astype(int), 9)
    gaps = np.bincount(bins, probability - truth, 10)
    return {
        "log-loss": round(
            float(-np.log(np.where(truth, inside, 1 - inside)).mean()), 4
        ),
        "Brier": round(float(((probability - truth) ** 2).mean()), 4),
        "ECE": round(float(np.abs(gaps).sum() / len(truth)), 4),
    }
