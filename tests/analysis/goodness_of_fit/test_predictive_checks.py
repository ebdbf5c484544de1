"""Checks of a model that is right pass, and each kind of misfit fails its own check."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, kstest

import consilience as cs
from consilience.analysis.predictive import COLUMNS
from consilience.analysis.replicated import replication
from consilience.posterior.truth import candidates

REPLICATES = 99
STUDIES = 16
LABELS = ("a", "b", "c", "d")
FEW = 0.05


def answers(accuracy, *, items=300, people=10, per_item=6, seed=0):
    """Draw a study; accuracy by item, annotator and true label."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(LABELS), items)
    rows = []
    for item in range(items):
        for who in generator.permutation(people)[:per_item]:
            right = generator.random() < accuracy(item, who, truth[item])
            other = (truth[item] + generator.integers(1, len(LABELS))) % len(LABELS)
            label = LABELS[truth[item] if right else other]
            rows.append((f"i{item:03d}", f"p{who}", label))
    return pd.DataFrame(rows, columns=["item", "annotator", "label"])


def of_model(seed, items=60, people=6, per_item=4):
    """Draw a study as the model has it, and its parameters."""
    generator = np.random.default_rng(seed)
    weight = 1 + 4 * np.eye(len(LABELS))
    confusion = np.array(
        [[generator.dirichlet(row) for row in weight] for _ in range(people)]
    )
    prevalence = generator.dirichlet(np.full(len(LABELS), 5))
    rows = []
    for item in range(items):
        truth = generator.choice(len(LABELS), p=prevalence)
        for who in generator.permutation(people)[:per_item]:
            label = LABELS[generator.choice(len(LABELS), p=confusion[who, truth])]
            rows.append((f"i{item:02d}", f"p{who}", label))
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return frame, {"prevalence": prevalence, "confusion": confusion}


def fitted(frame, model="bayesian_dawid_skene", engine="auto"):
    responses = cs.read(frame, labels=list(LABELS))
    # A copy is to be seen, not left out.
    how = {"model": model, "engine": engine, "copies": "keep"}
    return cs.fit(responses, **how, seed=0)


def checked(frame, model="bayesian_dawid_skene", engine="auto"):
    return cs.analysis.predictive_checks(fitted(frame, model, engine), seed=1)


def least(checks, check):
    return checks.loc[checks["check"] == check, "adjusted_p"].min()


def about_all(checks):
    """Return the rows about all pairs, items and labels."""
    columns = ["annotator", "share", "label"]
    return checks[checks[columns].isna().all(axis=1)].set_index("check")


@pytest.fixture(scope="module")
def plain():
    return answers(lambda _, who, __: 0.6 + 0.03 * who)


@pytest.fixture(scope="module")
def fit(plain):
    return fitted(plain)


@pytest.fixture(scope="module")
def point(plain):
    return fitted(plain, "dawid_skene", "em")


@pytest.fixture(scope="module")
def simulated():
    """Checks of studies by the parameters that they were drawn with, and by fitted."""
    tables = {"fitted": [], "true": []}
    for seed in range(STUDIES):
        frame, parameters = of_model(seed)
        fit = fitted(frame, "dawid_skene", "em")
        for which, several in tables.items():
            if which == "true":
                for name, value in parameters.items():
                    fit.data["posterior"][name][0, 0] = value
            checks = cs.analysis.predictive_checks(
                fit, replicates=REPLICATES, seed=seed
            )
            several.append(checks)
    return tables


@pytest.mark.parametrize("check", ["agreement", "votes", "errors"])
def test_observed_answers_are_as_often_above_as_below_replicated_ones(simulated, check):
    # Observed and replicated answers are exchangeable given the truth.
    p = np.array([about_all(each).loc[check, "p"] for each in simulated["true"]])
    assert abs(p.mean() - 0.5) < 4 * p.std(ddof=1) / np.sqrt(STUDIES)
    assert p.std() > 0.05


def test_p_values_are_uniform_given_the_parameters_but_not_where_they_are_fitted(
    simulated,
):
    def from_the_middle(which, check):
        p = [about_all(each).loc[check, "p"] for each in simulated[which]]
        return 2 * abs(np.array(p) - 0.5)

    for check in ("votes", "errors"):
        assert kstest(from_the_middle("true", check), "uniform").pvalue > 1e-3
    errors = from_the_middle("fitted", "errors")
    assert kstest(errors, "uniform").pvalue < 1e-3
    assert errors.max() < 0.9


@pytest.mark.parametrize("check", ["agreement", "votes", "errors"])
def test_adjusted_p_values_raise_few_false_alarms(simulated, check):
    alarms = sum(least(each, check) < FEW for each in simulated["true"])
    # Of all together, and of the rows.
    assert alarms <= binom.ppf(1 - 1e-4, STUDIES, 2 * FEW)
    # Those of the rows as they are raise more, of so many rows.
    p = [each.loc[each["check"] == check, "p"] for each in simulated["true"]]
    alone = sum((np.minimum(each, 1 - each) < FEW / 2).any() for each in p)
    assert alone > alarms


def test_a_model_that_is_right_is_reproduced(fit):
    checks = cs.analysis.predictive_checks(fit, seed=1)
    for check in ("agreement", "votes", "errors"):
        assert least(checks, check) > FEW


def test_a_pair_that_copies_agrees_too_often(plain, fit):
    wide = plain.pivot_table("label", "item", "annotator", aggfunc="first")
    both = wide["p1"].notna() & wide["p2"].notna()
    wide.loc[both, "p2"] = wide.loc[both, "p1"]
    copied = wide.reset_index().melt("item", value_name="label").dropna()
    for each, wrong in ((fitted(copied), True), (fit, False)):
        checks = cs.analysis.predictive_checks(each, seed=1)
        pairs = checks[checks["check"] == "agreement"]
        pair = pairs[
            (pairs["annotator"] == "p1") & (pairs["other_annotator"] == "p2")
        ].iloc[0]
        assert pair["n"] == both.sum()
        assert (pair["observed"] == 1) == wrong
        assert (pair["adjusted_p"] < FEW) == wrong
        assert (pair["p"] < FEW / 2) == wrong


def test_annotators_who_err_together_agree_too_often():
    # On half of the items there is one tempting label, which half of them give.
    generator = np.random.default_rng(0)
    truth = generator.integers(0, len(LABELS), 300)
    tempting = (truth + generator.integers(1, len(LABELS), 300)) % len(LABELS)

    def together(item, independent):
        if item % 2:
            return independent
        given = np.where(
            generator.random(len(independent)) < 0.5, tempting[item], truth[item]
        )
        return [LABELS[label] for label in given]

    frame = answers(lambda _, __, ___: 0.85)
    shared = frame.groupby("item", sort=False)["label"].transform(
        lambda given: together(int(given.name[1:]), list(given))
    )
    for label, wrong in ((shared, True), (frame["label"], False)):
        checks = checked(frame.assign(label=label), "hierarchical_dawid_skene")
        agreement = about_all(checks).loc["agreement"]
        assert (agreement["adjusted_p"] < FEW) == wrong
        assert (agreement["observed"] > agreement["upper"]) == wrong


def test_observed_values_are_those_of_the_answers(plain, point):
    checks = cs.analysis.predictive_checks(point)
    assert tuple(checks.columns) == COLUMNS
    wide = plain.pivot_table("label", "item", "annotator", aggfunc="first")
    equal, meetings, by_pair = 0, 0, {}
    for one, other in combinations(wide.columns, 2):
        pair = wide[[one, other]].dropna()
        same = (pair[one] == pair[other]).sum()
        by_pair[one, other] = (len(pair), pytest.approx(same / len(pair)))
        equal, meetings = equal + same, meetings + len(pair)
    pairs = checks[(checks["check"] == "agreement") & checks["annotator"].notna()]
    assert {
        (row.annotator, row.other_annotator): (row.n, row.observed)
        for row in pairs.itertuples()
    } == by_pair
    whole = about_all(checks)
    assert whole.loc["agreement", "observed"] == pytest.approx(equal / meetings)
    most = plain.groupby("item")["label"].agg(
        lambda x: x.value_counts(normalize=True).max()
    )
    assert whole.loc["votes", "observed"] == pytest.approx(most.mean())
    shares = checks[(checks["check"] == "votes") & checks["share"].notna()]
    for row in shares.itertuples():
        assert row.observed == pytest.approx(np.isclose(most, row.share).mean())
    assert shares["observed"].sum() == pytest.approx(1)
    assert shares["replicated"].sum() == pytest.approx(1)


def test_errors_are_differences_from_the_posterior_of_the_truth(plain, point):
    truth, observed = candidates(point.data), point.data["observed_data"]
    unit, answer = (observed[name].to_numpy() for name in ("item", "answer"))
    wrong = 1 - truth.probability[unit, answer]
    error = about_all(cs.analysis.predictive_checks(point)).loc["errors"]
    assert error["n"] == len(plain)
    assert error["observed"] == pytest.approx(wrong.mean(), abs=0.01)


def test_answers_are_drawn_by_the_posterior_and_the_prior(point):
    number, people, labels = 400, 10, len(LABELS)
    drawn_from = replication(point.data)
    space = drawn_from.space
    generator = np.random.default_rng(0)
    belief, new = np.zeros((space.num_units, labels)), np.zeros((people, labels))
    for drawn in drawn_from.draw(number, generator):
        belief[np.arange(space.num_units), drawn.truth] += 1
        np.add.at(new, (space.annotator, drawn.new), 1)
    probability = candidates(point.data).probability

    def furthest(counts, chance, total):
        error = np.sqrt(total * chance * (1 - chance)) + 1e-9
        # Those that hardly ever occur are not normal.
        far = np.abs(counts - total * chance) / error
        return far[total * chance * (1 - chance) > 5].max()

    assert furthest(belief, probability, number) < 5
    assert furthest(np.roll(belief, 1, 0), probability, number) > 5
    posterior = point.data["posterior"]
    prevalence, confusion = (
        posterior[name].to_numpy()[0, 0] for name in ("prevalence", "confusion")
    )
    chance = np.einsum("k,jkl->jl", prevalence, confusion)
    total = new.sum(1, keepdims=True)
    assert furthest(new, chance, total) < 5
    assert furthest(np.roll(new, 1, 0), chance, total) > 5
