"""Gold labels, candidates and groups enter a fit of shards as one in memory; draws."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main

ITEMS, MISLED, RIGHT = 300, 5, 2
MODEL = "hierarchical_dawid_skene"


def panel(seed=0):
    """Draw a panel of which most are wrong together: half of the items mislead them."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(2, size=ITEMS)
    misleading = generator.random(ITEMS) < 0.6
    rows = []
    for item in range(ITEMS):
        for who in range(MISLED + RIGHT):
            error = 0.85 if misleading[item] and who < MISLED else 0.12
            wrong = generator.random() < error
            rows.append((f"i{item:03d}", f"judge-{who}", "ab"[truth[item] ^ wrong]))
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    names = [f"i{item:03d}" for item in range(ITEMS)]
    return table, pd.DataFrame({"item": names, "label": ["ab"[z] for z in truth]})


@pytest.fixture(scope="module")
def answers():
    made = cs.simulate(items=300, annotators=30, classes=3, per_item=4, seed=6)
    return made.responses.table[["item", "annotator", "label"]].astype("str")


@pytest.fixture(scope="module")
def shards(answers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    answers.to_parquet(folder / "a.parquet")
    return cs.shards.write(folder / "a.parquet", folder / "s", rows=300)


@pytest.fixture(scope="module")
def tables(answers):
    generator = np.random.default_rng(0)
    items, who = answers["item"].unique(), answers["annotator"].unique()
    labels = [*sorted(answers["label"].unique()), "never given"]
    candidates = {
        "item": items[80:200].repeat(2),
        "label": generator.choice(labels, 240),
        "log_odds": generator.normal(size=240),
    }
    group = np.where(np.arange(len(who)) % 2, "experts", "crowd")
    return {
        "gold": pd.DataFrame({"item": [*items[:60], "nobody"], "label": labels[1]}),
        "candidates": pd.DataFrame(candidates).drop_duplicates(["item", "label"]),
        "annotators": pd.DataFrame({"annotator": who, "group": group}),
    }


def test_a_fit_with_candidates_is_that_in_memory(
    answers, shards, tables, probabilities
):
    given = {"candidates": tables["candidates"]}
    how = {"model": "hierarchical_dawid_skene", "engine": "vb"}
    effort = cs.EngineOptions(restarts=1, draws=0)
    whole = cs.fit(answers, effort=effort, **given, **how)
    fit = cs.shards.fit(shards, **given, **how)
    shown = fit.annotators().astype({"annotator": "str"})
    expected = whole.annotators().astype({"annotator": "str"})[shown.columns]
    pd.testing.assert_frame_equal(shown, expected, rtol=1e-6)
    one, other = probabilities(fit.parts()), probabilities([whole])
    pd.testing.assert_series_equal(one, other, atol=1e-6)
    # The twin: without the tables the result is another.
    plain = cs.shards.fit(shards, **how)
    gap = plain.annotators()["accuracy"] - whole.annotators()["accuracy"]
    assert gap.abs().max() > 1e-3


@pytest.mark.study
@pytest.mark.parametrize("model", ["hierarchical_dawid_skene", "shared_errors", "auto"])
@pytest.mark.parametrize("draws", [0, 40])
def test_gold_mends_a_panel_in_shards_that_is_wrong_together(tmp_path, model, draws):
    table, truth = panel()
    table.to_parquet(tmp_path / "a.parquet")
    shards = cs.shards.write(tmp_path / "a.parquet", tmp_path / "s", rows=700)
    assert len(shards) > 2
    given, rest = truth.iloc[::8], truth.drop(truth.index[::8])
    accuracy, fits = {}, {}
    for name, gold in {"without": None, "with": given}.items():
        effort = cs.EngineOptions(draws=draws or None)
        fit = cs.shards.fit(shards, model=model, gold=gold, effort=effort)
        items = pd.concat([part.items() for part in fit.parts()]).astype(str)
        both = items.merge(rest, on="item")
        accuracy[name] = (both["label_x"] == both["label_y"]).mean()
        fits[name] = fit
    assert accuracy["without"] < 0.6
    assert accuracy["with"] > 0.8
    people = fits["with"].annotators().set_index("annotator")["accuracy"]
    people.index = people.index.astype(str)
    right = table.merge(truth, on="item")
    right = (right["label_x"] == right["label_y"]).groupby(right["annotator"]).mean()
    believed = fits["without"].annotators().set_index("annotator")["accuracy"]
    believed.index = believed.index.astype(str)
    assert (people - right).abs().mean() < 0.1
    assert (believed - right).abs().mean() > 0.2
    part = fits["with"].part(1)
    assert "on gold left out" in part.data["gold"].attrs["sentence"]
    assert "gold" in set(part.diagnostics()["name"])


def test_gold_that_was_given_is_left_out_of_the_score(tmp_path, capsys):
    table, truth = panel()
    table.to_parquet(tmp_path / "a.parquet")
    shards = cs.shards.write(tmp_path / "a.parquet", tmp_path / "s", rows=700)
    fit = cs.shards.fit(shards, model=MODEL, gold=truth.iloc[::8])
    fit.save(tmp_path / "run")
    truth.to_csv(tmp_path / "gold.csv", index=False)
    main(["score", str(tmp_path / "run"), "--gold", str(tmp_path / "gold.csv")])
    shown = " ".join(capsys.readouterr().out.split())
    given = len(truth.iloc[::8])
    assert f"{given} gold rows were given to the fit; left out" in shown
    assert f"{len(truth) - given} items with gold" in shown


def test_groups_of_annotators_are_those_of_the_table(shards, tables):
    given = tables["annotators"]
    fit = cs.shards.fit(shards, model=MODEL, annotators=given)
    constant = fit.part(0).data["constant_data"]
    names = constant["annotator_group"].to_numpy()
    people = fit.annotators()["annotator"].astype("str")
    group = pd.Series(names[constant["group_of_annotator"].to_numpy()], index=people)
    expected = given.set_index("annotator")["group"].reindex(people)
    assert group.tolist() == expected.tolist()


def test_draws_are_those_of_the_posterior_in_memory(answers, shards, probabilities):
    effort = cs.EngineOptions(restarts=1, draws=400)
    how = {"model": "hierarchical_dawid_skene", "engine": "vb", "effort": effort}
    whole, fit = cs.fit(answers, **how), cs.shards.fit(shards, **how)
    one, other = fit.annotators(), whole.annotators()
    width = other["upper"] - other["lower"]
    # Means of 400 draws, of which at least one in ten is independent, of a spread of
    # 30 % of the interval of nine tenths; the largest of 30 gaps.
    largest = 4 * np.sqrt(2 / 40) * 0.3
    assert ((one["accuracy"] - other["accuracy"]).abs() < largest * width).all()
    ratio = (one["upper"] - one["lower"]) / width
    assert 0.8 < ratio.median() < 1.25
    assert 0.4 < ratio.min() < ratio.max() < 2.5
    gap = probabilities(fit.parts()) - probabilities([whole])
    assert gap.abs().mean() < 0.01
    shown = fit.part(1).labels()
    assert (shown["lower"] <= shown["probability"]).all()
    assert (shown["probability"] <= shown["upper"]).all()
    assert (shown["upper"] - shown["lower"]).max() > 0.05


def test_draws_of_another_fit_are_others(shards):
    # The twin of the test above: intervals know how many answers there are.
    fit = cs.shards.fit(shards, model=MODEL, effort=cs.EngineOptions(draws=100))
    half = type(shards).__len__
    few = cs.EngineOptions(draws=100)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(shards), "__len__", lambda self: half(self) // 4)
        less = cs.shards.fit(shards, model=MODEL, effort=few).annotators()
    more = fit.annotators()
    wider = (less["upper"] - less["lower"]) / (more["upper"] - more["lower"])
    assert wider.median() > 1.25
