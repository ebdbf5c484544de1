"""Candidates: who is on the list, what is known of them, where they come from."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.classifiers import candidates
from consilience.classifiers.pooling import ANNOTATORS, DATASET, pool
from consilience.classifiers.predictions import from_arrays, from_table
from consilience.errors import DataError


def ranks(name, **lists):
    """Predictions of ranks only: labels of each item, in order."""
    rows = [
        (item, label, rank)
        for item, labels in lists.items()
        for rank, label in enumerate(labels.split(), 1)
    ]
    table = pd.DataFrame(rows, columns=["item", "label", "rank"])
    return from_table(table, name, name, num_labels=20)


@pytest.fixture
def two():
    return [
        ranks("a", i="cat dog fox", j="cup mug pot"),
        ranks("b", i="dog wolf cat", j="cup pot pan"),
    ]


def labels(pooled, item):
    return list(pooled.table.loc[pooled.table["item"] == item, "label"])


@pytest.mark.parametrize(
    ("policy", "i", "j"),
    [("union", "dog cat wolf", "cup pot mug"), ("ensemble", "dog cat", "cup pot")],
)
def test_the_union_holds_everybodys_best_and_the_ensemble_that_of_the_mean(
    two, policy, i, j
):
    result = candidates(two, policy=policy, top=2)
    assert labels(result, "i") == i.split()
    assert labels(result, "j") == j.split()
    assert "log_odds" not in result.table  # without gold


def test_the_mass_needs_few_labels_where_classifiers_agree(two):
    result = candidates(two, policy="mass", mass=0.5)
    pooled = pool(two)
    for item in "ij":
        here = pooled.items[pooled.item] == item
        share = np.sort(pooled.probability[here])[::-1].cumsum()
        assert len(labels(result, item)) == (share < 0.5).sum() + 1
    assert len(labels(result, "j")) < len(labels(result, "i"))


def test_what_is_known_of_a_candidate_and_who_lists_it_is_as_worked_by_hand(two):
    result = candidates(two, top=2)
    names = ["top", "first", "reciprocal_rank"]
    table = result.table.set_index(["item", "label"])[names]
    assert table.loc["i", "dog"].tolist() == pytest.approx([1, 0.5, (1 / 2 + 1) / 2])
    # Third for b.
    assert table.loc["i", "cat"].tolist() == pytest.approx([0.5, 0.5, (1 + 1 / 3) / 2])
    cat = result.sources.query("item == 'i' and label == 'cat'")
    assert list(zip(cat["model"], cat["rank"], strict=True)) == [("a", 1), ("b", 3)]


def test_labels_of_annotators_and_of_the_data_set_are_always_candidates(two):
    also = pd.DataFrame(
        {
            "item": ["i", "i", "elsewhere"],
            "label": ["fox", "unicorn", "cat"],
            "source": [DATASET, ANNOTATORS, ANNOTATORS],
        }
    )
    result = candidates(two, top=1, also=also)
    assert set(labels(result, "i")) == {"cat", "dog", "fox", "unicorn"}
    assert labels(result, "j") == ["cup"]
    table = result.table.set_index("label")
    assert table.loc["unicorn", "top"] == 0
    assert np.isfinite(table["score"]).all()
    assert list(table["dataset_label"][["fox", "unicorn"]]) == [1, 0]
    fox = result.sources[result.sources["label"] == "fox"]
    assert set(fox["model"]) == {"a", DATASET}


def many(number=200, seed=0):
    """Return a good and a poor list of three, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(10, size=number)
    names = [f"i{k:03d}" for k in range(number)]

    def listed(name, right):
        rows = []
        for item, label in zip(names, truth, strict=True):
            others = generator.permutation(np.setdiff1d(np.arange(10), label))[:3]
            if generator.random() < right:
                others[generator.choice(3, p=[0.7, 0.2, 0.1])] = label
            rows += [(item, str(o), r) for r, o in enumerate(others, 1)]
        table = pd.DataFrame(rows, columns=["item", "label", "rank"])
        return from_table(table, name, name, num_labels=10)

    gold = pd.DataFrame({"item": names, "label": truth.astype(str)})
    return [listed("good", 0.95), listed("poor", 0.5)], gold


def test_log_odds_of_one_truth_foresee_items_without_gold():
    predictions, gold = many()
    result = candidates(predictions, top=3, gold=gold.head(100))
    later = result.table[result.table["item"].isin(gold["item"].tail(100))]
    share = np.exp(later["log_odds"]) / 10
    right = later.merge(gold, on=["item", "label"], how="left", indicator=True)
    hit = (right["_merge"] == "both").to_numpy()
    # Calibrated: where a share is told, so many are the truth, within four errors.
    for low, high in ((0, 0.2), (0.2, 0.6), (0.6, 1)):
        here = ((share > low) & (share <= high)).to_numpy()
        error = np.sqrt((share[here] * (1 - share[here])).sum()) / here.sum()
        assert abs(hit[here].mean() - share[here].mean()) < 4 * error
    assert -np.log(share[hit]).mean() < np.log(10)


def judged(number):
    """Return predictions, their candidates, and whether each is the truth."""
    predictions, gold = many(number)
    every = candidates(predictions, top=3).table[["item", "label"]]
    truth = every.merge(gold, on=["item", "label"], how="left", indicator=True)
    return predictions, every, np.where(truth["_merge"] == "both", "yes", "no")


def test_log_odds_of_gold_pairs_are_learned_from_other_items():
    predictions, every, yes = judged(100)
    turned = yes.copy()
    own = (every["item"] == "i000").to_numpy()
    turned[own] = np.where(yes[own] == "yes", "no", "yes")
    one, other = (
        candidates(predictions, top=3, gold=every.assign(answer=answer)).table
        for answer in (yes, turned)
    )
    here = one["item"] == "i000"
    assert np.allclose(one.loc[here, "log_odds"], other.loc[here, "log_odds"])
    assert not np.allclose(one["log_odds"], other["log_odds"])


def test_a_fit_takes_the_folder_as_it_is(two, tmp_path):
    candidates(two, top=2).save(tmp_path / "c")
    rows = [(i, w, said) for i, said in (("i", "cat"), ("j", "cup")) for w in "xyz"]
    answers = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    every = ["cat", "dog", "wolf", "cup", "mug", "pot"]
    responses = cs.read(answers, labels=every)
    fit = cs.fit(responses, model="majority", candidates=tmp_path / "c")
    result = fit.labels()
    assert set(result.loc[result["item"] == "i", "label"]) == {"cat", "dog", "wolf"}


def test_public_top_five_lists_hold_the_label_of_the_data_set(data_folder):
    names = [f"{k:05d}" for k in range(50_000)]
    files = [data_folder / "imagenetv2" / f"{name}.npy" for name in ("alexnet", BEST)]
    result = candidates([from_arrays([file], names) for file in files]).table
    own = (result["item"].astype(int) // 50) == result["label"].astype(int)
    # Published top-5 accuracy: AlexNet .791, PNASNet-5 large .962.
    assert 0.962 < own.sum() / 50_000 < 0.975


BEST = "pnasnet_large_tf"
CODES = {"i": "968 967 504", "j": "504 505 968"}


def test_classifiers_without_a_label_in_common_are_not_pooled():
    named = ranks("own", i="cup espresso mug", j="mug pot cup")
    with pytest.raises(DataError, match=r"own and net share none .* '504'"):
        candidates([named, ranks("net", **CODES)])
    candidates([named, ranks("other", k="dog cat fox")])  # not of the same items
