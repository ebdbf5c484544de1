"""The published algorithms, by hand and by formula."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.special import softmax

import consilience as cs
from consilience.errors import ColumnError, OptionError
from consilience.sklearn.answers import answers_of
from consilience.sklearn.published import Glad, covariance, rank_one

TINY = pd.DataFrame(
    [
        *(("t1", "a", "x"), ("t1", "b", "x"), ("t1", "c", "y")),
        *(("t2", "a", "y"), ("t2", "b", "x"), ("t2", "c", "y")),
        *(("t3", "a", "x"), ("t3", "b", "y")),
    ],
    columns=["task", "worker", "label"],
)
answer_tables = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 1)),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:2],
).map(lambda rows: pd.DataFrame(rows, columns=["task", "worker", "label"]))


def crowd(skill, items, seed, labels=2):
    """Return answers of annotators of these accuracies to all items, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(labels, size=items)
    right = generator.random((items, len(skill))) < skill
    wrong = (truth[:, None] + generator.integers(1, labels, right.shape)) % labels
    label = np.where(right, truth[:, None], wrong)
    item, worker = np.indices(label.shape)
    table = {"task": item.ravel(), "worker": worker.ravel(), "label": label.ravel()}
    return pd.DataFrame(table), pd.Series(truth)


def test_votes_by_hand():
    vote = cs.sklearn.MajorityVote().fit(TINY)
    assert vote.labels_.tolist() == ["x", "y", "x"]  # t3 is tied
    assert vote.probas_.loc["t1"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert vote.skills_.to_dict() == {"a": 1.0, "b": 1 / 3, "c": 0.5}
    renamed = TINY.set_axis(["item", "annotator", "label"], axis=1)
    assert (
        cs.sklearn.MajorityVote()
        .fit(renamed)
        .labels_.equals(vote.labels_.rename_axis("item"))
    )
    weighted = cs.sklearn.MajorityVote().fit(
        TINY, pd.Series({"a": 1.0, "b": 4.0, "c": 0.0})
    )
    assert weighted.labels_.tolist() == ["x", "x", "y"]
    assert weighted.probas_.loc["t2"].tolist() == pytest.approx([0.8, 0.2])


def test_wawa_weighs_by_agreement_with_the_majority():
    wawa = cs.sklearn.Wawa().fit(TINY)
    assert wawa.skills_.to_dict() == {"a": 1.0, "b": 1 / 3, "c": 0.5}
    assert wawa.predict_proba(TINY).loc["t3"].tolist() == pytest.approx([3 / 4, 1 / 4])
    assert wawa.predict(TINY).tolist() == ["x", "y", "x"]


def test_gold_majority_vote_counts_any_of_several_true_labels():
    gold = pd.Series(["y", "x", "y"], index=["t1", "t2", "t2"])
    skills = cs.sklearn.GoldMajorityVote().fit(TINY, gold).skills_
    assert skills.to_dict() == {"a": 0.5, "b": 0.5, "c": 1.0}
    with pytest.raises(OptionError, match="without a skill"):
        cs.sklearn.GoldMajorityVote().fit(TINY, pd.Series({"t3": "x"})).predict(TINY)


@pytest.mark.parametrize(
    ("given_settings", "skills", "match"),
    [
        ({}, {"a": 1.0}, "without a skill, such as 'b'"),
        ({"on_missing_skill": "ignore"}, {"c": 1.0}, "1 tasks were answered by no"),
        ({"on_missing_skill": "value"}, {"a": 1.0}, "default_skill"),
        ({"default_skill": 1.0}, {"a": 1.0}, "default_skill"),
        ({"on_missing_skill": "guess"}, {"a": 1.0}, "ignore"),
    ],
)
def test_missing_skills_are_a_value_error(given_settings, skills, match):
    with pytest.raises(ValueError, match=match):
        cs.sklearn.MajorityVote(**given_settings).fit(TINY, pd.Series(skills))


@settings(max_examples=30, deadline=None)
@given(
    answer_tables,
    st.sampled_from([cs.sklearn.MajorityVote, cs.sklearn.DawidSkene, cs.sklearn.GLAD]),
)
def test_probabilities_sum_to_one_whatever_the_answers(table, kind):
    probas = kind().fit_predict_proba(table)
    assert np.allclose(probas.sum(axis=1), 1)
    assert probas.index.tolist() == sorted(table["task"].unique())


def test_glad_climbs_by_its_own_slope(fifteen):
    answers = answers_of(fifteen)
    generator = np.random.default_rng(0)
    em = Glad(answers, np.log([0.2, 0.3, 0.5]), np.ones(5), np.zeros(15))
    probas = softmax(generator.normal(size=(15, 3)), axis=1)
    point = generator.normal(size=20)
    slope = em.objective(point, probas)[1]
    numerical = approx_fprime(point, lambda x: em.objective(x, probas)[0], 1e-7)
    assert np.allclose(slope, numerical, atol=1e-4)
    assert not np.allclose(slope, 1.1 * numerical, atol=1e-4)


def test_glad_tells_who_is_able_and_takes_priors():
    skill = np.array([0.95, 0.9, 0.7, 0.55])
    table, truth = crowd(skill, 300, seed=0)
    glad = cs.sklearn.GLAD().fit(table)
    assert (np.diff(glad.alphas_) < 0).all()
    assert glad.betas_.index.equals(glad.labels_.index)
    assert (glad.labels_ == truth).mean() > 0.85
    sure = cs.sklearn.GLAD(n_iter=0, labels_priors=pd.Series({0: 1 - 1e-9, 1: 1e-9}))
    assert (sure.fit_predict(table) == 0).all()
    worse = cs.sklearn.GLAD(alphas_priors_mean=pd.Series({0: -30.0})).fit(table)
    assert worse.alphas_[0] < glad.alphas_[0]


def test_kos_sees_through_spammers_where_votes_do_not():
    # Five who know, and twelve who toss a coin.
    skill = np.array([0.95] * 5 + [0.5] * 12)

    def gained(skill, seed):
        table, truth = crowd(skill, 60, seed)
        both = (
            kind().fit_predict(table)
            for kind in (cs.sklearn.MajorityVote, cs.sklearn.KOS)
        )
        return np.diff([(labels == truth).mean() for labels in both])[0]

    gain = np.array([gained(skill, seed) for seed in range(10)])
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(10)
    # Twin: where all are alike there is nothing to gain.
    assert abs(gained(np.full(5, 0.8), 0)) < 0.1


def test_rank_one_is_recovered_with_adversaries():
    skill = np.array([0.9, 0.7, 0.5, 0.8, -0.6, 0.4, 0.65])
    product = np.outer(skill, skill)
    observed = ~np.eye(7, dtype=bool)
    how = {"items": 10_000, "n_iter": 5000, "tol": 1e-12, "seed": 0}
    result, history = rank_one(product, observed, **how)
    assert np.allclose(result, skill, atol=1e-6)
    assert history[-1] < 1e-12
    # Two entries in a column may be anything; of the mean of all, they may not.
    product[0, 1] = product[1, 0] = 1.0
    robust, _ = rank_one(product, observed, **how)
    assert np.abs(robust - skill).max() < 0.05


def test_mmsr_estimates_accuracies():
    skill = np.array([0.9, 0.85, 0.8, 0.75, 0.7, 0.65])
    table, truth = crowd(skill, 4000, seed=1)
    mmsr = cs.sklearn.MMSR().fit(table)
    # Of the accuracy of a pair, one standard error is .02; trimming adds to it.
    estimate = 1 / (1 + np.exp(-mmsr.skills_.to_numpy()))
    assert np.abs(estimate - skill).max() < 0.06
    assert (mmsr.predict(table) == truth).mean() > 0.9
    pairs, observed = covariance(answers_of(table))
    assert np.allclose(pairs[observed], pairs.T[observed])


def test_a_prior_of_counts_stays_in_every_step(fifteen):
    labels = list("abc")
    index = pd.MultiIndex.from_product([[*"pqrst"], labels], names=["worker", "label"])
    counts = pd.DataFrame(np.tile(5 * np.eye(3), (5, 1)), index, labels)
    next_to_none = {"smoothing": 1e-9}
    estimator = cs.sklearn.DawidSkene(2000, 0.0, "prior", prior=next_to_none)
    fitted = estimator.fit(fifteen, initial_error=counts)
    raw = fitted.fit_.with_(truth="raw").labels()
    raw = raw.pivot_table(index="item", columns="label", values="probability")
    given = pd.crosstab([fifteen["worker"], fifteen["label"]], fifteen["task"])
    given = given @ raw.to_numpy(float)
    expected = given + counts.to_numpy()
    expected /= expected.groupby("worker").transform("sum")
    assert np.allclose(fitted.errors_, expected, atol=1e-6)
    # Twin: without the counts it is another step.
    given /= given.groupby("worker").transform("sum")
    assert np.abs(fitted.errors_.to_numpy() - given.to_numpy()).max() > 0.05
    few = (
        cs.sklearn.DawidSkene(3, 0.0, "prior")
        .fit(fifteen, initial_error=counts)
        .errors_
    )
    for strategy in (None, "assign", "addition"):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            again = cs.sklearn.DawidSkene(3, 0.0, strategy).fit(
                fifteen, initial_error=counts
            )
        pd.testing.assert_frame_equal(again.errors_, few)
        stated = ['taken as "prior"' in str(each.message) for each in heard]
        assert stated == ([] if strategy is None else [True])


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (lambda e: e * 0, "sum of each worker's error matrix in initial_error"),
        (lambda e: e.loc[["p"]], "lacks answers of 4 annotators"),
        (lambda e: e.rename_axis(["a", "b"]), "indexed by"),
        (lambda e: -e, "negative"),
    ],
)
def test_errors_that_cannot_be_started_from_are_a_value_error(fifteen, table, match):
    errors = cs.sklearn.DawidSkene(3).fit(fifteen).errors_
    assign = cs.sklearn.DawidSkene(initial_error_strategy="assign")
    with pytest.raises(ValueError, match=match):
        assign.fit(fifteen, initial_error=table(errors))
    with pytest.raises(OptionError, match="addition"):
        cs.sklearn.DawidSkene(initial_error_strategy="sum").fit(
            fifteen, initial_error=errors
        )


@pytest.mark.parametrize("column", ["task", "worker", "label"])
def test_a_missing_column_is_a_key_error_that_reads_well(column, fifteen):
    with pytest.raises(KeyError) as caught:
        cs.sklearn.DawidSkene().fit(fifteen.drop(columns=column))
    assert isinstance(caught.value, ColumnError)
    assert str(caught.value).startswith("the data frame has no column")
    assert column in str(caught.value)


def test_lists_of_labels_are_aggregated_label_by_label():
    given = [["cat", "dog"], ["cat"], ["cat", "dog"], ["fox"], ["cow"], ["hen"]]
    table = pd.DataFrame(
        {"task": list("xxxyyy"), "worker": list("abcabc"), "label": given}
    )
    relevance = cs.sklearn.BinaryRelevance().fit(table)
    assert relevance.labels_.to_dict() == {"x": ["cat", "dog"], "y": []}
    assert set(relevance.aggregators_) == {"cat", "cow", "dog", "fox", "hen"}
    assert relevance.aggregators_["cat"].labels_["x"]
