"""Which items should get gold labels: a design whose scores are those of all items."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import DataError, OptionError
from consilience.fitting import gold_sampling as module

NUMBER = 25


@pytest.fixture(scope="module")
def crowd():
    made = cs.simulate(items=150, annotators=10, classes=3, per_item=5, seed=4)
    truth = made.responses.gold.astype(str)[["item", "label"]].drop_duplicates("item")
    fit = cs.fit(made.responses, model="hierarchical_dawid_skene", seed=0)
    return made.responses, fit, truth.set_index("item")["label"]


def filled(fit, truth, seed=0, number=NUMBER):
    sheet = cs.analysis.gold_design(fit, number, seed=seed)
    assert (sheet["label"] == "").all()
    return sheet.assign(label=truth.reindex(sheet["item"]).to_numpy())


def test_each_item_is_drawn_with_the_probability_that_is_stated():
    information = np.random.default_rng(5).gamma(1, size=40)
    chance = module._inclusion(information, 12)
    assert chance.sum() == pytest.approx(12)
    assert ((chance > 0) & (chance <= 1)).all()
    times, draws = np.zeros(40), 1000
    for seed in range(draws):
        drawn = module._systematic(chance, np.random.default_rng(seed))
        assert len(set(drawn)) == len(drawn) == 12
        times[drawn] += 1
    error = np.sqrt(chance * (1 - chance) / draws)
    assert (np.abs(times / draws - chance) < 4.5 * error + 1e-12).all()


def test_scores_are_those_of_all_items_whatever_was_drawn(crowd, monkeypatch):
    _, fit, truth = crowd
    # Draw mostly what the fit is not sure of, where it is mostly wrong.
    monkeypatch.setattr(module, "RANDOM", 0.2)
    _, believed, _ = module._unlabelled(fit.data)
    doubt = 1 - believed.probability.max(1)
    monkeypatch.setattr(module, "_information", lambda *_: doubt**2 + 1e-3)
    every = truth.reset_index().set_axis(["item", "label"], axis=1)
    accuracy = cs.score(fit, every).metrics["accuracy"].value
    options = cs.scoring.ScoreOptions(resamples=2)
    weighed, plain = [], []
    for seed in range(40):
        sheet = filled(fit, truth, seed, number=40)
        for found, gold in ((weighed, sheet), (plain, sheet[["item", "label"]])):
            score = cs.score(fit, gold, options=options)
            found.append(score.metrics["accuracy"].value)
    error = np.std(weighed) / np.sqrt(len(weighed))
    assert abs(np.mean(weighed) - accuracy) < 3 * error + 0.005
    # The twin: without the column they are scores of what is hard.
    assert np.mean(plain) < accuracy - 3 * error


def test_the_file_comes_back_as_gold(crowd, tmp_path, capsys):
    responses, fit, truth = crowd
    fit.save(tmp_path / "run")
    sheet = tmp_path / "check.csv"
    place = ["export", str(tmp_path / "run"), "--out", str(sheet)]
    main([*place, "--what", "check", "--design", "25"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "expected log-loss by further gold labels: " in printed
    gold = pd.read_csv(sheet, dtype=str)
    assert list(gold.columns) == ["item", "label", "inclusion"]
    gold = gold.assign(label=truth.reindex(gold["item"]).to_numpy())
    again = cs.fit(responses, gold=gold, model="hierarchical_dawid_skene", seed=0)
    table = again.table("gold").set_index("fit")
    # Left-out gold is weighed: without gold it is the weighed score of the fit.
    weighed = cs.score(fit, gold).metrics
    for name in ("log_loss", "accuracy"):
        assert table.loc["without gold", name] == pytest.approx(
            weighed[name].value, abs=1e-6
        )
    # Who has gold already is not drawn again.
    assert not set(cs.analysis.gold_design(again, 30)["item"]) & set(gold["item"])


def test_a_strange_inclusion_and_too_many_items_are_refused(crowd):
    responses, fit, truth = crowd
    gold = filled(fit, truth).assign(inclusion="7")
    with pytest.raises(DataError, match="or leave the column as it was written"):
        cs.score(fit, gold)
    with pytest.raises(DataError, match="or leave the column as it was written"):
        cs.fit(responses, gold=gold, model="hierarchical_dawid_skene")
    with pytest.raises(OptionError, match="give a number from 1 to 150"):
        cs.analysis.gold_design(fit, 151)


def test_pairs_of_contains_are_drawn_and_weighed():
    made = cs.simulate(kind="contains", items=40, annotators=8, classes=3, per_item=4)
    fit = cs.fit(made.responses, seed=0)
    sheet = cs.analysis.gold_design(fit, 20)
    assert list(sheet.columns) == ["item", "label", "answer", "inclusion"]
    truth = made.responses.gold.astype(str).set_index(["item", "label"])["answer"]
    pairs = pd.MultiIndex.from_frame(sheet[["item", "label"]].astype(str))
    gold = sheet.assign(answer=truth.reindex(pairs).to_numpy())
    labels = fit.labels().astype({"item": str, "label": str})
    p = labels.set_index(["item", "label"])["probability"].reindex(pairs).to_numpy()
    chance = np.where(gold["answer"] == "yes", p, 1 - p).clip(1e-3, 1 - 1e-3)
    by_hand = np.average(-np.log(chance), weights=1 / gold["inclusion"])
    assert cs.score(fit, gold).metrics["log_loss"].value == pytest.approx(by_hand)


def test_more_gold_is_expected_to_help_more_and_gold_narrows_the_curve(crowd):
    responses, fit, truth = crowd
    before = cs.analysis.gold_curve(fit, [0, 10, 50])
    assert before["gold"].tolist() == [0, 10, 50]
    assert before["log_loss"].is_monotonic_decreasing
    gold = filled(fit, truth, number=40)
    again = cs.fit(responses, gold=gold, model="hierarchical_dawid_skene", seed=0)
    after = cs.analysis.gold_curve(again, [0, 10])
    width = [(each["upper"] - each["lower"]).iloc[0] for each in (before, after)]
    assert width[1] < width[0]
