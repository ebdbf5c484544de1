"""What a few gold labels add, on items without gold; beside a plain regression.

Feeds `docs/how-to/use-gold-labels.md`.
"""

import os
from pathlib import Path
from typing import Any

from benchmarks.harness import Report, not_run

TITLE = "What gold labels add"
SETS = ("ducks", "bird", "zc_us", "rte", "ms", "dog", "llmjudge")
NUMBERS, DRAWS = (10, 20, 50, 100), 10
HALVES = 3
LEAST = 1e-3  # of a probability, in log-loss

NOTES = (
    (
        f"Accuracy and log-loss (probabilities of at least {LEAST}) of items without "
        f"gold, means over {DRAWS} random draws of gold labels, at most half of all. "
        "Without gold: `auto`. With gold: the same fit, corrected. All labels are "
        "numbers, which are taken for ordered."
    ),
    (
        "Regression: scikit-learn's `LogisticRegression` of the label on who said "
        "what, learned from the items with gold alone; a label that is not among them "
        "has no chance. Best annotator: who is right most often on the items with gold "
        "(of at least five that they answered); the fit where they gave no answer."
    ),
)


def gold(*, quick: bool, repeats: int) -> Report:
    """Correct fits by draws of gold labels."""
    del repeats
    folder = os.environ.get("CONSILIENCE_DATA")
    if quick or folder is None:
        return not_run(TITLE)
    return Report(TITLE, [row for name in SETS for row in _rows(folder, name)], NOTES)


def _rows(folder: str, name: str) -> list[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    from consilience.fitting.automatic import fit_auto
    from consilience.fitting.gold import learn
    from consilience.fitting.gold_columns import gold_of
    from consilience.fitting.request import Request, Study
    from consilience.fitting.with_gold import start_of
    from consilience.progress import silent
    from consilience.spaces import space_of

    responses, truth, labels = _read(folder, name)
    request = Request()
    space = Study.read(responses).with_copies(request.copies).space()
    start = start_of(fit_auto(space, request, silent)[0])
    before = start.truth
    items = pd.Index(space.unit_item.astype(str))
    right = np.full(len(items), -1)
    right[items.get_indexer(truth["item"])] = pd.Index(labels).get_indexer(
        truth["label"]
    )
    known = np.flatnonzero(right >= 0)
    table = []
    for number in NUMBERS:
        scores: dict[str, list[tuple[float, float]]] = {}
        for seed in range(DRAWS):
            generator = np.random.default_rng(seed)
            size = min(number, len(known) // 2)
            given = generator.choice(known, size, replace=False)
            rest = np.setdiff1d(known, given)
            rows = truth[truth["item"].isin(items[given])]
            found = gold_of(space, space_of(responses, gold=rows))
            taught, _ = learn(space, start, found, generator, ordered=True)
            stated = {
                "without": before.probability[rest],
                "with gold": taught.corrected(space, start, 0.9).probability[rest],
                "regression": _regression(space, given, rest, right, len(labels)),
                "best annotator": _best(space, given, right, before)[rest],
            }
            for method, chance in stated.items():
                hit = (chance.argmax(1) == right[rest]).mean()
                p = np.maximum(chance[np.arange(len(rest)), right[rest]], LEAST)
                scores.setdefault(method, []).append((hit, -np.log(p).mean()))
        row: dict[str, Any] = {"set": name, "items": len(known), "gold labels": size}
        for method, values in scores.items():
            accuracy, loss = np.mean(values, 0)
            row[f"{method}: accuracy"] = accuracy
            if method != "best annotator":
                row[f"{method}: log-loss"] = loss
        table.append(row)
    return table


def _read(folder: str, name: str) -> tuple[Any, Any, list[str]]:
    import pandas as pd

    import consilience as cs

    place = Path(folder, "judges" if name == "llmjudge" else "crowd", name)
    answers, truth = (
        pd.read_csv(place / file, dtype=str).iloc[:, :width].set_axis(columns, axis=1)
        for file, width, columns in (
            ("labels.csv", 3, ["item", "annotator", "label"]),
            ("truth.csv", 2, ["item", "label"]),
        )
    )
    truth = truth[truth["item"].isin(answers["item"])].drop_duplicates("item")
    labels = sorted({*answers["label"], *truth["label"]})
    return cs.read(answers, labels=labels), truth, labels


PREDICTED = "What gold labels add to predictions"


def gold_predicted(*, quick: bool, repeats: int) -> Report:
    """Fit half of the items, with gold labels of 50, and predict the other half."""
    del repeats
    folder = os.environ.get("CONSILIENCE_DATA")
    if quick or folder is None:
        return not_run(PREDICTED)
    import numpy as np
    import pandas as pd

    import consilience as cs

    table = []
    for name in SETS:
        responses, truth, labels = _read(folder, name)
        scores: dict[str, list[float]] = {}
        for seed in range(HALVES):
            items = np.random.default_rng(seed).permutation(truth["item"])
            fitted, new = np.array_split(items, 2)
            answers = responses.table
            some, rest = (
                cs.read(answers[answers["item"].isin(each)], labels=labels)
                for each in (fitted, new)
            )
            gold = truth[truth["item"].isin(fitted[:50])]
            for model in ("auto", "hierarchical_dawid_skene"):
                for what, given in (("without", None), ("with gold", gold)):
                    fit = cs.predict(cs.fit(some, model=model, gold=given), rest)
                    table_of = fit.labels().astype({"item": "str", "label": "str"})
                    both = truth[truth["item"].isin(new)].merge(table_of, how="left")
                    chance = both["probability"].fillna(0).clip(LEAST)
                    scores.setdefault(f"{model}, {what}", []).append(
                        -np.log(chance).mean()
                    )
        mean = {what: float(np.mean(losses)) for what, losses in scores.items()}
        table.append({"set": name} | mean)
    frame = pd.DataFrame(table).set_index("set")
    table.append({"set": "mean"} | frame.mean().to_dict())
    note = (
        f"Log-loss (probabilities of at least {LEAST}) of items of one half, by a fit "
        "of the other half and gold labels of 50 items there, at most all; means over "
        f"{HALVES} halves."
    )
    return Report(PREDICTED, table, (note,))


def _best(space: Any, given: Any, right: Any, before: Any) -> Any:
    import numpy as np

    has = np.isin(space.unit, given)
    hit = (space.answer == right[space.unit])[has]
    people = space.num_annotators
    number = np.bincount(space.annotator[has], minlength=people)
    share = np.bincount(space.annotator[has], hit, people) / np.maximum(number, 1)
    best = int(np.argmax(np.where(number >= min(5, len(given)), share, -1)))
    stated = before.probability.copy()
    own = space.annotator == best
    stated[space.unit[own]] = 0.0
    stated[space.unit[own], space.answer[own]] = 1.0
    return stated


def _regression(space: Any, given: Any, rest: Any, right: Any, labels: int) -> Any:
    import numpy as np
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    column = space.annotator.astype(np.int64) * labels + space.answer
    shape = (space.num_units, space.num_annotators * labels)
    answers = csr_array((np.ones(len(column)), (space.unit, column)), shape=shape)
    chance = np.zeros((len(rest), labels))
    if len(set(right[given])) == 1:
        chance[:, right[given][0]] = 1.0
        return chance
    model = LogisticRegression(max_iter=1000).fit(answers[given], right[given])
    chance[:, model.classes_] = model.predict_proba(answers[rest])
    return chance


CONTAINS = "What gold labels add to answers yes, maybe and no"
RATERS, SHARE, RELATIONS = (1, 3, 5, 10, 78), 0.1, 50


def gold_contains(*, quick: bool, repeats: int) -> Report:
    """Correct fits of relations and of reassessed images."""
    del repeats
    folder = os.environ.get("CONSILIENCE_DATA")
    if quick or folder is None:
        return not_run(CONTAINS)
    rows = [*_relations(Path(folder)), *_images(Path(folder))]
    notes = (
        "Log-loss of P(present), clipped at .001, of the pairs without gold, `auto`. "
        f"Relations: {RELATIONS} pairs with gold, means over {DRAWS} draws; images: "
        f"answers to golden images by so many raters each, beside all other answers, "
        f"and a share of {SHARE} of the golden labels; one draw."
    )
    return Report(CONTAINS, rows, (notes,))


def _relations(folder: Path) -> list[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    import consilience as cs
    from benchmarks.contains import FORMS
    from benchmarks.contains_scores import losses

    table = []
    for name, (answers, truth) in FORMS.items():
        place = folder / "contains" / "medical-relations"
        frame, gold = (
            pd.read_csv(place / f"{each}.csv", dtype=str) for each in (answers, truth)
        )
        responses = cs.read(frame, kind="contains")
        gold = gold.rename(columns={"present": "answer"})[["item", "label", "answer"]]
        without = cs.fit(responses)
        scores: list[tuple[float, float]] = []
        for seed in range(DRAWS):
            some = np.random.default_rng(seed).permutation(len(gold))[:RELATIONS]
            rest = gold.drop(gold.index[some])
            fit = cs.fit(responses, gold=gold.iloc[some])
            each = []
            for fitted in (without, fit):
                labels = fitted.labels().astype({"item": str, "label": str})
                both = rest.merge(labels[["item", "label", "probability"]])
                there = (both["answer"] == "yes").to_numpy()
                each.append(losses(both["probability"].to_numpy(), there).mean())
            scores.append((each[0], each[1]))
        before, after = np.mean(scores, 0)
        row = {"study": name, "gold labels": RELATIONS}
        table.append(row | {"without": before, "with gold": after})
    return table


def _images(folder: Path) -> list[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    import consilience as cs
    from benchmarks.contains_scores import losses
    from benchmarks.rated import Study

    study, table = Study(folder), []
    some = np.random.default_rng(0).random(len(study.gold)) < SHARE
    for raters in RATERS:
        frame = pd.concat([study.main, study.drawn(raters, 0)], ignore_index=True)
        responses = study.responses(frame, groups=False)
        row: dict[str, Any] = {"study": f"images, {raters} raters"}
        row["gold labels"] = int(some.sum())
        for name, gold in (("without", None), ("with gold", study.gold[some])):
            fit = cs.fit(responses, gold=gold)
            belief = study.of_golden(fit.labels())
            row[name] = losses(belief[~some], study.present[~some]).mean()
        table.append(row)
    return table
