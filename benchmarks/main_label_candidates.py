"""What candidates add to a fit of choice: main labels of 6,761 images, by raters.

Nine people without ids named the main label of each image. On half of the images the
model learns from all nine; on the other half it sees r of five, and four are foreseen.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

RATERS = (1, 2, 3, 4, 5)
FITTED = (1, 2, 3)
HELD = 4  # answers of each image that are foreseen

NOTES = (
    (
        "The answers of the multi-label study, one of 1,000 labels each, as choice "
        "by the model `structured`. In both cases the candidates of an image are the "
        "labels of twelve top-five lists, the data set's label, and the labels that "
        "the r raters gave. `lists` uses nothing else; `candidates` has the columns, "
        "with weights learned without gold labels. `r raters`: learned from all "
        "answers about half of the images, then r answers about each of the others; "
        "four more are predicted. `fitted to r raters`: learned from these answers "
        "alone. log-loss: of a predicted answer, in nats; hit: how often it is the "
        "most probable label. ± is the standard error of the difference in log-loss "
        "from lists, paired, clustered by image. `worth` is the number of additional "
        "raters with which lists reach that hit rate; `as the fit tells it` is the "
        "relative information according to the fit. A predicted answer that is not "
        "among the candidates counts as wrong, with errors uniform over all labels "
        "that anyone named and the candidates."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Predicted main labels, with and without candidates"
    data = public_data("imagenetv2", "imagenet-multilabel", quick=quick)
    if data is None:
        return not_run(title)
    rows = list(_all_rows(data))
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Report(title, [{n: row.get(n) for n in names} for row in rows], NOTES)


class MainLabels:
    """Main labels, what is known of candidates, and which answers are foreseen."""

    def __init__(self, data: Path) -> None:
        import json

        import numpy as np
        import pandas as pd

        import consilience as cs
        from consilience.classifiers import candidates
        from consilience.classifiers.pooled.candidate_features import DATASET
        from consilience.classifiers.pooled.rank_lists import from_array

        folder = data / "imagenetv2"
        file = folder / "imagenet-validation-original.json"
        names = json.loads(file.read_text(encoding="utf-8"))["image_filenames"]
        names = [name for name, _ in names]
        self.labels = [str(label) for label in range(1000)]
        arrays = sorted(folder.glob("*.npy"))
        lists = [from_array(array, names, self.labels) for array in arrays]
        told = cs.read(data / "imagenet-multilabel")
        table = told.table
        named = table[["item", "label"]].dropna().astype(str).drop_duplicates()
        own = told.items[["item", "dataset_label"]].astype(str)
        own = own.rename(columns={"dataset_label": "label"}).assign(source=DATASET)
        main = table[table["main"].eq(other=True).fillna(value=False).astype(bool)]
        self.main = main[["item", "label"]].astype(str).reset_index(drop=True)
        known = candidates(lists, also=own).table
        self.known = known[known["item"].isin(self.main["item"])]
        whole = pd.concat([self.known[["item", "label"]], named]).drop_duplicates()
        self.size = whole.groupby("item").size()
        images = np.unique(self.main["item"])
        half = np.random.default_rng(0).permutation(images)[: len(images) // 2]
        self.learned = self.main["item"].isin(half)

    def responses(self, rows):
        import consilience as cs

        return cs.read(rows[["item", "label"]], kind="choice", labels=self.labels)

    def others(self):
        """Return answers about the other half of the images, in a random order."""
        import numpy as np

        rest = self.main[~self.learned]
        rest = rest.iloc[np.random.default_rng(1).permutation(len(rest))]
        return rest.assign(place=rest.groupby("item").cumcount())


def _all_rows(data: Path) -> Iterator[dict]:
    """Give a row for each number of raters, with the columns and without."""
    import consilience as cs

    study = MainLabels(data)
    tables = {"lists": study.known[["item", "label"]], "candidates": study.known}
    whole = study.responses(study.main[study.learned])
    fits = {name: _fit(whole, table) for name, table in tables.items()}
    answers = study.others()
    held = answers[answers["place"] >= answers["place"].max() + 1 - HELD]
    found: dict[str, dict] = {}
    for raters in RATERS:
        part = study.responses(answers[answers["place"] < raters])
        found[f"{raters} raters"] = {
            name: _foreseen(study, cs.predict(fits[name], part, candidates=table), held)
            for name, table in tables.items()
        }
    for raters in FITTED:
        part = study.responses(answers[answers["place"] < raters])
        found[f"fitted to {raters} raters"] = {
            name: _foreseen(study, _fit(part, table), held)
            for name, table in tables.items()
        }
    alone = [float(found[f"{raters} raters"]["lists"][1].mean()) for raters in RATERS]
    for what, seen in found.items():
        yield from _rows(what, int(what.split()[-2]), seen, alone)
    worth = float(
        fits["candidates"].relative_information()["relative_information"].iloc[0]
    )
    yield {"what": "as the fit tells", "by": "candidates", "worth": f"{worth:.1f}"}


def _fit(told, table):
    import consilience as cs

    effort = cs.EngineOptions(restarts=1)
    return cs.fit(
        told, model="structured", engine="em", candidates=table, effort=effort
    )


def _foreseen(study, fit, held):
    """Return log-loss and hits of the foreseen answers, means of each image."""
    import numpy as np

    right = float(fit.data["posterior"]["accuracy"].mean())
    believed = fit.labels().astype({"item": str, "label": str})
    both = held.merge(believed, how="left", on=["item", "label"])
    true = both["probability"].fillna(0).to_numpy()
    others = study.size[both["item"]].to_numpy() - 1
    chance = true * right + (1 - true) * (1 - right) / others
    best = fit.items().astype({"item": str, "label": str}).set_index("item")["label"]
    hit = best[both["item"]].to_numpy() == both["label"].to_numpy()
    told = both.assign(loss=-np.log(chance), hit=hit).groupby("item")
    return told[["loss", "hit"]].mean().to_numpy().T


def _rows(what: str, raters: int, seen: dict, alone: list[float]) -> Iterator[dict]:
    import numpy as np

    apart = seen["candidates"][0] - seen["lists"][0]
    for name, (loss, hit) in seen.items():
        row = {
            "what": what,
            "by": name,
            "log-loss": round(float(loss.mean()), 4),
            "hit": round(float(hit.mean()), 4),
        }
        if name == "candidates":
            row["±"] = round(float(apart.std() / np.sqrt(len(apart))), 4)
            row["worth"] = _worth(float(hit.mean()), raters, alone)
        yield row


def _worth(hit: float, raters: int, alone: list[float]) -> str:
    """Return how many raters more would bring lists to that hit rate."""
    import numpy as np

    if hit > max(alone):
        return f"over {RATERS[-1] - raters}"
    return f"{np.interp(hit, alone, RATERS) - raters:.1f}"
