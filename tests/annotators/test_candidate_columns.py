"""Columns of candidates in models of choice: the prior, its weights, their worth."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from benchmarks.simulation_based_calibration import replace_answers
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from tests.studies import crossed, score

import consilience as cs
from consilience.annotators import load
from consilience.cli.pages import fit_page
from consilience.errors import DataError, OptionError
from consilience.inference import EngineOptions
from consilience.inference.engines import em, vb
from consilience.model import lay_out, num_substates, simulate
from consilience.responses import read
from consilience.spaces import space_of

ITEMS, PEOPLE, PER_ITEM, LABELS = 100, 12, 3, ("x", "y", "z")
ONCE = EngineOptions(restarts=1)


def table_of(number, columns, generator, labels=LABELS):
    """Columns of every label of so many items."""
    item = [f"i{item:04d}" for item in np.arange(number).repeat(len(labels))]
    table = pd.DataFrame({"item": item, "label": np.resize(labels, len(item))})
    for column in columns:
        table[column] = generator.normal(size=len(table))
    return table


def design_of(number, known, generator, labels=LABELS, per_item=PER_ITEM, gold=None):
    frame = crossed(number, PEOPLE, per_item, generator)
    frame = frame.assign(label=np.resize(labels, len(frame)))
    responses = read(frame, labels=list(labels), kind="choice")
    return space_of(responses, lists=known, gold=gold)


@pytest.fixture(scope="module")
def model():
    """A prior that is learned stays near its start, so that studies can be drawn."""
    return load("one_coin_dawid_skene", {"held": 100.0})


@pytest.fixture(scope="module")
def design():
    generator = np.random.default_rng(0)
    known = table_of(ITEMS, ["score", "rank"], generator)
    return design_of(ITEMS, known, generator)


# The prior.


# Tables are summed in one way, with states that are finer than labels and without.
@pytest.mark.parametrize("name", ["ebcc", "glad", "structured"])
def test_answers_sum_to_a_multinomial_logit(name, every_answer, some_parameters):
    model = load(name)
    generator = np.random.default_rng(0)
    labels = ("l0", "l1", "l2")
    index = [(f"i{unit:03d}", label) for unit in range(9) for label in labels]
    known = pd.DataFrame(index, columns=["item", "label"])
    # All items alike, as the sum over answers runs over them.
    known["score"] = np.tile(generator.normal(size=3), 9)
    space = every_answer("choice", 3, lists=known)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = dict(some_parameters(model, observations))
        # GLAD holds labels to be as likely.
        even = name == "glad"
        log_prevalence = np.log(np.full(3, 1 / 3) if even else [0.5, 0.3, 0.2])
        given_as = (
            log_prevalence if model.closed(observations) else np.exp(log_prevalence)
        )
        parameters["prevalence"] = jnp.asarray(given_as)
        parameters["weight"] = jnp.array([0.7])
        scores = np.exp(score(model, observations, parameters)).sum(0)
    odds = log_prevalence + 0.7 * space.covariates.value[0, :, 0]
    total = scores.reshape(-1, num_substates(model)).sum(1)
    assert np.allclose(total, softmax(odds))
    assert not np.allclose(total, softmax(log_prevalence), rtol=0.01)


# Golden values: with the truth of every item given, the fit is a regression.


def golden(number, labels, columns, weights, seed_of=1):
    generator = np.random.default_rng(seed_of)
    known = table_of(number, columns, generator, labels)
    value = known[list(columns)].to_numpy().reshape(number, len(labels), -1)
    odds = value @ np.asarray(weights) + np.linspace(0, 0.8, len(labels))
    truth = (odds + generator.gumbel(size=odds.shape)).argmax(1)
    gold = pd.DataFrame(
        {
            "item": [f"i{item:04d}" for item in range(number)],
            "label": [labels[k] for k in truth],
        }
    )
    spread = known[list(columns)].std(ddof=0).to_numpy()
    space = design_of(number, known, generator, labels, gold=gold)
    return space, (value - value.mean((0, 1))) / spread, truth


def test_given_the_truth_weights_are_those_of_logistic_regression():
    # GLAD holds labels to be as likely: no intercept. Its prior N(0, 1) is C = 1.
    space, value, truth = golden(300, ("x", "y"), ["b", "c"], [1.0, -0.5])
    regression = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10)
    regression.fit(value[:, 1] - value[:, 0], truth)
    with jax.enable_x64(True):
        result = em.fit(load("glad"), space, 0, ONCE)
    assert result.parameters["weight"][0, 0] == pytest.approx(
        regression.coef_[0], abs=2e-3
    )
    assert regression.coef_[0][0] != pytest.approx(1.0, abs=2e-3)


def test_given_the_truth_closed_forms_find_the_penalised_multinomial_logit():
    space, value, truth = golden(ITEMS, LABELS, ["b", "c"], [1.0, -0.5])

    def loss(position):
        logs, weights = position[:3], position[3:]
        chosen = log_softmax(logs + value @ weights, axis=1)[np.arange(ITEMS), truth]
        # Prevalence: shares of Gamma(1) variables, most probable in logarithms.
        return -(chosen.sum() + (logs - np.exp(logs)).sum() - 0.5 * (weights**2).sum())

    best = minimize(loss, np.zeros(5), tol=1e-12).x
    with jax.enable_x64(True):
        result = em.fit(load("bayesian_dawid_skene"), space, 0, ONCE)
    assert result.parameters["weight"][0, 0] == pytest.approx(best[3:], abs=2e-3)
    assert result.parameters["prevalence"][0, 0] == pytest.approx(
        softmax(best[:3]), abs=2e-3
    )


# Simulation: weights are found again.


def fitted(model, space, answer):
    responses = replace_answers(space, np.asarray(answer))
    return vb.fit(model, responses, 7, replace(ONCE, draws=100))


@pytest.fixture(scope="module")
def strong(model, design):
    """A study whose first column tells much, and the second nothing."""
    with jax.enable_x64(True):
        data = {"weight": jnp.array([1.5, 0.0])}
        return simulate(model, design, jax.random.key(1), given=data)


def bounds(result, name):
    return np.quantile(result.parameters[name][0], [0.05, 0.95], 0)


def test_a_column_that_tells_nothing_has_no_weight(model, design, strong):
    with jax.enable_x64(True):
        fit = fitted(model, design, strong.answer)
        mixed = np.random.default_rng(0).permutation(np.asarray(strong.answer))
        shuffled = fitted(model, design, mixed)
    lower, upper = bounds(fit, "weight")
    assert lower[0] > 0.5
    assert lower[1] < 0 < upper[1]
    lower, upper = bounds(shuffled, "weight")
    assert (lower < 0).all()
    assert (upper > 0).all()
    assert (
        bounds(fit, "relative_information")[0]
        > bounds(shuffled, "relative_information")[1]
    )


# What is made of a fit.


SIX = ("r", "s", "t", "x", "y", "z")


@pytest.fixture(scope="module")
def study():
    """Answers of two people about each item, and what a classifier says of labels.

    Returns the answers, its scores of all six labels, those of its best three, and the
    truth, which is among these three for most items.
    """
    generator = np.random.default_rng(2)
    known = table_of(200, ["score"], generator, SIX)
    odds = 1.5 * known["score"].to_numpy().reshape(200, 6)
    truth = (odds + generator.gumbel(size=odds.shape)).argmax(1).repeat(2)
    right = generator.random(400) < 0.6
    said = np.where(right, truth, (truth + generator.integers(1, 6, 400)) % 6)
    frame = crossed(200, PEOPLE, 2, generator).assign(label=[SIX[k] for k in said])
    rank = known.groupby("item")["score"].rank(ascending=False)
    return frame, known, known[rank <= 3], np.array([SIX[k] for k in truth[::2]])


@pytest.fixture(scope="module")
def fit(study):
    frame, _, listed, _ = study
    effort = cs.EngineOptions(restarts=1, draws=40)
    return cs.fit(
        frame,
        model="one_coin_dawid_skene",
        engine="vb",
        candidates=listed,
        effort=effort,
    )


def hits(fit, truth):
    return (fit.items()["label"].astype(str).to_numpy() == truth).mean()


def test_a_fit_tells_weights_slopes_and_worth(study, fit):
    _, _, listed, _ = study
    row = fit.table("covariate_effects").iloc[0]
    assert row["column"] == "score"
    assert 0 < row["lower"] < row["weight"] < row["upper"]
    assert row["slope"] == pytest.approx(row["weight"] / listed["score"].std(ddof=0))
    row = fit.table("relative_information").iloc[0]
    information = row["relative_information"]
    assert 0 < row["lower"] < information < row["upper"]
    page = "\n".join(str(part) for part in fit_page(fit).renderables)
    assert f"about the truth as {information:.2f} (" in page


def test_labels_that_only_annotators_gave_are_not_favoured_for_it(study, fit):
    _, _, listed, truth = study
    unlisted = fit.table("covariate_effects").set_index("column").loc["unlisted"]
    assert unlisted["upper"] < 0
    # What is learned of them is how often the truth is not among the best three, not
    # how often it is where somebody said so.
    best = listed.groupby("item")["label"].agg(set)
    true = pd.Series(truth, best.index)
    off = np.mean(
        [label not in labels for label, labels in zip(true, best, strict=True)]
    )
    here = fit.labels().astype({"item": str, "label": str})
    there = here.merge(listed, how="left", on=["item", "label"])["score"].isna()
    promised = here["probability"][there].sum() / 200
    answered = here["item"][there].nunique() / 200
    error = np.sqrt(off * (1 - off) / 200)
    assert promised - off < 4 * error
    assert answered - off > 4 * error


def test_new_items_are_believed_by_the_weights_of_the_earlier_fit(study, fit, tmp_path):
    frame, _, known, truth = study
    fit.save(tmp_path / "run")
    kept = cs.load(tmp_path / "run")
    pd.testing.assert_frame_equal(
        kept.table("covariate_effects"), fit.table("covariate_effects")
    )
    names = {f"i{item:04d}": f"new {item:04d}" for item in range(200)}
    later = frame.assign(item=frame["item"].map(names))
    reported = known.assign(item=known["item"].map(names))
    with_columns = cs.predict(kept, later, candidates=reported)
    assert hits(with_columns, truth) > hits(cs.predict(kept, later), truth)
    assert with_columns.table("relative_information")["relative_information"][
        0
    ] == pytest.approx(
        fit.table("relative_information")["relative_information"][0], rel=0.1
    )
    with pytest.raises(OptionError, match="the earlier fit had score, unlisted"):
        cs.predict(kept, later, candidates=reported.rename(columns={"score": "other"}))


# What is refused, and what is said.

SAID = pd.DataFrame(
    [("i", "ann", "x"), ("j", "ann", "y"), ("j", "bob", "z")],
    columns=["item", "annotator", "label"],
)
KNOWN = pd.DataFrame(
    {"item": list("iijj"), "label": list("xyyz"), "score": ["0.1", "1", "2", "3"]}
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"score": ["0.1", "much", "2", "3"]}, "'score', row 2: found 'much'"),
        ({"label": list("xxyz")}, "item 'i' and label 'x' twice"),
        ({"log_odds": ["0", "?", "0", None]}, "'log_odds', row 2: found '\\?'"),
    ],
)
def test_columns_that_are_no_numbers_of_the_candidates_are_refused(changed, said):
    with pytest.raises(DataError, match=said):
        space_of(read(SAID), lists=KNOWN.assign(**changed))


def test_log_odds_are_taken_as_they_are_and_other_columns_left():
    lists = KNOWN.assign(log_odds=["1", "0", "0", None])
    space = space_of(read(SAID), lists=lists)
    assert space.covariates.names == ()
    assert space.log_prior[0].tolist() == [0.0, -1.0]  # the difference
    assert "other columns are not used" in space.assumptions[-1]
    alone = space_of(read(SAID), lists=lists.drop(columns="score"))
    assert "unused" not in alone.assumptions[-1]


def test_candidates_that_only_annotators_gave_are_told_apart():
    space = space_of(read(SAID), lists=KNOWN[:3])
    assert space.state[1].tolist() == [1, 2]
    assert space.covariates.names == ("score", "unlisted")
    assert space.covariates.value[1, 1, 0] == 0
    assert (space.covariates.value[:, :, 1] > 0).tolist() == [[0, 0], [0, 1]]
    every = pd.DataFrame({"item": list("iiijjj"), "label": list("xyz") * 2, "c": 1})
    assert space_of(read(SAID), lists=every).covariates.names == ("c",)
