"""Earlier answers to questions of known truth, as the prior of annotators."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import (
    ColumnError,
    ConsilienceError,
    DataError,
    KindError,
    OptionError,
)

LABELS = np.array(list("abc"))
COLUMNS = ["annotator", "true_label", "given_label", "n"]
FIXED = {"prevalence": 1e7}  # all labels as frequent: earlier answers say nothing of it
PRECISE = cs.EngineOptions(tolerance=1e-10, iterations=2000, draws=0)


@pytest.fixture
def _gold_fixes(monkeypatch):
    """Gold is the truth of its items and nothing else, as of answers given earlier."""
    place = "consilience.fitting._fit.learns_from_gold"
    monkeypatch.setattr(place, lambda *_: False)


def answers(generator, confusions, truth, name, annotators):
    rows = [
        (f"{name}{item:04d}", f"w{j}", LABELS[generator.choice(3, p=confusions[j, k])])
        for item, (k, people) in enumerate(zip(truth, annotators, strict=True))
        for j in people
    ]
    return pd.DataFrame(rows, columns=["item", "annotator", "label"])


def crowd(seed, items=40, earlier=100, share=(1, 1, 1), skill=6):
    """Return new answers, their truth, earlier answers, and their truth."""
    generator = np.random.default_rng(seed)
    people = range(5)
    confusions = np.array(
        [[generator.dirichlet(1 + skill * row) for row in np.eye(3)] for _ in people]
    )
    truth = generator.integers(3, size=items)
    new = answers(generator, confusions, truth, "i", [people] * items)
    old_truth = generator.choice(3, earlier, p=np.array(share) / sum(share))
    who = [[j] for j in generator.integers(5, size=earlier)]
    old = answers(generator, confusions, old_truth, "z", who)
    of_old = pd.DataFrame({"item": old["item"], "label": LABELS[old_truth]})
    return new, LABELS[truth], old, of_old


def table_of(old, truth):
    joined = old.merge(truth.rename(columns={"label": "true_label"}), on="item")
    joined = joined.rename(columns={"label": "given_label"})
    return joined[COLUMNS[:3]].value_counts().rename("n").reset_index()


def probabilities(fit):
    table = fit.with_(truth="raw").labels()
    table = table[table["item"].astype(str).str.startswith("i")]
    wide = table.pivot_table(
        index="item", columns="label", values="probability", observed=True
    )
    return wide.reindex(columns=LABELS).fillna(0).to_numpy()


@pytest.mark.usefixtures("_gold_fixes")
@pytest.mark.parametrize("model", ["hierarchical_dawid_skene", "mace"])
def test_a_table_of_counts_is_the_answers_themselves(model):
    new, _, old, of_old = crowd(1)
    how = {"model": model, "engine": "vb", "prior": FIXED, "effort": PRECISE}
    table = table_of(old, of_old)
    by_table = cs.fit(new, annotator_prior=table, **how)
    union = cs.fit(pd.concat([new, old]), gold=of_old, **how)
    # Both end where a sweep gains less than 1e-10 nats an answer, in single precision.
    assert np.allclose(probabilities(by_table), probabilities(union), atol=1e-4)
    other = table.assign(n=table["n"] + 1)
    wrong = cs.fit(new, annotator_prior=other, **how)
    assert np.abs(probabilities(wrong) - probabilities(union)).max() > 1e-3
    assert len(by_table.items()) == 40
    assert by_table.annotators()["responses"].sum() == len(new)


@pytest.mark.usefixtures("_gold_fixes")
def test_what_was_asked_says_nothing_of_how_frequent_labels_are():
    new, _, old, of_old = crowd(2, earlier=400, share=(18, 1, 1))
    how = {"model": "bayesian_dawid_skene", "engine": "em", "effort": PRECISE}
    alone = cs.fit(new, **how).data["posterior"]["prevalence"].to_numpy()
    table = cs.fit(new, annotator_prior=table_of(old, of_old), **how)
    union = cs.fit(pd.concat([new, old]), gold=of_old, **how)
    prevalences = [
        fit.data["posterior"]["prevalence"].to_numpy() for fit in (table, union)
    ]
    assert np.abs(prevalences[0] - alone).max() < 0.06
    assert np.abs(prevalences[1] - alone).max() > 0.3


@pytest.mark.usefixtures("_gold_fixes")
def test_candidates_of_each_item_have_lists_of_their_own():
    new, _, old, of_old = crowd(3)
    lists = pd.concat(
        [new[["item", "label"]], pd.DataFrame({"item": new["item"], "label": "a"})]
    ).drop_duplicates()
    lists = lists.assign(log_odds=np.where(lists["label"] == "b", 0.5, 0.0))
    how = {"model": "bayesian_dawid_skene", "engine": "em", "effort": PRECISE}
    how |= {"prior": FIXED}
    table = table_of(old, of_old)
    short = cs.fit(new, candidates=lists, annotator_prior=table, **how)
    lists = pd.concat([lists, of_old.assign(log_odds=0.0)])
    joined = pd.concat([new, old])
    union = cs.fit(joined, candidates=lists, gold=of_old, **how)
    assert np.allclose(probabilities(short), probabilities(union), atol=1e-4)
    columns = lists.rename(columns={"log_odds": "score"})
    with pytest.raises(OptionError, match="log_odds"):
        cs.fit(new, candidates=columns, annotator_prior=table, **how)


def test_a_score_is_so_many_right_and_wrong_answers():
    new, *_ = crowd(4)
    how = {"model": "one_coin_dawid_skene", "engine": "vb", "effort": PRECISE}
    score = pd.DataFrame({"annotator": ["w0", "w1"], "right": [18, 3], "n": [20, 12]})
    by_score = cs.fit(new, annotator_prior=score, **how)
    cells = [("w0", "a", "a", 18), ("w0", "b", "c", 2), ("w1", "c", "c", 3)]
    cells = [*cells, ("w1", "a", "b", 9)]
    counts = pd.DataFrame(cells, columns=COLUMNS)
    by_counts = cs.fit(new, annotator_prior=counts, **how)
    assert np.allclose(probabilities(by_score), probabilities(by_counts), atol=1e-5)
    share = score.assign(accuracy=score["right"] / score["n"]).drop(columns="right")
    by_share = cs.fit(new, annotator_prior=share, **how)
    assert np.allclose(probabilities(by_score), probabilities(by_share), atol=1e-5)
    none = cs.fit(new, **how)
    assert np.abs(probabilities(by_score) - probabilities(none)).max() > 1e-2


@pytest.mark.study
def test_a_right_prior_helps_few_answers_and_a_wrong_one_is_overruled():
    gains = []
    how = {"model": "bayesian_dawid_skene", "engine": "em"}
    for seed in range(40):
        new, truth, old, of_old = crowd(seed, items=10, earlier=150, skill=2)
        right = truth[:, None] == LABELS
        losses = [
            -np.log(np.maximum(probabilities(fit)[right], 1e-3)).mean()
            for fit in (
                cs.fit(new, **how),
                cs.fit(new, annotator_prior=table_of(old, of_old), **how),
            )
        ]
        gains.append(losses[0] - losses[1])
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / np.sqrt(40)
    new, truth, *_ = crowd(0, items=600)
    # Ten answers each that are always wrong, beside 600 new ones.
    cells = [(f"w{j}", "a", "b", 10) for j in range(5)]
    wrong = pd.DataFrame(cells, columns=COLUMNS)
    fits = [cs.fit(new, annotator_prior=prior, **how) for prior in (None, wrong)]
    shares = [(LABELS[probabilities(fit).argmax(1)] == truth).mean() for fit in fits]
    assert abs(shares[0] - shares[1]) < 0.01
    strong = cs.fit(new, annotator_prior=wrong.assign(n=100_000), **how)
    share = (LABELS[probabilities(strong).argmax(1)] == truth).mean()
    assert share < shares[0] - 0.1


@pytest.mark.parametrize(
    ("table", "error", "match"),
    [
        ({"annotator": ["w0"], "n": [3]}, ColumnError, "true_label"),
        ({"annotator": ["w0"], "right": [5], "n": [3]}, OptionError, "5 right of 3"),
        ({"annotator": ["w0"], "accuracy": [1.5], "n": [3]}, DataError, "from 0 to"),
        ({"annotator": ["w0"], "right": [1e9], "n": [1e9]}, OptionError, "10,000,000"),
        (
            {"annotator": ["w0"], "true_label": ["z"], "given_label": ["a"]},
            OptionError,
            "the true_label 'z'",
        ),
    ],
)
def test_a_table_that_cannot_be_is_refused(table, error, match):
    new, *_ = crowd(0, items=4)
    with pytest.raises(error, match=match):
        cs.fit(new, model="dawid_skene", annotator_prior=pd.DataFrame(table))


def test_kinds_and_models_that_have_no_use_for_it_say_so():
    new, *_ = crowd(0, items=4)
    table = pd.DataFrame({"annotator": ["w0", "gone"], "right": [1, 1], "n": [2, 2]})
    contains = new.assign(answer="yes")
    with pytest.raises(KindError, match="kind choice"):
        cs.fit(cs.read(contains, kind="contains"), annotator_prior=table)
    with pytest.raises(ConsilienceError):
        cs.fit(new, model="tsipras2020", annotator_prior=table)
    fit = cs.fit(new, model="dawid_skene", annotator_prior=table)
    sentence = fit.data.attrs["assumptions"]
    assert "2 earlier answers of 1 annotators" in sentence
    assert "1 rows of annotators without responses" in sentence
