import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

import consilience as cs
from consilience import annotators
from consilience.errors import (
    ColumnError,
    DataError,
)

ALL = {
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
    cs.BWA: "rule",
    cs.ItemDifficulty: "em",
    cs.LogisticRandomEffects: "gibbs",
}
# What scikit-learn asks of any estimator, whatever it is fitted to. (That a setting of
# a wrong type raises nothing cannot be asked where types are checked in tests.)
CHECKS = (
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_mixin_order,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_valid_tag_types,
)
# They give what is no table, which types in tests refuse first.
TYPES_ARE_CHECKED = {
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimators_unfitted",
}
# These fit to a matrix of numbers, and a table of answers is none. What they are after
# is tested below where it has a meaning: pickling, and that a fit changes no parameter,
# can be repeated, and does not depend on the order of the answers.
FIT_TO_A_MATRIX = {
    "check_array_api_input",
    "check_complex_data",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_estimator_sparse_tag",
    "check_estimators_dtypes",
    "check_estimators_empty_data_messages",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit1d",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
}
CLASSICAL = (
    cs.MajorityVote,
    cs.Wawa,
    cs.ZeroBasedSkill,
    cs.MMSR,
    cs.KOS,
    cs.DawidSkene,
    cs.OneCoinDawidSkene,
    cs.GLAD,
    cs.MACE,
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


@pytest.mark.parametrize("kind", {**ALL, **dict.fromkeys(CLASSICAL)})
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_own_checks_pass(kind, check):
    check(kind.__name__, kind())


def test_every_check_of_scikit_learn_is_run_or_named_as_one_of_matrices():
    class OfMatrices(cs.Wawa):
        """Tags keep the checks of matrices away; here they are asked for."""

        def __sklearn_tags__(self):
            return BaseEstimator.__sklearn_tags__(self)

    checks = estimator_checks.estimator_checks_generator(OfMatrices(), legacy=True)
    names = {getattr(check, "func", check).__name__ for _, check in checks}
    ours = {check.__name__ for check in CHECKS}
    assert names - ours - TYPES_ARE_CHECKED == FIT_TO_A_MATRIX
    assert not ours & FIT_TO_A_MATRIX


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


@pytest.mark.parametrize("kind", CLASSICAL)
def test_the_order_of_the_answers_does_not_matter(kind, data):
    if kind in (cs.KOS, cs.MACE):
        pytest.skip("it starts at random numbers for the answers as they come")
    turned = data.sample(frac=1, random_state=1)
    assert kind().fit_predict(data).equals(kind().fit_predict(turned))


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("kind", [cs.Wawa, cs.ZeroBasedSkill, cs.GoldMajorityVote])
def test_to_predict_before_a_fit_is_scikit_learns_error(kind, method, data):
    with pytest.raises(NotFittedError):
        getattr(kind(), method)(data)
    with pytest.raises(NotFittedError):
        cs.MMSR().predict_score(data)


@pytest.mark.parametrize("kind", ALL)
def test_what_is_asked_for_stands_in_the_signature(kind):
    names = set(inspect.signature(kind).parameters)
    assert names == set(kind().get_params())
    assert {"engine", "random_state"} <= names
    assert repr(kind(engine="nuts")) == f"{kind.__name__}(engine='nuts')"


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


def test_known_labels_are_believed(data):
    known = pd.Series([0], index=[7])
    labels = cs.DawidSkene().fit_predict(data, true_labels=known)
    assert labels[7] == 0
    assert labels[9] == 1


def test_known_labels_of_other_tasks_are_not_used_and_alone_a_mistake(data):
    with pytest.raises(DataError, match="99"):
        cs.DawidSkene().fit(data, true_labels=pd.Series([0], index=[99]))
    some = pd.Series([0, 0], index=[7, 99])
    assert cs.DawidSkene().fit_predict(data, some)[7] == 0


def test_a_column_that_is_not_there_is_named(data):
    with pytest.raises(ColumnError, match="worker or annotator"):
        cs.DawidSkene().fit(data.drop(columns="worker"))


def test_an_empty_cell_is_a_mistake(data):
    holed = data.astype({"label": "float"})
    holed.loc[4, "label"] = np.nan
    with pytest.raises(DataError, match="row 5"):
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
    with pytest.raises(DataError, match="'cat'"):
        cs.BayesianDawidSkene(engine="em").fit(data)
    data["label"] = pd.Categorical(data["label"], categories=["dog", "cat"])
    vote = cs.BayesianDawidSkene(engine="em").fit(data)
    assert vote.labels_.tolist() == ["cat", "cat"]
    assert list(vote.probas_.columns) == ["dog", "cat"]


def test_dawid_skene_agrees_with_its_formula_on_the_first_answers(data):
    # One sweep from the shares of the votes: the M-step of Dawid and Skene (1979),
    # equation 2.3, and the E-step, equation 2.5, written out.
    shares = pd.crosstab(data["task"], data["label"], normalize="index")
    said = pd.crosstab([data["worker"], data["label"]], data["task"])
    expected = said @ shares
    expected = expected / expected.groupby("worker").transform("sum")
    result = cs.DawidSkene(200, 0.0, prior={"smoothing": 1e-10}).fit(data)
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


def test_six_answers_are_not_sampled_unasked():
    six = pd.DataFrame(
        {"task": list("iiijjj"), "worker": list("abcabc"), "label": list("xxyyyx")}
    )
    said = cs.OneCoinDawidSkene(engine="auto").fit(six).fit_.data.attrs
    assert said["engine"] == "vb"
    assert "the engine nuts" in said["engine_reason"]
