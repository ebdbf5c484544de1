"""Rates of systems by judges and some people: how often intervals hold, and how wide.

Feeds `docs/reference/benchmarks-other-programs.md`.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import Report, not_run, public_data

TITLE = "Rates of systems: judges corrected by people"
SYSTEMS, ITEMS, STUDIES, PROB = 6, 100, 40, 0.9
DRAWS = {"summeval": 50, "llmjudge": 10}  # of the items that people are shown for
JUDGED = (30, 100, 300)
GOLD, GOLD_DRAWS = (40, 80, 200), 30  # items of public crowds with gold
MODEL = "hierarchical_dawid_skene"
DIMENSIONS = ("coherence", "consistency", "fluency", "relevance")
NOTES = (
    (
        f"Simulated: {STUDIES} studies a row, {SYSTEMS} systems of {ITEMS} items. "
        "Judges are lenient by system and by length; two of three are of one family, "
        "which errs together. Two people err on 5 % of the items that they judge, "
        "drawn at random. What is estimated is the mean of what people would say."
    ),
    (
        f"Held: share of the {PROB:.0%} intervals of systems that hold what is true; "
        "width: their mean; apart: the same of the differences of all pairs. PPI++ is "
        "that of each system by the mean of the judges, with its own weight, and its "
        "systems are independent; Rogan-Gladen has one sensitivity and specificity, of "
        "the votes of judges; the model alone is the posterior of the fit."
    ),
    (
        f"summeval: 16 systems, of which experts are shown for 100 of 1,600 documents, "
        f"{DRAWS['summeval']} draws; llmjudge: 25 queries, assessors shown for 400 of "
        f"4,423 passages, {DRAWS['llmjudge']} draws. The truth is the mean of all that "
        "people said. Order: rank correlation of the estimates with the truth."
    ),
    (
        "Public crowds: the last two labels of each data set, a question each, and "
        f"{GOLD_DRAWS} draws of the items with gold. Groups are made of the truth and "
        "noise, so that their shares differ. Rare: below 15 % or above 85 %. All: the "
        "share of all items together."
    ),
)

# Estimate, lower and upper of each system; lower and upper of each pair's difference.
type Stated = tuple[np.ndarray, ...]


def rates(*, quick: bool, repeats: int) -> Report:
    """Compare intervals on simulated evaluations, and on public ones if there are."""
    del repeats
    if quick:
        return not_run(TITLE)
    made = [
        row
        for scale in (2, 5)
        for number in JUDGED
        for row in _simulated(scale, number)
    ]
    data, more = public_data("judges", quick=quick), {}
    if data is not None:
        more["People and models on the same items"] = [
            row
            for table in (*_summeval(data / "judges"), *_llmjudge(data / "judges"))
            for row in _public(*table)
        ]
        more["Shares of labels in public crowds, with gold for some items"] = [
            *_crowds(data / "crowd")
        ]
    return Report(TITLE, made, NOTES, more)


def evaluation(
    scale: int, number: int, seed: int
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return answers with their system, the system of items, and the true rates."""
    random = np.random.default_rng(seed)
    system = np.repeat(np.arange(SYSTEMS), ITEMS)
    length = random.normal(size=len(system))
    quality = random.normal(size=SYSTEMS)[system] + random.normal(size=len(system))
    cuts = [0.0] if scale == 2 else [-1.5, -0.5, 0.5, 1.5]
    truth = np.searchsorted(cuts, quality)
    lenient = random.normal(0.2, 0.6, SYSTEMS)[system] + 0.4 * length
    family = random.normal(size=len(system))
    given = {}
    for judge, share in (("one", 0.7), ("two", 0.7), ("other", 0.0)):
        alone = random.normal(size=len(system))
        error = np.sqrt(share) * family + np.sqrt(1 - share) * alone
        given[f"judge-{judge}"] = np.searchsorted(cuts, quality + lenient + 0.8 * error)
    shown = random.permutation(len(system))[:number]
    rows = [
        (item, name, each[item])
        for name, each in given.items()
        for item in range(len(system))
    ]
    for person in ("person-a", "person-b"):
        wrong = random.random(len(shown)) < 0.05
        other = (truth[shown] + random.integers(1, scale, len(shown))) % scale
        stated = np.where(wrong, other, truth[shown])
        rows += zip(shown, [person] * number, stated, strict=True)
    answers = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    every = np.arange(scale)
    mean_of_others = (every.sum() - every) / (scale - 1)
    people = 0.95 * truth + 0.05 * mean_of_others[truth]
    true = pd.Series(people).groupby(system).mean().to_numpy()
    return answers.assign(system=system[answers["item"]]), system, true


def intervals(
    answers: pd.DataFrame, people: list[str], groups: int, *, ordered: bool
) -> dict[str, Stated]:
    """Return estimate, lower and upper of each system by each method."""
    import consilience as cs

    columns = {"item": "item", "annotator": "annotator", "label": "label"}
    responses = cs.read(answers, **columns, extras=["system"])
    names = pd.Series(answers["annotator"].unique())
    table = pd.DataFrame({"annotator": names})
    table["group"] = np.where(names.isin(people), "human", "llm")
    fit = cs.fit(responses, annotators=table, model=MODEL, ordered=ordered, seed=0)
    label = None if ordered else str(answers["label"].max())
    stated = cs.rate(fit, reference="human", by="system", label=label, prob=PROB)
    rows = stated.table.iloc[1:].assign(code=lambda t: t["system"].astype(int))
    rows = rows.sort_values("code")
    made: dict[str, Stated] = {
        "consilience": (
            *(rows[c].to_numpy() for c in ("estimate", "lower", "upper")),
            *_differences(stated.differences, groups),
        )
    }
    numbers = answers.assign(label=answers["label"].astype(float))
    person = numbers["annotator"].isin(people)
    judged = numbers[~person].groupby("item")["label"].mean()
    truth = numbers[person].groupby("item")["label"].mean()
    system = numbers.groupby("item")["system"].first()
    made["PPI++"] = _ppi(judged, truth.reindex(judged.index), system, groups)
    if not ordered:
        made["Rogan-Gladen"] = _rogan_gladen(judged, truth, system, groups)
    made["model alone"] = _model_alone(fit, system, groups)
    return made


def _pairs(groups: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(groups, 1)


def _differences(table: pd.DataFrame, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of each pair's difference, the lower code first."""
    first, second = (table[c].to_numpy(int) for c in ("system", "other_system"))
    bounds = table[["lower", "upper"]].to_numpy()
    bounds = np.where((first < second)[:, None], bounds, -bounds[:, ::-1])
    lower, upper = np.full((2, groups, groups), np.nan)
    places = np.minimum(first, second), np.maximum(first, second)
    lower[places], upper[places] = bounds.T
    return lower[_pairs(groups)], upper[_pairs(groups)]


def _ppi(judged: pd.Series, truth: pd.Series, system: pd.Series, groups: int) -> Stated:
    """Return the power-tuned estimate of each system (Angelopoulos et al. 2023)."""
    from scipy.stats import norm

    rows = []
    for code in range(groups):
        f = judged[system == code].to_numpy()
        y = truth[system == code].to_numpy()
        shown = np.isfinite(y)
        n, unseen = shown.sum(), (~shown).sum()
        if n < 2:
            rows.append([np.nan] * 3)
            continue
        both = np.cov(y[shown], f[shown])
        spread = f.var(ddof=1)
        weight = both[0, 1] / spread / (1 + n / max(unseen, 1)) if spread > 0 else 0.0
        mean = y[shown].mean() + weight * (f[~shown].mean() - f[shown].mean())
        left = (y[shown] - weight * f[shown]).var(ddof=1) / n
        error = np.sqrt(left + weight**2 * spread / max(unseen, 1))
        far = norm.ppf((1 + PROB) / 2) * error
        rows.append([mean, mean - far, mean + far])
    mean, lower, upper = np.array(rows).T
    one, other = _pairs(groups)
    far = np.hypot((upper - lower)[one], (upper - lower)[other]) / 2
    apart = mean[one] - mean[other]
    return mean, lower, upper, apart - far, apart + far


def _rogan_gladen(
    judged: pd.Series, truth: pd.Series, system: pd.Series, groups: int
) -> Stated:
    """Return shares corrected for sensitivity and specificity, by the delta method."""
    from scipy.stats import norm

    vote = (judged > 0.5).astype(float)
    shown = vote.reindex(truth.index)
    good = truth >= 0.5
    hits, n1 = shown[good].sum() + 1, good.sum() + 2
    rejected, n0 = (1 - shown[~good]).sum() + 1, (~good).sum() + 2
    sensitivity, specificity = hits / n1, rejected / n0
    slope = sensitivity + specificity - 1
    rows = []
    for code in range(groups):
        share = vote[system == code]
        mean = (share.mean() + specificity - 1) / slope
        variance = (
            share.mean() * (1 - share.mean()) / len(share)
            + mean**2 * sensitivity * (1 - sensitivity) / n1
            + (1 - mean) ** 2 * specificity * (1 - specificity) / n0
        ) / slope**2
        far = norm.ppf((1 + PROB) / 2) * np.sqrt(variance)
        rows.append(np.clip([mean, mean - far, mean + far], 0, 1))
    return (*np.array(rows).T, *np.full((2, len(_pairs(groups)[0])), np.nan))


def _model_alone(fit: Any, system: pd.Series, groups: int) -> Stated:
    """Return means of joint draws of the truth."""
    drawn = fit.draws("truth")
    values = drawn.transpose(..., "item").to_numpy().astype(float)
    values = values.reshape(-1, drawn.sizes["item"])
    items = pd.Index(drawn["item"].to_numpy()).astype(str)
    code = system.set_axis(system.index.astype(str)).reindex(items).to_numpy()
    means = np.stack([values[:, code == each].mean(1) for each in range(groups)], 1)
    one, other = _pairs(groups)
    bounds = [
        np.quantile(each, [(1 - PROB) / 2, (1 + PROB) / 2], axis=0)
        for each in (means, means[:, one] - means[:, other])
    ]
    return means.mean(0), *bounds[0], *bounds[1]


def _simulated(scale: int, number: int) -> list[dict[str, Any]]:
    each: dict[str, list[Any]] = {}
    for seed in range(STUDIES):
        answers, _, true = evaluation(scale, number, seed)
        made = intervals(answers, ["person-a", "person-b"], SYSTEMS, ordered=scale > 2)
        for name, stated in made.items():
            each.setdefault(name, []).append((*stated, true))
    head = {"answers": "pass or fail" if scale == 2 else "1 to 5", "judged": number}
    return [{**head, "method": name, **_figures(rows)} for name, rows in each.items()]


def _figures(rows: list[Any]) -> dict[str, float]:
    columns = (np.array(each) for each in zip(*rows, strict=True))
    mean, lower, upper, low, high, true = columns
    one, other = _pairs(true.shape[1])
    return {
        **_held(lower, upper, true, ""),
        "error": float(np.sqrt(np.nanmean((mean - true) ** 2))),
        **_held(low, high, true[:, one] - true[:, other], " apart"),
    }


def _held(
    lower: np.ndarray, upper: np.ndarray, true: np.ndarray, what: str
) -> dict[str, float]:
    """Return how often intervals hold what is true, and their mean width."""
    there = np.isfinite(lower)
    if not there.any():
        return {}
    held = (lower <= true) & (true <= upper)
    width = (upper - lower)[there].mean()
    return {f"held{what}": float(held[there].mean()), f"width{what}": float(width)}


def _summeval(folder: Path) -> Iterator[tuple[str, pd.DataFrame, list[str], int]]:
    """Give each dimension's ratings of systems, who the people are, and how many."""
    table = pd.read_csv(folder / "summeval" / "labels.csv", dtype=str)
    part = table["item"].str.rsplit("__", n=2, expand=True)
    table["label"] = table["label"].astype(float).round().astype(int)
    table["system"] = pd.factorize(part[1])[0]
    people = [*table.loc[table["group"] == "human", "annotator"].unique()]
    for name in DIMENSIONS:
        rows = table[part[2] == name].reset_index(drop=True)
        yield f"summeval, {name}", rows, people, 100


def _llmjudge(folder: Path) -> Iterator[tuple[str, pd.DataFrame, list[str], int]]:
    """Give the relevance of passages to queries, by models and an assessor."""
    judges = pd.read_csv(folder / "llmjudge" / "labels.csv")
    truth = pd.read_csv(folder / "llmjudge" / "truth.csv").assign(worker="assessor")
    rows = pd.concat([judges, truth], ignore_index=True)
    rows = rows.set_axis(["item", "annotator", "label"], axis=1)
    rows["system"] = pd.factorize(rows["item"].str.split("/").str[0])[0]
    yield "llmjudge", rows, ["assessor"], 400


def _public(
    name: str, rows: pd.DataFrame, people: list[str], number: int
) -> Iterator[dict[str, Any]]:
    """Give how each method does where most of people's answers are hidden."""
    from scipy.stats import spearmanr

    by_people = rows["annotator"].isin(people)
    mean = rows[by_people].groupby(["system", "item"])["label"].mean()
    true = mean.groupby(level="system").mean().to_numpy()
    items = rows.loc[by_people, "item"].unique()
    each: dict[str, list[Any]] = {}
    for seed in range(DRAWS[name.split(",", maxsplit=1)[0]]):
        shown = np.random.default_rng(seed).choice(items, number, replace=False)
        some = rows[~by_people | rows["item"].isin(shown)]
        made = intervals(some, people, len(true), ordered=True)
        for method, stated in made.items():
            each.setdefault(method, []).append((*stated, true))
    for method, stated in each.items():
        order = [spearmanr(row[0], true, nan_policy="omit")[0] for row in stated]
        figures = {**_figures(stated), "order": float(np.mean(order))}
        yield {"data": name, "method": method, **figures}


def _crowds(folder: Path) -> Iterator[dict[str, Any]]:
    """Give how intervals of shares hold where gold of some items is the reference."""
    each: dict[tuple[Any, ...], list[Any]] = {}
    for path in sorted(folder.glob("*/truth.csv")):
        for head, figures in _crowd(path.parent):
            each.setdefault(head, []).append(figures)
    for head, questions in sorted(each.items()):
        names = ("labels", "groups", "gold", "method")
        means = pd.DataFrame(questions).mean()
        yield {**dict(zip(names, head, strict=True)), "of": len(questions), **means}


def _crowd(folder: Path) -> Iterator[tuple[tuple[Any, ...], dict[str, float]]]:
    """Give what was asked of a crowd, and how often the intervals hold."""
    import consilience as cs

    columns = ["item", "annotator", "label"]
    answers = pd.read_csv(folder / "labels.csv").set_axis(columns, axis=1)
    gold = pd.read_csv(folder / "truth.csv").set_axis(["item", "label"], axis=1)
    gold = gold.dropna().drop_duplicates("item")
    answers = answers[answers["item"].isin(gold["item"])].reset_index(drop=True)
    gold = gold[gold["item"].isin(answers["item"])].reset_index(drop=True)
    random = np.random.default_rng(0)
    fit = (
        cs.fit(cs.read(answers.astype(str)), model=MODEL, seed=0) if len(gold) else None
    )
    for label in sorted(gold["label"].unique())[-2:]:
        truth = (gold["label"] == label).astype(float)
        votes = (answers["label"] == label).groupby(answers["item"]).mean()
        votes = votes.reindex(gold["item"]).reset_index(drop=True)
        rank = (0.8 * truth + random.normal(size=len(gold))).rank() - 1
        sort = "other" if 0.15 <= truth.mean() <= 0.85 else "rare"
        for groups, number in product((2, 6), GOLD):
            if len(gold) < 1.4 * number:
                continue
            code = (rank * groups // len(gold)).astype(int)
            by = pd.DataFrame({"item": gold["item"], "group": code}).astype(str)
            stated: dict[str, list[Any]] = {"consilience": [], "PPI++": []}
            for seed in range(GOLD_DRAWS):
                some = gold.sample(number, random_state=seed)
                given = {"reference": some.astype(str), "by": by, "label": str(label)}
                rows = cs.rate(fit, **given, prob=PROB).table.sort_values("group")
                stated["consilience"].append(rows[["lower", "upper"]].to_numpy().T)
                people = truth.where(gold.index.isin(some.index))
                parts = (
                    _ppi(votes, people, each, n)[1:3]
                    for each, n in ((code, groups), (0 * code, 1))
                )
                stated["PPI++"].append(np.concatenate([*parts], 1))
            true = np.append(truth.groupby(code).mean(), truth.mean())
            for method, bounds in stated.items():
                lower, upper = np.moveaxis(np.array(bounds), 1, 0)
                head = sort, groups, number, method
                yield (
                    head,
                    {
                        **_held(lower[:, :-1], upper[:, :-1], true[:-1], ""),
                        **_held(lower[:, -1:], upper[:, -1:], true[-1:], " all"),
                    },
                )
