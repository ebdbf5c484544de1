"""Which labels are valid in a study where most candidates go unnamed."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(False, id="plain"),
        pytest.param(True, id="log_odds", marks=pytest.mark.study),
    ],
)
def unnamed(request):
    """Return a study with candidates, most of which nobody names, and its fit."""
    generator = np.random.default_rng(0)
    names = [f"class{k:02d}" for k in range(30)]
    answers, candidates = [], []
    for i in range(25):
        item, shown = f"photo{i:02d}", list(generator.choice(names, 5, replace=False))
        odds = np.sort(generator.normal(-2, 1.5, 5))[::-1]
        candidates += [(item, *each) for each in zip(shown, odds, strict=True)]
        two = generator.random() < 0.25
        for a in range(7):
            said = {shown[0]} | ({shown[1]} if two and a < 5 else set())
            answers += [(item, f"w{a}", name, name == shown[0]) for name in said]
    columns = ["item", "annotator", "label", "main"]
    frame = pd.DataFrame(answers, columns=columns)
    known = pd.DataFrame(candidates, columns=["item", "label", "log_odds"])
    known = known if request.param else known[["item", "label"]]
    responses = cs.read(frame, kind="objects", labels=names)
    effort = cs.EngineOptions(restarts=1)
    fit = cs.fit(
        responses, model="objects", engine="em", candidates=known, effort=effort
    )
    votes = frame.groupby(["item", "label"])["annotator"].nunique()
    table = fit.labels().astype({"item": str, "label": str})
    pairs = pd.MultiIndex.from_frame(table[["item", "label"]])
    return fit, table.assign(votes=votes.reindex(pairs).fillna(0).to_numpy())


def test_candidates_that_nobody_named_are_not_valid(unnamed):
    fit, table = unnamed
    mean = table.groupby("votes")["probability"].mean()
    assert mean[0] <= 0.05
    assert mean[7] >= 0.8
    never = table[table["votes"] == 0].groupby("item")["label"].first().reset_index()
    result = cs.evaluate(fit, never.assign(rank=1), top=1).models
    accuracy = result.query("metric == 'accuracy' and subset == 'all'")["value"].item()
    assert accuracy <= 0.05


def test_their_objects_alone_would_have_called_them_valid(unnamed):
    fit, table = unnamed
    objects = fit.table("objects").astype({"item": str, "label": str})
    both = table.merge(objects, on=["item", "label"], suffixes=("", "_of_object"))
    assert both.loc[both["votes"] == 0, "probability_of_object"].mean() > 0.05
