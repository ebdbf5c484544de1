import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

import consilience as cs
from consilience import annotators
from consilience.errors import (
    BadCellError,
    GoldError,
    MissingColumnError,
    OneLabelError,
)

ALL = {
    cs.MajorityVote: "auto",
    cs.Multinomial: "em",
    cs.DawidSkene: "auto",
    cs.BayesianDawidSkene: "em",
    cs.HierarchicalDawidSkene: "vb",
    cs.OneCoinDawidSkene: "em",
    cs.SharedErrors: "em",
    cs.ClassConditional: "em",
    cs.MACE: "em",
    cs.CommunityBCC: "em",
    cs.EBCC: "em",
    cs.GLAD: "em",
    cs.BWA: "em",
    cs.ItemDifficulty: "em",
    cs.LogisticRandomEffects: "em",
}
# What scikit-learn asks of any estimator, whatever it is fitted to. (That a setting of
# a wrong type raises nothing cannot be asked where types are checked in tests.)
CHECKS = (
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
)


@pytest.fixture(scope="module")
def data():
    rows = [
        (task, worker, said)
        for task in range(7, 27)
        for worker, said in (
            ("ann", task % 2),
            ("bob", task % 2),
            ("cid", int(task % 3 == 0)),
        )
    ]
    return pd.DataFrame(rows, columns=["task", "worker", "label"])


@pytest.fixture(scope="module")
def fitted(data):
    return {kind: kind(engine=engine).fit(data) for kind, engine in ALL.items()}


@pytest.mark.parametrize("kind", ALL)
def test_parameters_are_stored_and_cloned(kind):
    copy = clone(kind(engine="em", random_state=7))
    assert copy.get_params()["engine"] == "em"
    assert copy.get_params()["random_state"] == 7
    assert not [name for name in vars(copy) if name.endswith("_")]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_own_checks_pass(kind, check):
    check(kind.__name__, kind())


@pytest.mark.parametrize("kind", ALL)
def test_what_is_asked_for_stands_in_the_signature(kind):
    names = set(inspect.signature(kind).parameters)
    assert names == set(kind().get_params())
    assert {"engine", "random_state"} <= names
    assert repr(kind(engine="em")) == f"{kind.__name__}(engine='em')"


@pytest.mark.parametrize("kind", ALL)
def test_every_estimator_names_a_model_and_the_settings_of_its_prior(kind):
    model = annotators.load(kind.model)
    assert model.engines
    assert kind.__doc__


def test_settings_of_the_prior_reach_the_model(data):
    few = cs.CommunityBCC(engine="em", prior={"communities": 2.0}).fit(data)
    assert few.fit_.data["posterior"].sizes["community"] == 2
    assert clone(few).get_params()["prior"] == {"communities": 2.0}


def test_fewer_restarts_are_made_when_asked_for(data):
    once = cs.MACE(n_restarts=1, engine="em").fit(data)
    twice = cs.MACE(n_restarts=2, engine="em").fit(data)
    assert once.fit_.data["optimization"].sizes["restart"] == 1
    assert twice.fit_.data["optimization"].sizes["restart"] == 2


@pytest.mark.parametrize("kind", ALL)
def test_labels_come_back_by_task_as_the_objects_that_went_in(kind, fitted, data):
    labels = fitted[kind].labels_
    assert labels.name == "agg_label"
    assert labels.index.name == "task"
    assert labels.index.dtype == data["task"].dtype
    assert labels.dtype == data["label"].dtype
    assert (labels == labels.index % 2).all()


@pytest.mark.parametrize("kind", ALL)
def test_probabilities_have_a_row_per_task_and_a_column_per_label(kind, fitted):
    probas = fitted[kind].probas_
    assert list(probas.columns) == [0, 1]
    assert probas.index.equals(fitted[kind].labels_.index)
    assert np.allclose(probas.sum(axis=1), 1)


@pytest.mark.parametrize("kind", ALL)
def test_errors_have_answers_in_rows_and_truths_in_columns(kind, fitted):
    errors = fitted[kind].errors_
    assert errors.index.names == ["worker", "label"]
    assert list(errors.columns) == [0, 1]
    for worker in ("ann", "bob", "cid"):
        assert np.allclose(errors.loc[worker].sum(axis=0), 1)


@pytest.mark.parametrize("kind", ALL)
def test_priors_say_how_frequent_each_label_is(kind, fitted):
    priors = fitted[kind].priors_
    assert list(priors.index) == [0, 1]
    assert priors.sum() == pytest.approx(1)


def test_errors_tell_the_good_worker_from_the_careless(fitted):
    errors = fitted[cs.BayesianDawidSkene].errors_
    assert errors.loc[("ann", 1), 1] > errors.loc[("cid", 1), 1]
    assert errors.loc[("ann", 0), 0] > errors.loc[("cid", 0), 0]


def test_majority_vote_gives_the_shares_of_the_votes_and_breaks_ties_in_order():
    rows = [("x", "a", "dog"), ("x", "b", "cat"), ("y", "a", "dog"), ("y", "b", "dog")]
    data = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    vote = cs.MajorityVote().fit(data)
    assert vote.labels_.to_dict() == {"x": "cat", "y": "dog"}
    assert vote.labels_.index.name == "item"
    assert vote.probas_.loc["x", "dog"] == pytest.approx(0.5)
    assert vote.fit_.items()["tied"].tolist() == [True, False]


def test_known_labels_are_believed(data):
    known = pd.Series([0], index=[7])
    labels = cs.DawidSkene().fit_predict(data, true_labels=known)
    assert labels[7] == 0
    assert labels[9] == 1


def test_known_labels_of_other_tasks_are_a_mistake(data):
    with pytest.raises(GoldError, match="99"):
        cs.DawidSkene().fit(data, true_labels=pd.Series([0], index=[99]))


def test_a_column_that_is_not_there_is_named(data):
    with pytest.raises(MissingColumnError, match="worker or annotator"):
        cs.DawidSkene().fit(data.drop(columns="worker"))


def test_an_empty_cell_is_a_mistake(data):
    holed = data.astype({"label": "float"})
    holed.loc[4, "label"] = np.nan
    with pytest.raises(BadCellError, match="row 5"):
        cs.DawidSkene().fit(holed)


def test_words_that_mean_missing_elsewhere_are_labels_here():
    rows = [(task, who, "NA") for task in (1, 2) for who in "ab"]
    rows += [(task, who, "") for task in (3, 4) for who in "ab"]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    assert cs.MajorityVote().fit_predict(data).to_dict() == {
        1: "NA",
        2: "NA",
        3: "",
        4: "",
    }


def test_one_label_alone_is_a_mistake_unless_categories_name_the_others():
    rows = [(1, "a", "cat"), (1, "b", "cat"), (2, "a", "cat")]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    with pytest.raises(OneLabelError, match="'cat'"):
        cs.MajorityVote().fit(data)
    data["label"] = pd.Categorical(data["label"], categories=["dog", "cat"])
    vote = cs.MajorityVote().fit(data)
    assert vote.labels_.tolist() == ["cat", "cat"]
    assert list(vote.probas_.columns) == ["dog", "cat"]


def test_dawid_skene_agrees_with_its_formula_on_the_first_answers(data):
    # One sweep from the shares of the votes: the M-step of Dawid and Skene (1979),
    # equation 2.3, and the E-step, equation 2.5, written out.
    shares = pd.crosstab(data["task"], data["label"], normalize="index")
    said = pd.crosstab([data["worker"], data["label"]], data["task"])
    expected = said @ shares
    expected = expected / expected.groupby("worker").transform("sum")
    result = cs.DawidSkene(n_iter=200, tol=0.0).fit(data)
    for _ in range(200):
        log = np.log(np.maximum(expected, 1e-300))
        joint = said.T @ log + np.log(shares.mean())
        joint = np.exp(joint.sub(joint.max(axis=1), axis=0))
        shares = joint.div(joint.sum(axis=1), axis=0)
        expected = said @ shares
        expected = expected / expected.groupby("worker").transform("sum")
    # The hundredth of a count on every cell moves ten answers a row by a thousandth.
    assert np.allclose(result.probas_, shares, atol=2e-3)
    assert np.allclose(result.errors_, expected, atol=2e-3)


def test_six_answers_are_not_sampled_unasked():
    six = pd.DataFrame(
        {"task": list("iiijjj"), "worker": list("abcabc"), "label": list("xxyyyx")}
    )
    said = cs.OneCoinDawidSkene().fit(six).fit_.data.attrs
    assert said["engine"] == "vb"
    assert "the engine nuts" in said["engine_reason"]
