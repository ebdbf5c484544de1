"""Which labels are valid: a fit of objects against the raters of another study.

The raters of the reassessed ImageNet labels said no, maybe or yes to labels of images
that the multi-label study asked about as well. A label is taken for valid where most of
its raters say yes, or where Dawid and Skene's model of the raters says so.

Feeds `docs/reference/benchmarks-valid-labels.md`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness import Report, not_run, public_data

TITLE = "Which labels are valid, by the raters of another study"
CLIP = 1e-4
SURE = 0.85  # of Dawid and Skene's posterior
FEW = (3, 5, 7)
MOST = 6  # candidates of an image to which judged labels are added
BINS = 10

NOTES = (
    (
        "Images that occur in both studies and for which raters call a label valid; "
        "pairs are their candidates: labels that somebody named, and the data set's. "
        "A candidate that was not rated counts as not valid. Valid: by a majority of "
        "five raters who say yes; or with probability .85 or more by the Dawid-Skene "
        "model (no, maybe, yes) of 85 raters. log-loss is over pairs, with "
        "probabilities clipped at 1e-4 from 0 and 1; F1 (all labels) and Jaccard "
        "index (mean over images) compare the labels with probability .5 or more "
        "with all labels that raters call valid."
    ),
    (
        "Half: images whose name has an even SHA-256 were used to choose the constants "
        "of P(label is valid) (`consilience.objects.response_panels`) by "
        "log-loss, F1 and Jaccard index; the odd ones were not. The factors of the "
        "odds are older and were compared with all images in view, so the odd half is "
        "not an untouched test of them. votes: share of the annotators who named the "
        "label; smoothed: (v + .5) / (n + 1.5). 3, 5 and 7 annotators: the first of "
        "each image in the order of the file, with the parameters fitted to all "
        "annotators; an image's own contribution to the totals is excluded "
        "(`cs.predict`)."
    ),
    (
        "Calibration: labels that raters judged, of the images of the odd half that "
        "both studies asked about, by how many of up to nine annotators named them; "
        "granted: share that is valid. By votes: of images for which raters call a "
        "label valid, as above, which raises the share; the errors are of all images "
        "as well. What the annotators had on screen is not "
        "released, so a judged label that nobody named is no candidate of the fit, "
        "which takes it to be absent (probability 0), unless it is the data set's own. "
        "judged as candidates: another fit, to which judged labels are given as "
        f"candidates of every image that then has {MOST} of them or fewer; of these "
        "images alone. Calibration error: mean distance of the mean probability from "
        "the share granted, weighted by pairs, in ten bins of the probability of equal "
        "width and by votes; named: without the labels that nobody named."
    ),
    (
        "Candidates that nobody names: a simulated study of 300 photographs with "
        "seven candidates each; mean probability of those that are not the main "
        "object, by how many of seven annotators named them, and the accuracy that "
        "`evaluate` assigns to a model that predicts unnamed ones."
    ),
)


def valid_labels(*, quick: bool, repeats: int) -> Report:
    """Fit the study once, and to fewer annotators; judge by the raters."""
    del repeats
    data = public_data("imagenet-multilabel", "reassessed-imagenet", quick=quick)
    columns = {
        "plain": ["item", "label"],
        "with log_odds": ["item", "label", "log_odds"],
    }
    items = 20 if quick else 300
    rows = [row for name in columns for row in _unnamed(name, columns[name], items)]
    more = {"Candidates that nobody names": rows}
    if data is None:
        return Report(TITLE, not_run(TITLE).rows, NOTES, more)
    import consilience as cs

    responses = cs.read(data / "imagenet-multilabel")
    golds, judged = _golds(data / "reassessed-imagenet")
    fit = cs.fit(responses, model="objects", seed=0)
    found = _rows(fit, responses, golds, "all")
    more |= _calibration(fit, responses, golds, judged)
    both = responses.where(responses.table["item"].astype(str).isin(judged["item"]))
    for number in FEW:
        few = _first(both, number)
        found += _rows(cs.predict(fit, few), few, golds, str(number))
    return Report(TITLE, found, NOTES, more)


def _first(responses, number: int):
    """Return the answers of the first annotators of each image."""
    once = responses.table.drop_duplicates("response_id")
    kept = once.groupby("item", observed=True)["response_id"].head(number)
    return responses.where(responses.table["response_id"].isin(kept))


def _golds(folder: Path):
    """Return the valid labels of each image by who says so, and all labels judged."""
    import numpy as np
    import pandas as pd

    with np.load(folder / "raters.npz") as file:
        said, info = file["tensor"], file["info"]
    yes = said[:, :, 2].sum(0) > said.sum((0, 2)) / 2
    pairs = pd.DataFrame(info, columns=["item", "label"])
    return {
        "most raters": pairs[yes],
        "Dawid and Skene": pairs[_dawid_skene(said) >= SURE],
    }, pairs


def _dawid_skene(said):
    """Return P(valid) of each pair, by the raters' confusion (100 iterations)."""
    import numpy as np
    from scipy.special import expit, logit

    rater, pair, answer = np.nonzero(said)
    number, raters = said.shape[1], len(said)
    usual = np.array([[4.0, 0.6, 0.4], [0.5, 0.5, 4.0]])
    share = np.bincount(pair, answer / 2, number) / np.bincount(pair, minlength=number)
    truth = np.clip(share, 0.01, 0.99)
    for _ in range(100):
        counts = np.stack(
            [
                np.bincount(rater * 3 + answer, weight[pair], raters * 3)
                for weight in (1 - truth, truth)
            ]
        ).reshape(2, raters, 3)
        chance = counts + usual[:, None]
        logs = np.log(chance / chance.sum(2, keepdims=True))
        each = logs[1, rater, answer] - logs[0, rater, answer]
        truth = expit(logit(truth.mean()) + np.bincount(pair, each, number))
    return truth


def _labels(fit, responses):
    """Return the labels of each image with their votes, as numbers and shares."""
    table = fit.labels().astype({"item": str, "label": str})
    named = responses.table.astype({"item": str, "label": str})
    votes = named.groupby(["item", "label"])["response_id"].nunique().rename("votes")
    answers = named.groupby("item")["response_id"].nunique()
    table = table.merge(votes.reset_index(), how="left").fillna({"votes": 0})
    number = table["item"].map(answers)
    return table.assign(answers=number, share=table["votes"] / number)


def _rows(fit, responses, golds: Mapping, people: str) -> list[dict]:
    table = _labels(fit, responses)
    rules = {
        "votes": table["share"],
        "smoothed votes": (table["votes"] + 0.5) / (table["answers"] + 1.5),
        "P(label is valid)": table["probability"],
    }
    rows = []
    for who, gold in golds.items():
        for half in (0, 1):
            for name, chance in rules.items():
                row = {"annotators": people, "valid by": who}
                row |= {"half": ("chose", "reported")[half], "rule": name}
                rows.append(row | _metrics(table.assign(p=chance), gold, half))
    return rows


def _calibration(fit, responses, golds: Mapping, judged) -> dict[str, list[dict]]:
    """Return what is granted of labels by their votes, and calibration errors."""
    import pandas as pd

    import consilience as cs

    named = responses.table[["item", "label"]].astype(str)
    there = judged[judged["item"].isin(named["item"])]
    candidates = pd.concat([named, there]).drop_duplicates()
    few = candidates.groupby("item")["label"].transform("size") <= MOST
    candidates = candidates[few]
    more = cs.fit(responses, model="objects", candidates=candidates, seed=0)
    there = there[[_half(name) == 1 for name in there["item"]]]
    by_votes, errors = [], []
    for name, one, pairs in (
        ("all answers", fit, there),
        ("judged as candidates", more, there[there["item"].isin(candidates["item"])]),
    ):
        table = pairs.merge(_labels(one, responses), how="left")
        table = table.fillna({"votes": 0, "share": 0.0, "probability": 0.0})
        for who, gold in golds.items():
            key = pd.MultiIndex.from_frame(gold[["item", "label"]])
            which = pd.MultiIndex.from_frame(table[["item", "label"]])
            given = table.assign(granted=which.isin(key).astype(float))
            usable = given[given["item"].isin(gold["item"])]
            alike = {"fit": name, "valid by": who}
            by_votes += [alike | row for row in _by_votes(usable)]
            for images, some in (("with a valid label", usable), ("all", given)):
                errors += [alike | {"images": images} | row for row in _errors(some)]
    return {"Calibration by votes": by_votes, "Calibration error": errors}


def _by_votes(table) -> list[dict]:
    return [
        {
            "votes": int(votes),
            "pairs": len(each),
            "P(label is valid)": round(float(each["probability"].mean()), 3),
            "share of votes": round(float(each["share"].mean()), 3),
            "granted": round(float(each["granted"].mean()), 3),
        }
        for votes, each in table.groupby("votes")
    ]


def _errors(table) -> list[dict]:
    rows = []
    for pairs, some in (("all", table), ("named", table[table["votes"] > 0])):
        for rule, p in (
            ("P(label is valid)", some["probability"]),
            ("share of votes", some["share"]),
        ):
            bins = (p * BINS).astype(int).clip(upper=BINS - 1)
            row = {"pairs": pairs, "number": len(some), "rule": rule}
            row |= {"ten bins": calibration_error(p, some["granted"], bins)}
            rows.append(
                row | {"by votes": calibration_error(p, some["granted"], some["votes"])}
            )
    return rows


def calibration_error(probability, granted, group) -> float:
    """Return the mean distance of the mean probability from what is granted."""
    gaps = (probability - granted).groupby(group).sum().abs()
    return round(float(gaps.sum() / len(probability)), 4)


def _metrics(table, gold, half: int) -> dict:
    import numpy as np
    import pandas as pd

    there = gold[gold["item"].isin(table["item"])]
    items = pd.Index(there["item"].unique())
    items = items[[_half(name) == half for name in items]]
    pairs, there = (each[each["item"].isin(items)] for each in (table, there))
    key = pd.MultiIndex.from_frame(there[["item", "label"]])
    valid = pd.MultiIndex.from_frame(pairs[["item", "label"]]).isin(key)
    p = pairs["p"].to_numpy(float)
    inside = np.clip(np.where(valid, p, 1 - p), CLIP, 1 - CLIP)
    called = p >= 0.5
    place = items.get_indexer(pairs["item"])
    hit, sets = (np.bincount(place, x, len(items)) for x in (called & valid, called))
    all_valid = np.bincount(items.get_indexer(there["item"]), minlength=len(items))
    return {
        "images": len(items),
        "pairs": len(pairs),
        "log-loss": round(float(-np.log(inside).mean()), 3),
        "F1": round(float(2 * hit.sum() / (sets.sum() + all_valid.sum())), 3),
        "Jaccard": round(float((hit / (sets + all_valid - hit)).mean()), 3),
    }


def _half(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2


def _unnamed(name: str, columns: list[str], items: int) -> list[dict]:
    """Draw a study with candidates that nobody names, and say what becomes of them."""
    import numpy as np
    import pandas as pd

    import consilience as cs

    generator = np.random.default_rng(0)
    names = [f"class{k:03d}" for k in range(100)]
    answers, candidates, main = [], [], []
    for i in range(items):
        item = f"photo{i:03d}"
        shown = [str(each) for each in generator.choice(names, 7, replace=False)]
        main.append((item, shown[0]))
        odds = np.sort(generator.normal(-2, 1.5, 7))[::-1]
        candidates += [(item, *each) for each in zip(shown, odds, strict=True)]
        two = generator.random() < 0.25
        for a in range(7):
            who = f"w{a + 7 * generator.integers(3)}"
            first = shown[0] if generator.random() < 0.8 else shown[1]
            both = two and generator.random() < 0.7
            said = {first} | ({shown[0], shown[1]} if both else set())
            if generator.random() < 0.06:
                said.add(str(generator.choice(shown)))
            answers += [(item, who, each, each == first) for each in sorted(said)]
    frame = pd.DataFrame(answers, columns=["item", "annotator", "label", "main"])
    given = pd.DataFrame(candidates, columns=["item", "label", "log_odds"])
    fit = cs.fit(
        cs.read(frame, kind="objects", labels=names),
        model="objects",
        engine="em",
        candidates=given[columns],
        seed=0,
    )
    votes = frame.groupby(["item", "label"])["annotator"].nunique().rename("votes")
    table = fit.labels().astype({"item": str, "label": str})
    table = table.merge(votes.reset_index(), how="left").fillna({"votes": 0})
    first = pd.MultiIndex.from_tuples(main)
    others = table[~pd.MultiIndex.from_frame(table[["item", "label"]]).isin(first)]
    never = others[others["votes"] == 0].groupby("item")["label"].first().reset_index()
    judged = cs.evaluate(fit, never.assign(rank=1), top=1).models
    accuracy = judged.query("metric == 'accuracy' and subset == 'all'")["value"].item()
    rows = [
        {
            "study": name,
            "what": f"mean P, named by {number:.0f} of 7",
            "number": len(each),
            "value": round(float(each["probability"].mean()), 3),
        }
        for number, each in others.groupby("votes")
    ]
    what = "accuracy of a model that names what nobody named"
    last = {"study": name, "what": what, "number": len(never)}
    return [*rows, last | {"value": round(accuracy, 3)}]
