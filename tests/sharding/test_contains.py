"""Yes, maybe and no in shards: read and fitted as in memory, or refused."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import FitError, KindError, OptionError
from consilience.fitting.halves import HALVES

ONCE = cs.EngineOptions(restarts=1, draws=0)


@pytest.fixture(scope="module")
def answers():
    """Two labels of each item, by annotators of other thresholds and care."""
    generator = np.random.default_rng(3)
    items, labels, annotators = 240, 4, 18
    item = np.arange(items).repeat(2 * 3)
    pair = generator.permuted(np.tile(np.arange(labels), (items, 1)), axis=1)[:, :2]
    label = pair.repeat(3)
    who = generator.permuted(np.tile(np.arange(annotators), (2 * items, 1)), axis=1)
    who = who[:, :3].ravel()
    there = (generator.random(2 * items) < 0.4).repeat(3)
    shown = np.where(there, 2, -2) + generator.normal(0, 1.2, 2 * items).repeat(3)
    seen = 1.3 * (shown - generator.normal(0, 0.8, annotators)[who])
    seen += generator.logistic(size=len(seen))
    word = np.select([seen < -0.4, seen < 0.4], ["no", "maybe"], "yes")
    frame = pd.DataFrame(
        {
            "item": [f"photo {number}" for number in item],
            "annotator": [f"a{number}" for number in who],
            "label": [f"label {number}" for number in label],
            "answer": word,
        }
    )
    frame.loc[::91, "answer"] = None
    return frame


@pytest.fixture(scope="module")
def source(answers, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "a.parquet"
    answers.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def shards(source, tmp_path_factory):
    return cs.shards.write(source, tmp_path_factory.mktemp("two") / "s", rows=750)


def test_shards_hold_the_answers_of_all_pairs(answers, shards):
    whole = cs.read(answers)
    assert shards.kind == "contains"
    assert len(shards) == 2
    assert shards.num_items == whole.num_items
    assert shards.num_answers == whole.table["answer"].notna().sum()
    keys = ["item", "annotator", "label", "answer"]
    rows = pd.concat([shards.responses(at).table[keys] for at in range(len(shards))])
    there = rows.astype("str").value_counts(dropna=False)
    given = whole.table[keys].astype("str").value_counts(dropna=False)
    pd.testing.assert_series_equal(there.sort_index(), given.sort_index())


def test_a_fit_of_shards_is_that_in_memory(source, shards, probabilities):
    whole = cs.fit(source, model="contains_states", engine="vb", effort=ONCE)
    fit = cs.shards.fit(shards, model="contains_states")
    assert fit.part(0).data.attrs["engine"] == "vb"
    people = fit.annotators()
    expected = whole.annotators()[people.columns]
    pd.testing.assert_frame_equal(people, expected, rtol=1e-5)
    one, other = probabilities(fit.parts()), probabilities([whole])
    assert one.index.equals(other.index)
    assert np.abs(one - other).max() < 1e-6


@pytest.mark.parametrize(
    "model", ["contains_states", pytest.param("auto", marks=pytest.mark.study)]
)
def test_gold_corrects_presence_as_in_memory(answers, shards, probabilities, model):
    gold = answers.drop_duplicates(["item", "label"])[["item", "label"]].iloc[::8]
    gold["answer"] = np.where(np.arange(len(gold)) % 3 == 0, "yes", "no")
    fit = cs.shards.fit(shards, model=model, gold=gold)
    shown = pd.concat([part.labels() for part in fit.parts()]).astype({"label": str})
    shown = shown.merge(gold.astype(str), on=["item", "label"], how="left")
    stated = shown["answer"].map({"yes": 1.0, "no": 0.0})
    assert stated.notna().sum() == len(gold)
    assert np.allclose(shown["probability"][stated.notna()], stated.dropna())
    whole = cs.fit(answers, model=model, gold=gold, effort=ONCE)
    one, other = probabilities(fit.parts()), probabilities([whole])
    # Gold left out is left out in other folds.
    assert np.abs(one - other).mean() < 0.02
    without = probabilities(cs.shards.fit(shards, model=model).parts())
    assert np.abs(without - other).mean() > 0.05


def test_auto_is_two_models_by_halves_as_in_memory(answers, shards, tmp_path, capsys):
    main(["fit", str(shards.folder), "--out", str(tmp_path / "run")])
    assert "all 240 items" in " ".join(capsys.readouterr().out.split())
    run = cs.load(tmp_path / "run")
    assert run.data.attrs["model"] == HALVES[0]
    assert "contains_states" in run.data.attrs["engine_reason"]
    shown = f"the {len(shards.items(0))} items of shard 1"
    assert shown in run.data.attrs["assumptions"]
    tables = cs.shards.all_items(tmp_path / "run")
    assert tables.items.count_rows() == 240
    assert tables.labels.count_rows() == 480  # also of what is surely absent
    parts = pd.concat([part.labels() for part in cs.shards.fit(shards).parts()])
    both = parts.astype({"item": str, "label": str}).merge(
        cs.fit(answers).labels().astype({"item": str, "label": str}),
        on=["item", "label"],
    )
    assert len(both) == 480
    # Labels have a prevalence by shard; in memory draws, not points, are averaged.
    apart = (both["probability_x"] - both["probability_y"]).abs()
    assert apart.mean() < 0.03
    assert np.corrcoef(both["probability_x"], both["probability_y"])[0, 1] > 0.97


@pytest.mark.parametrize(
    ("how", "error", "why"),
    [
        ({"model": "ordinal_dawid_skene"}, KindError, "responses of kind choice"),
        *(
            ({"model": name}, FitError, f"{name} is not fitted in shards, since it has")
            for name in ("contains", "contains_counts", "glad", "majority")
        ),
        (
            {"model": "contains", "effort": cs.EngineOptions(draws=20)},
            FitError,
            "fit one of .*contains_states",
        ),
        (
            {"candidates": pd.DataFrame({"item": ["a"], "label": ["b"], "x": [1.0]})},
            OptionError,
            "candidates of contains are columns of numbers",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(shards, how, error, why):
    with pytest.raises(error, match=why):
        cs.shards.fit(shards, **how)
