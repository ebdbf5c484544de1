import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.demo import study
from consilience.errors import OptionError
from consilience.scoring.item_metrics import (
    equal_mass_bins,
    gaps_by_item,
    most_rising_bins,
)
from consilience.scoring.metrics import ScoreOptions, score


def long(rows):
    return pd.DataFrame(rows, columns=["item", "label", "probability"])


@pytest.fixture
def four():
    cats = {"a": 0.9, "b": 0.5, "c": 0.2, "d": 0.3}
    rows = [(item, "cat", p) for item, p in cats.items()]
    rows += [(item, "dog", 1 - p) for item, p in cats.items()]
    gold = pd.DataFrame({"item": list("abcd"), "label": ["cat", "dog"] * 2})
    return long(rows), gold


def values(scored):
    return {name: metric.value for name, metric in scored.metrics.items()}


def test_choice_metrics_are_those_worked_by_hand(four):
    result = score(*four, kind="choice", seed=1, options=ScoreOptions(bins=2))
    # Accuracy: (1 + 1/2 + 0 + 1) / 4. Log-loss: minus the mean of the logarithms of .9,
    # .5, .2 and .7. Brier: (.02 + .5 + 1.28 + .18) / 4. ECE: bins {.5, .7} and {.8, .9}
    # differ from their hits {.5, 1} and {0, 1} by -.3 and .7, over 4 items.
    assert values(result) == pytest.approx(
        {"accuracy": 0.625, "log_loss": 0.691155, "brier": 0.495, "ece": 0.25}, abs=1e-6
    )
    assert (result.items, result.missing) == (4, 0)


def test_several_right_labels_count_together():
    labels = long([("a", "x", 0.5), ("a", "y", 0.3), ("a", "z", 0.2)])
    gold = pd.DataFrame({"item": ["a", "a", "a"], "label": ["y", "z", "y"]})
    result = values(score(labels, gold, kind="choice", seed=1))
    assert result["accuracy"] == 0
    assert result["log_loss"] == pytest.approx(-np.log(0.5))
    assert result["brier"] == pytest.approx(0.5**2 + 0.5**2)


def test_a_tie_between_two_right_labels_is_right():
    labels = long([("a", "x", 0.4), ("a", "y", 0.4), ("a", "z", 0.2)])
    gold = pd.DataFrame({"item": ["a", "a"], "label": ["x", "y"]})
    assert values(score(labels, gold, kind="choice", seed=1))["accuracy"] == 1


def test_log_loss_is_clipped_where_stated():
    labels = long([("a", "x", 1.0), ("a", "y", 0.0)])
    gold = pd.DataFrame({"item": ["a"], "label": ["y"]})
    for clip in (1e-3, 1e-6):
        options = ScoreOptions(clip=clip)
        result = score(labels, gold, kind="choice", seed=1, options=options)
        assert values(result)["log_loss"] == pytest.approx(-np.log(clip))
        assert result.to_dict()["clip"] == clip


def test_a_right_label_that_is_no_candidate_has_probability_zero():
    labels = long([("a", "x", 1.0)])
    gold = pd.DataFrame({"item": ["a"], "label": ["never seen"]})
    result = values(score(labels, gold, kind="choice", seed=1))
    assert result["accuracy"] == 0
    assert result["brier"] == 2


def test_gold_of_items_that_were_not_fitted_is_counted_as_missing(four):
    labels, gold = four
    more = pd.concat([gold, pd.DataFrame({"item": ["z"], "label": ["cat"]})])
    result = score(labels, more, kind="choice", seed=1)
    assert (result.items, result.missing) == (4, 1)
    assert values(result) == values(score(labels, gold, kind="choice", seed=1))


def test_the_order_and_the_type_of_the_rows_do_not_matter(four):
    labels, gold = four
    shuffled = labels.sample(frac=1, random_state=3).astype(
        {"item": "category", "label": "category"}
    )
    one = score(labels, gold, kind="choice", seed=1)
    other = score(shuffled, gold.iloc[::-1], kind="choice", seed=1)
    assert values(one) == pytest.approx(values(other))


def test_one_seed_gives_one_score_which_is_ready_for_json(four):
    one, again, other = (score(*four, kind="choice", seed=s) for s in (1, 1, 2))
    assert one.metrics == again.metrics
    assert values(one) == values(other)
    text = json.dumps(one.to_dict())
    assert json.loads(text)["metrics"]["accuracy"]["value"] == 0.625


def simulated(seed, *, skill=0.7, stated=0.7, num_items=150):
    """Choose between two labels, right with chance `skill`, sure by `stated`."""
    key = np.random.default_rng(seed)
    right = key.random(num_items) < skill
    items = [f"item {index}" for index in range(num_items)]
    both = (("x", stated), ("y", 1 - stated))
    labels = long([(item, *each) for item in items for each in both])
    gold = pd.DataFrame({"item": items, "label": np.where(right, "x", "y")})
    return labels, gold


def holds(seed, prob):
    options = ScoreOptions(resamples=200, prob=prob)
    result = score(*simulated(seed), kind="choice", seed=seed, options=options)
    metric = result.metrics["accuracy"]
    return metric.lower <= 0.7 <= metric.upper


@pytest.mark.study
def test_nine_tenths_intervals_hold_the_accuracy_nine_times_in_ten():
    margin = 4 * np.sqrt(0.9 * 0.1 / 200)
    assert abs(np.mean([holds(seed, 0.9) for seed in range(200)]) - 0.9) < margin
    # Intervals of half the mass do not.
    assert abs(np.mean([holds(seed, 0.5) for seed in range(200)]) - 0.9) > margin


def test_a_fit_too_sure_of_itself_has_a_calibration_error_and_another_may_not():
    right = score(*simulated(4), kind="choice", seed=1)
    assert right.metrics["ece"].lower == 0
    result = score(*simulated(4, stated=0.95), kind="choice", seed=1)
    # It claims .95 and is right with .7: off by .25, to within 3 standard errors.
    assert result.metrics["ece"].lower > 0.25 - 3 * np.sqrt(0.7 * 0.3 / 150)


def test_bins_hold_equal_numbers_and_never_split_a_tie():
    assert np.bincount(equal_mass_bins(np.linspace(0, 1, 45), 15)).tolist() == [3] * 15
    tied = equal_mass_bins(np.array([0.2] * 10 + [0.9] * 2), 4)
    assert len(set(tied[:10])) == 1
    assert tied[0] != tied[-1]


def test_bins_are_as_many_as_the_share_right_rises_along():
    confidence = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # Two bins hold 1/3 and 2/3 right, three 1/2, 1/2 and 1/2, four (of 2, 1, 2 and 1)
    # 1/2, 0, 1 and 0: the share falls there first.
    assert most_rising_bins(confidence, np.array([1.0, 0, 0, 1, 1, 0])) == 3
    # Right and confident the wrong way round: no two bins rise.
    assert most_rising_bins(confidence, np.array([1.0, 1, 1, 0, 0, 0])) == 1
    # All rise: a bin for each, and with ties never more than there are items.
    assert most_rising_bins(confidence, np.array([0.0, 0, 0, 1, 1, 1])) == 6
    assert most_rising_bins(np.full(6, 0.5), np.ones(6)) == 6
    assert most_rising_bins(np.array([0.5]), np.ones(1)) == 1


def calibration_errors(bins, shift=0.0):
    """Of 200 studies of 108 items that are right as often as they say, less a shift."""
    results = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        stated = generator.uniform(0.5 + shift, 1, 108)
        right = (generator.random(108) < stated - shift).astype(float)
        gaps = gaps_by_item(stated, right, np.arange(108), bins)
        results.append(np.abs(gaps.sum(0)).sum() / 108)
    return np.array(results)


def test_few_items_push_the_calibration_error_up_far_less_than_with_fifteen_bins():
    swept, fifteen = calibration_errors(None), calibration_errors(15)
    apart = fifteen - swept
    assert apart.mean() > 4 * apart.std() / np.sqrt(200)
    # What is left is of the size of chance in all items together, sd .41 an item.
    assert swept.mean() < 2 * 0.41 / np.sqrt(108)


def test_the_same_bins_still_show_an_error_of_a_tenth():
    swept = calibration_errors(None, shift=0.1)
    assert abs(swept.mean() - 0.1) < 4 * swept.std() / np.sqrt(200)
    # Fifteen bins make it more than it is.
    fifteen = calibration_errors(15, shift=0.1)
    assert fifteen.mean() - 0.1 > swept.std() / np.sqrt(200) * 4


@pytest.fixture(scope="module")
def fitted():
    simulated = study(0, num_photos=30)
    responses = cs.read(simulated.answers, item="photo", label="animal")
    gold = simulated.truth.set_axis(["item", "label"], axis=1)
    return cs.fit(responses, model="dawid_skene"), gold


def test_a_fit_is_scored_as_its_labels_are(fitted, tmp_path):
    fit, gold = fitted
    of_fit = cs.score(fit, gold)
    table = of_fit.table()
    assert list(table["metric"]) == list(of_fit.metrics)
    assert table["value"].iloc[0] == of_fit.metrics["accuracy"].value
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
