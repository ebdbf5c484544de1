"""A fit is scored as its tables are, with gold labels in memory or in a file."""

import pandas as pd
import pytest

import consilience as cs
from consilience.demo import study
from consilience.errors import OptionError


@pytest.fixture(scope="module")
def fitted():
    simulated = study(0, num_photos=30)
    responses = cs.read(simulated.answers, item="photo", label="animal")
    gold = simulated.truth.set_axis(["item", "label"], axis=1)
    return cs.fit(responses, model="dawid_skene"), gold


def test_a_fit_is_scored_as_its_labels_are(fitted, tmp_path):
    fit, gold = fitted
    of_fit = cs.score(fit, gold)
    assert of_fit.metrics == cs.score(fit.labels(), gold, kind="choice").metrics
    gold.to_csv(tmp_path / "gold.csv", index=False)
    assert cs.score(fit, tmp_path / "gold.csv").metrics == of_fit.metrics
    assert cs.score(fit, gold.head(9)).metrics != of_fit.metrics


def test_objects_are_scored_with_their_main_labels():
    made = cs.simulate(
        kind="objects", items=16, annotators=6, classes=6, per_item=4, seed=0
    )
    fit = cs.fit(made.responses, model="tsipras2020")
    gold = fit.items()[["item", "main_label"]].set_axis(["item", "label"], axis=1)
    score = cs.score(fit, gold.assign(main=True))
    assert score.metrics["main_accuracy"].value == 1.0
    others = gold.assign(
        main=True, label=gold["label"].sample(frac=1, random_state=0).to_numpy()
    )
    assert cs.score(fit, others).metrics["main_accuracy"].value < 1.0


def test_a_table_needs_its_kind(fitted):
    fit, gold = fitted
    with pytest.raises(OptionError, match="choice, contains, objects"):
        cs.score(fit.labels(), gold)


def test_the_table_has_a_row_for_each_metric(fitted):
    score = cs.score(*fitted)
    table = score.table()
    assert list(table["metric"]) == list(score.metrics)
    assert isinstance(table, pd.DataFrame)
    assert table["value"].iloc[0] == score.metrics["accuracy"].value
