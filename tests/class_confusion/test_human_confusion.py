"""How people call classes: golden values, recovery, and intervals that hold."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import comb, gammaln
from scipy.stats import beta, betabinom, binom, dirichlet_multinomial

import consilience as cs
from consilience.analysis.class_confusion import human_confusion
from consilience.class_confusion import likelihood
from consilience.class_confusion.confusion_posterior import (
    ConfusionPosterior,
    beta_from_moments,
    evidence,
)
from consilience.class_confusion.dataset_label import LabelCounts
from consilience.errors import KindError, OptionError

LABELS, ITEMS, ANSWERS, SPREAD = 30, 12, 9, 2.0
GROUPS = np.arange(LABELS) // 10
# Own label, labels of the superclass, any label: a class of ten imagined answers.
PRIOR = (
    6.0 * np.eye(LABELS)
    + 3.0 * (GROUPS[:, None] == GROUPS) / 10
    + 1.0 * np.ones((LABELS, LABELS)) / LABELS
)


def one_dirichlet(generator):
    return np.stack([generator.dirichlet(row) for row in PRIOR])


def apart(generator):
    """Classes differ much in how often they are called otherwise, little in what."""
    others = PRIOR * (1 - np.eye(LABELS))
    concentration = 20 * others / others.sum(1, keepdims=True) + 1e-9 * np.eye(LABELS)
    truth = np.stack([generator.dirichlet(row) for row in concentration])
    share = generator.beta(1.5, 1.0, LABELS)
    return truth * (1 - share)[:, None] + np.diag(share)


def responses_of(own, item, label):
    """Return answers about items of such classes."""
    rows = pd.DataFrame(
        {
            "item": [f"i{number:05d}" for number in item],
            "label": [f"l{number:02d}" for number in label],
        }
    )
    names = [f"l{number:02d}" for number in range(LABELS)]
    items = pd.DataFrame(
        {
            "item": [f"i{number:05d}" for number in range(len(own))],
            "dataset_label": [names[each] for each in own],
        }
    )
    read = cs.read(rows, kind="choice", labels=names)
    labels = read.labels.assign(parent=[f"p{group}" for group in GROUPS])
    return replace(read, items=items, labels=labels)


def drawn(seed, naming=one_dirichlet):
    """Answers of a study, and the true P(label | class)."""
    generator = np.random.default_rng(seed)
    truth = naming(generator)
    own = np.repeat(np.arange(LABELS), ITEMS)
    of_item = np.stack([generator.dirichlet(SPREAD * truth[c] + 1e-9) for c in own])
    votes = np.stack([generator.multinomial(ANSWERS, each) for each in of_item])
    item, label = np.nonzero(votes)
    number = votes[item, label]
    answers = own, np.repeat(item, number), np.repeat(label, number)
    return answers, truth


def learn(answers):
    return human_confusion(responses_of(*answers)).posterior


@pytest.fixture(scope="module")
def studies():
    result = map(drawn, range(6))
    return [(*study, learn(study[0])) for study in result]


def held(naming, truth, prob=0.9):
    """Share of each class's cells worth looking at that the intervals hold."""
    cells = (each.ravel() for each in np.indices(truth.shape))
    distribution = beta_from_moments(*naming.moments(*cells))
    here, elsewhere = (each.reshape(truth.shape) for each in distribution)
    tail = (1 - prob) / 2
    inside = (beta.ppf(tail, here, elsewhere) <= truth) & (
        truth <= beta.ppf(1 - tail, here, elsewhere)
    )
    seen = naming.probability >= 0.03
    return (inside & seen).sum(1) / seen.sum(1)


@pytest.mark.study
def test_nine_tenths_intervals_hold_the_true_naming_nine_times_in_ten(studies):
    result = np.concatenate([held(naming, truth) for _, truth, naming in studies])
    error = result.std(ddof=1) / np.sqrt(len(result))
    assert abs(result.mean() - 0.9) < 4 * error + 0.02  # effective numbers are so-so


@pytest.mark.study
def test_the_same_check_catches_answers_that_are_taken_for_independent(studies):
    results = []
    for (own, item, label), truth, _ in studies[: len(studies) // 2]:
        # Each answer an item of its own: nothing goes together any more.
        alone = own[item], np.arange(len(item)), label
        results.append(held(learn(alone), truth))
    results = np.concatenate(results)
    error = results.std(ddof=1) / np.sqrt(len(results))
    assert results.mean() < 0.9 - 4 * error - 0.02


@pytest.fixture(scope="module", params=[1, pytest.param(4, marks=pytest.mark.study)])
def differing(request):
    results = (drawn(seed, apart) for seed in range(3, 3 + request.param))
    return [(learn(given), truth) for given, truth in results]


def own_held(learned, truth, **changed):
    """Whether nine-tenths intervals hold how often each class is called its own."""
    result = learned.mean()._replace(**changed)
    lapse = float(result.lapse)
    distribution = stats.beta(*likelihood.posterior_beta(learned.counts, result))
    share = np.diagonal(truth) / (1 - lapse)
    return (distribution.ppf(0.05) <= share) & (share <= distribution.ppf(0.95))


@pytest.mark.study
def test_classes_may_differ_in_how_often_and_not_in_what_else_they_are_called(
    differing,
):
    inside = np.concatenate([own_held(*study) for study in differing])
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.09 / inside.size)


@pytest.mark.study
def test_the_same_check_catches_one_distribution_for_both(differing):
    # As close to what is known beforehand as the other labels are.
    inside = np.concatenate([own_held(*study, classes=40.0) for study in differing])
    assert inside.mean() < 0.9 - 4 * np.sqrt(0.09 / inside.size)


@pytest.mark.study
def test_the_correlation_within_items_is_found(studies):
    results = [naming.centre.correlation for _, _, naming in studies]
    error = np.std(results, ddof=1) / np.sqrt(len(results))
    assert abs(np.mean(results) - 1 / (1 + SPREAD)) < 4 * error


# Golden values


def of(own, cells, num_labels=3, parent=None):
    table = np.array(cells, int).reshape(-1, 4)
    item, label, votes, asides = table.T
    return LabelCounts(
        dataset_label=np.array(own, int),
        item=item,
        label=label,
        votes=votes.astype(float),
        asides=asides.astype(float),
        parent=parent,
        num_labels=num_labels,
    )


def test_evidence_is_as_by_hand():
    # Class 0: called 0 twice and 1 once, 2 aside. Class 1: called 0 once. Class 2:
    # called 0 and 1 once each, 2 twice.
    given = of(
        [0, 1, 2],
        [
            *((0, 0, 2, 0), (0, 1, 1, 0), (0, 2, 0, 1), (1, 0, 1, 0)),
            *((2, 0, 1, 0), (2, 1, 1, 0), (2, 2, 2, 0)),
        ],
        parent=np.array([0, 0, 1]),
    )
    result = evidence(given)
    assert np.array_equal(result["reverse"], [[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    # Labels 0 and 1 are both given to class 2: one in four answers, by one answer.
    assert result["together"][0, 1] == pytest.approx(0.25)
    assert result["together"][0, 0] == 0
    assert result["reverse_aside"][2, 0] == 1
    # Aside and main in class 0: label 2 (a third of an answer) by label 1's one.
    assert result["together_aside"][2, 1] == pytest.approx(1 / 3)
    assert result["together_aside"][1, 2] == pytest.approx(1 / 3)
    assert np.allclose(result["superclass"], [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    popular = result["popular"]
    assert popular[0, 1] == pytest.approx(2.001 / 2.002)  # 0's own label is not asked
    assert np.allclose(result["any"], (1 - np.eye(3)) / 2)
    assert "superclass" not in evidence(replace(given, parent=None))


def learnable(evidence, **changed):
    """What is learned of all classes: items do not differ, and nobody lapses."""
    weight = np.exp(np.linspace(-0.5, 0.5, len(evidence)))
    sure = np.exp(25.0)
    plain = likelihood.Hyperparameters(weight, 1.5, 0.4, 5.0, sure, sure, 1e-12, 0.2)
    return plain._replace(**changed)


def laid_out(given):
    """Return the evidence, kind by kind, and the arrays of the likelihood."""
    matrices = evidence(given)
    stacked = np.stack(list(matrices.values()))
    return matrices, stacked, likelihood.count_arrays(given, stacked)


def test_the_likelihood_of_first_items_is_dirichlet_multinomial():
    # One item a class: nothing came before, and where items do not differ, answers that
    # give other labels are Dirichlet-multinomial about the prior: scipy has its log.
    given = of([0, 1], [(0, 0, 3, 0), (0, 1, 2, 0), (0, 2, 1, 0), (1, 2, 2, 0)])
    matrices, stacked, reported = laid_out(given)
    result = learnable(matrices)
    with jax.enable_x64(True):
        total = float(jax.jit(likelihood.log_others)(reported, result).sum())
    prior = np.tensordot(result.weight, stacked, 1)
    expected = 0.0
    for row, others, counts in ((0, [1, 2], [2, 1]), (1, [0, 2], [0, 2])):
        ways = gammaln(sum(counts) + 1) - gammaln(np.array(counts) + 1).sum()
        about = prior[row, others]
        expected += dirichlet_multinomial.logpmf(counts, about, sum(counts)) - ways
    assert total == pytest.approx(expected, rel=1e-6)


def share_of(own, others, confusion, mean):
    """The likelihood of a class's items by adaptive quadrature, and its mean share."""

    def chance(share):
        yes, no = confusion.spread * share, confusion.spread * (1 - share)
        each = 1.0
        for k, rest in zip(own, others, strict=True):
            n = k + rest
            kept = [
                binom.pmf(h, n, 1 - confusion.lapse) * betabinom.pmf(k, h, yes, no)
                for h in range(k, n + 1)
            ]
            each *= sum(kept) / comb(n, k)
        return each * beta.pdf(
            share, confusion.classes * mean, confusion.classes * (1 - mean)
        )

    whole = quad(chance, 0, 1)[0]
    return whole, quad(lambda share: share * chance(share), 0, 1)[0] / whole


def test_how_often_a_class_is_called_its_own_label_is_integrated_exactly():
    own, others = [3, 1, 0], [0, 2, 4]
    cells = [(0, 0, 3, 0), (1, 0, 1, 0), (1, 1, 2, 0), (2, 2, 4, 0)]
    given = of([0, 0, 0], cells)
    matrices, _, counts = laid_out(given)
    result = learnable(matrices, spread=3.0, lapse=0.1)
    with jax.enable_x64(True):
        logs = np.asarray(jax.jit(likelihood.log_joint_shares)(counts, result))[0]
    # All items are of one class, which is the typical one.
    odds = result.odds
    whole, mean = share_of(own, others, result, odds / (1 + odds))
    assert np.exp(logs).sum() == pytest.approx(whole, rel=1e-6)
    here, elsewhere = likelihood.posterior_beta(counts, result)
    assert here[0] / (here[0] + elsewhere[0]) == pytest.approx(mean, rel=1e-6)


def test_cells_have_the_mean_and_the_variance_of_draws():
    counts = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 3.0], [4.0, 1.0, 0.0]])
    naming = ConfusionPosterior(
        agreeing=np.array([3.0, 1.0, 2.0]), otherwise=np.array([2.0, 4.0, 1.0]),
        concentration=counts, weights={}, odds=1.0, against=0.3, classes=5.0,
        spread=2.0, beside=1.0, lapse=0.1, aside=0.0,
    )  # fmt: skip
    generator = np.random.default_rng(0)
    draws = np.stack([naming.draw(generator) for _ in range(20_000)])
    assert np.allclose(draws.sum(2), 1)
    row, column = (each.ravel() for each in np.indices((3, 3)))
    shape = beta_from_moments(*naming.moments(row, column))
    here, elsewhere = (each.reshape(3, 3) for each in shape)
    distribution = stats.beta(here, elsewhere)
    error = distribution.std() / np.sqrt(len(draws))
    assert (abs(draws.mean(0) - distribution.mean()) < 5 * error).all()
    assert (abs(naming.probability - distribution.mean()) < 1e-12).all()
    # The variance of n draws has a relative error of about (2 / n) ** .5, or more.
    assert (
        abs(draws.var(0) / distribution.var() - 1) < 8 * np.sqrt(2 / len(draws))
    ).all()
    groups = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    summed = np.stack([naming.draw(generator, groups) for _ in range(20_000)])
    assert abs(summed.mean(0) - distribution.mean() @ groups).max() < 0.01


# The face


@pytest.fixture(scope="module")
def study():
    made = cs.simulate(kind="objects", items=300, classes=8, per_item=5, seed=2)
    labels = made.responses.labels.assign(parent=["first"] * 4 + ["second"] * 4)
    return replace(made.responses, labels=labels)


@pytest.fixture(scope="module")
def confusion(study):
    return human_confusion(study)


def test_the_table_has_the_columns_of_a_confusion(confusion, study):
    table = confusion.table()
    assert list(table.columns) == [
        *("annotator", "true_label", "given_label", "probability", "lower", "upper"),
        "responses",
    ]
    assert ((table["lower"] <= table["probability"]) & (
        table["probability"] <= table["upper"])).all()  # fmt: skip
    assert table["responses"].sum() == study.table["main"].sum()
    sums = confusion.table(min_probability=0.0).groupby("true_label", observed=True)[
        "probability"
    ]
    assert np.allclose(sums.sum(), 1)


def test_superclasses_and_pairs_follow_from_the_table(confusion):
    between = confusion.superclasses()
    assert np.allclose(between.groupby("true_label")["probability"].sum(), 1)
    pairs = confusion.pairs(min_probability=0.0)
    assert len(pairs) == 8 * 7 / 2
    assert pairs["mutual"].is_monotonic_decreasing
    mean = confusion.posterior.probability
    first = pairs.iloc[0]
    a, b = (confusion.labels.get_loc(first[name]) for name in ("label", "other_label"))
    assert first["mutual"] == min(mean[a, b], mean[b, a])
    assert set(confusion.evidence()["evidence"]) >= {
        "any",
        "odds",
        "reverse",
        "correlation",
    }


def test_what_has_no_class_is_refused(study, confusion):
    with pytest.raises(OptionError, match="no item has a label of the data set"):
        human_confusion(replace(study, items=None))
    with pytest.raises(OptionError, match="prob is 1"):
        human_confusion(study, prob=1.0)
    asked = pd.DataFrame({"item": ["i", "j"], "label": "cat", "answer": ["yes", "no"]})
    contains = cs.read(asked, kind="contains")
    items = pd.DataFrame({"item": ["i"], "dataset_label": ["cat"]})
    with pytest.raises(KindError, match="kind contains"):
        human_confusion(replace(contains, items=items))
    plain = replace(confusion, parent=pd.Index([""] * 8))
    with pytest.raises(OptionError, match="no label has a parent"):
        plain.superclasses()
