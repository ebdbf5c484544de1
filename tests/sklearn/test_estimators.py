import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

import consilience as cs
from consilience.errors import DataError

# Those that keep more than a fit has, and one that does not; of the others, the
# examples in their docstrings fit each.
FITTED = {
    cs.sklearn.BayesianDawidSkene: "em",
    cs.sklearn.DawidSkene: "auto",
    cs.sklearn.OneCoinDawidSkene: "em",
    cs.sklearn.SharedErrors: "em",
    cs.sklearn.MACE: "em",
    cs.sklearn.GLAD: "em",
    cs.sklearn.BWA: "rule",
}
EVERY = [
    getattr(cs.sklearn, name)
    for name in cs.sklearn.__all__
    if name[0].isupper() and not name.endswith("Aggregator")
]
# What scikit-learn asks of any estimator, whatever it is fitted to; old versions lack
# some. (That a setting of a wrong type raises nothing cannot be asked where types are
# checked in tests.)
NAMES = (
    *("no_attributes_set_in_init", "get_params_invariance", "set_params"),
    *("estimator_cloneable", "estimator_repr", "estimator_tags_renamed"),
    *("mixin_order", "parameters_default_constructible", "valid_tag_types"),
)
CHECKS = [
    getattr(estimator_checks, f"check_{name}")
    for name in NAMES
    if hasattr(estimator_checks, f"check_{name}")
]
CLASSICAL = (
    cs.sklearn.MajorityVote,
    cs.sklearn.Wawa,
    cs.sklearn.ZeroBasedSkill,
    cs.sklearn.MMSR,
    cs.sklearn.KOS,
    cs.sklearn.DawidSkene,
    cs.sklearn.OneCoinDawidSkene,
    cs.sklearn.GLAD,
    cs.sklearn.MACE,
)


@pytest.fixture(scope="module")
def data():
    task = pd.Series(range(7, 27))
    answers = {"ann": task % 2, "bob": task % 2, "cid": (task % 3 == 0).astype(int)}
    wide = pd.DataFrame(answers).assign(task=task)
    return wide.melt("task", var_name="worker", value_name="label")


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_own_checks_pass(kind, check):
    check(kind.__name__, kind())


@pytest.mark.parametrize("kind", CLASSICAL)
def test_a_fit_can_be_pickled_repeated_and_shown(kind, data):
    estimator = kind()
    before = estimator.get_params()
    first = estimator.fit_predict(data)
    assert estimator.get_params() == before
    assert estimator.fit(data) is estimator
    again = pickle.loads(pickle.dumps(estimator))  # noqa: S301 (ours)
    assert again.fit_predict(data).equals(first)
    assert kind.__name__ in estimator._repr_html_()


def test_to_predict_before_a_fit_is_scikit_learns_error(data):
    predictions = [cs.sklearn.MMSR().predict_score]
    for kind in (
        cs.sklearn.Wawa,
        cs.sklearn.ZeroBasedSkill,
        cs.sklearn.GoldMajorityVote,
    ):
        predictions += [kind().predict, kind().predict_proba]
    for predict in predictions:
        with pytest.raises(NotFittedError):
            predict(data)


@pytest.mark.parametrize(("kind", "engine"), FITTED.items())
def test_what_is_learned_has_the_ids_and_labels_that_went_in(kind, engine, data):
    learned = kind(engine=engine).fit(data)
    labels, probas, errors = learned.labels_, learned.probas_, learned.errors_
    assert (labels.name, labels.index.name) == ("agg_label", "task")
    assert labels.index.dtype == data["task"].dtype
    assert labels.dtype == data["label"].dtype
    assert (labels == labels.index % 2).all()
    assert list(probas.columns) == [0, 1]
    assert probas.index.equals(labels.index)
    assert np.allclose(probas.sum(axis=1), 1)
    assert errors.index.names == ["worker", "label"]  # answers; truths in columns
    assert list(errors.columns) == [0, 1]
    assert np.allclose(errors.groupby("worker").sum(), 1)
    assert list(learned.priors_.index) == [0, 1]
    assert learned.priors_.sum() == pytest.approx(1)


def test_known_labels_are_believed_and_of_other_tasks_alone_a_mistake(data):
    known = pd.Series([0, 0], index=[7, 99])
    labels = cs.sklearn.DawidSkene().fit_predict(data, true_labels=known)
    assert (labels[7], labels[9]) == (0, 1)
    with pytest.raises(DataError, match="99"):
        cs.sklearn.DawidSkene().fit(data, true_labels=known[1:])


def test_an_empty_cell_is_a_mistake(data):
    holed = data.astype({"label": "float"})
    holed.loc[4, "label"] = np.nan
    for kind in CLASSICAL:
        with pytest.raises(DataError, match="row 5"):
            kind().fit(holed)


def test_words_that_mean_missing_elsewhere_are_labels_here():
    rows = [(task, who, "NA") for task in (1, 2) for who in "ab"]
    rows += [(task, who, "") for task in (3, 4) for who in "ab"]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    votes = cs.sklearn.MajorityVote().fit_predict(data)
    assert votes.to_dict() == {1: "NA", 2: "NA", 3: "", 4: ""}


def test_one_label_alone_is_a_mistake_unless_categories_name_the_others():
    rows = [(1, "a", "cat"), (1, "b", "cat"), (2, "a", "cat")]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    with pytest.raises(DataError, match="'cat'"):
        cs.sklearn.BayesianDawidSkene(engine="em").fit(data)
    data["label"] = pd.Categorical(data["label"], categories=["dog", "cat"])
    vote = cs.sklearn.BayesianDawidSkene(engine="em").fit(data)
    assert vote.labels_.tolist() == ["cat", "cat"]
    assert list(vote.probas_.columns) == ["dog", "cat"]


def test_dawid_skene_agrees_with_its_formula_on_the_first_answers(data):
    # One sweep from the shares of the votes: the M-step of Dawid and Skene (1979),
    # equation 2.3, and the E-step, equation 2.5, written out.
    shares = pd.crosstab(data["task"], data["label"], normalize="index")
    said = pd.crosstab([data["worker"], data["label"]], data["task"])
    expected = said @ shares
    expected = expected / expected.groupby("worker").transform("sum")
    result = cs.sklearn.DawidSkene(200, 0.0, prior={"smoothing": 1e-10}).fit(data)
    for _ in range(200):
        log = np.log(np.maximum(expected, 1e-300))
        joint = said.T @ log + np.log(shares.mean())
        joint = np.exp(joint.sub(joint.max(axis=1), axis=0))
        shares = joint.div(joint.sum(axis=1), axis=0)
        expected = said @ shares
        expected = expected / expected.groupby("worker").transform("sum")
    # Where all said the same, counts of nothing are a ten thousand millionth.
    raw = result.fit_.with_(truth="raw").labels()
    raw = raw.pivot_table(index="item", columns="label", values="probability")
    assert np.allclose(raw, shares, atol=1e-8)
    assert np.allclose(result.errors_, expected, atol=1e-8)
