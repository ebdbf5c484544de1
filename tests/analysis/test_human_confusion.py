"""How people call classes: golden values, recovery, and intervals that hold."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import dirichlet_multinomial

import consilience as cs
from consilience.analysis import naming_prior
from consilience.analysis.human_confusion import human_confusion
from consilience.analysis.naming_evidence import evidence
from consilience.analysis.naming_prior import learn
from consilience.analysis.namings import Namings
from consilience.errors import KindError, OptionError

LABELS, ITEMS, ANSWERS, SPREAD = 30, 12, 9, 2.0
GROUPS = np.arange(LABELS) // 10
# Own label, labels of the superclass, any label: a class of ten imagined answers.
PRIOR = (
    6.0 * np.eye(LABELS)
    + 3.0 * (GROUPS[:, None] == GROUPS) / 10
    + 1.0 * np.ones((LABELS, LABELS)) / LABELS
)


def drawn(seed):
    """Namings of a study, and the true P(label | class)."""
    generator = np.random.default_rng(seed)
    truth = np.stack([generator.dirichlet(row) for row in PRIOR])
    own = np.repeat(np.arange(LABELS), ITEMS)
    of_item = np.stack([generator.dirichlet(SPREAD * truth[c] + 1e-9) for c in own])
    votes = np.stack([generator.multinomial(ANSWERS, each) for each in of_item])
    item, label = np.nonzero(votes)
    given = Namings(
        own=own,
        item=item,
        label=label,
        votes=votes[item, label].astype(float),
        asides=np.zeros(len(item)),
        parent=GROUPS,
        num_labels=LABELS,
    )
    return given, truth


@pytest.fixture(scope="module")
def studies():
    return [(*study, learn(study[0]).best) for study in map(drawn, range(3))]


def held(naming, truth, mass=0.9):
    """Share of each class's cells worth looking at that the intervals hold."""
    from scipy.stats import beta

    own = naming.concentration
    rest = own.sum(1, keepdims=True) - own
    tail = (1 - mass) / 2
    inside = (beta.ppf(tail, own, rest) <= truth) & (
        truth <= beta.ppf(1 - tail, own, rest)
    )
    seen = naming.probability >= 0.03
    return (inside & seen).sum(1) / seen.sum(1)


def test_nine_tenths_intervals_hold_the_true_naming_nine_times_in_ten(studies):
    found = np.concatenate([held(naming, truth) for _, truth, naming in studies])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - 0.9) < 4 * error + 0.02  # weights are taken as known


def test_the_same_check_catches_answers_that_are_taken_for_independent(studies):
    found = []
    for given, truth, _ in studies[:2]:
        # Each cell an item of its own: nothing goes together any more.
        alone = replace(
            given,
            own=given.own[np.repeat(given.item, given.votes.astype(int))],
            item=np.arange(int(given.votes.sum())),
            label=np.repeat(given.label, given.votes.astype(int)),
            votes=np.ones(int(given.votes.sum())),
            asides=np.zeros(int(given.votes.sum())),
        )
        found.append(held(learn(alone).best, truth))
    found = np.concatenate(found)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert found.mean() < 0.9 - 4 * error - 0.02


def test_the_correlation_within_items_is_found(studies):
    found = [naming.correlation for _, _, naming in studies]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 1 / (1 + SPREAD)) < 4 * error


def test_pooling_foresees_new_items_better_than_counts(studies):
    gains = []
    for given, truth, naming in studies:
        counts = given.by_class(given.votes)
        smoothed = (counts + 0.1) / (counts + 0.1).sum(1, keepdims=True)
        gains.append((truth * np.log(naming.probability / smoothed)).sum(1))
    gains = np.concatenate(gains)
    assert gains.mean() > 4 * gains.std(ddof=1) / np.sqrt(len(gains))


# Golden values


def of(own, cells, num_labels=3, parent=None):
    item, label, votes, asides = map(np.array, zip(*cells, strict=True))
    return Namings(
        np.array(own), item, label, votes.astype(float), asides.astype(float), parent,
        num_labels,
    )  # fmt: skip


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
    found = evidence(given)
    assert np.array_equal(found["reverse"], [[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    # Labels 0 and 1 are both given to class 2: one in four answers, by one answer.
    assert found["together"][0, 1] == pytest.approx(0.25)
    assert found["together"][0, 0] == 0
    assert found["reverse_aside"][2, 0] == 1
    # Aside and main in class 0: label 2 (a third of an answer) by label 1's one.
    assert found["together_aside"][2, 1] == pytest.approx(1 / 3)
    assert found["together_aside"][1, 2] == pytest.approx(1 / 3)
    assert np.allclose(found["superclass"], [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    popular = found["popular"]
    assert popular[0, 1] == pytest.approx(2.001 / 2.002)  # 0's own label is not asked
    assert "own" in found
    assert "superclass" not in evidence(replace(given, parent=None))


def test_the_likelihood_of_first_items_is_dirichlet_multinomial():
    # One item a class: nothing came before, and where items do not differ and nobody
    # lapses, answers are Dirichlet-multinomial about the prior: scipy has its log.
    given = of([0, 1], [(0, 0, 3, 0), (0, 2, 1, 0), (1, 1, 2, 0)])
    matrices = evidence(given)
    stacked = np.stack(list(matrices.values()))
    logs = np.linspace(-0.5, 0.5, len(stacked))
    place = np.append(logs, [25.0, 25.0, -40.0, -2.0])
    with jax.enable_x64(True):
        found = float(naming_prior._loss(given, stacked)(jnp.asarray(place)))
    prior = np.tensordot(np.exp(logs), stacked, 1) + 1e-300
    expected = 0.0
    for row, counts in ((0, [3, 0, 1]), (1, [0, 2, 0])):
        ways = gammaln(sum(counts) + 1) - gammaln(np.array(counts) + 1).sum()
        expected += dirichlet_multinomial.logpmf(counts, prior[row], sum(counts)) - ways
    scale = np.full(len(place), naming_prior._SPREAD)
    scale[-2] = naming_prior._LAPSE_SPREAD
    centre = np.where(np.arange(len(place)) == len(place) - 2, naming_prior._LAPSE, 0.0)
    penalty = (((place - centre) / scale) ** 2).sum() / 2
    assert found == pytest.approx((penalty - expected) / 2, rel=1e-6)


def test_items_before_count_by_their_effective_number():
    # Two items of one class, two answers each; the second sees what the first said.
    given = of([0, 0], [(0, 0, 2, 0), (1, 0, 1, 0), (1, 1, 1, 0)])
    chain = naming_prior._chain(given)
    with jax.enable_x64(True):
        counted = naming_prior._before(jnp.array([1.5, 0.5, 0.5]), chain.group_start)
        assert np.allclose(counted, [0, 1.5, 0])
    worth = naming_prior._worth(given, 0.5)
    assert np.allclose(worth, 1 / 1.5)


# The face


@pytest.fixture(scope="module")
def study():
    made = cs.simulate(kind="objects", items=300, classes=8, per_item=5, seed=2)
    labels = made.responses.labels.assign(parent=["first"] * 4 + ["second"] * 4)
    return replace(made.responses, labels=labels)


@pytest.fixture(scope="module")
def found(study):
    return human_confusion(study)


def test_the_table_has_the_columns_of_a_confusion(found, study):
    table = found.table()
    assert list(table.columns) == [
        *("annotator", "true_label", "given_label", "probability", "lower", "upper"),
        "votes",
    ]
    assert ((table["lower"] <= table["probability"]) & (
        table["probability"] <= table["upper"])).all()  # fmt: skip
    assert table["votes"].sum() == study.table["main"].sum()
    sums = found.table(least=0.0).groupby("true_label", observed=True)["probability"]
    assert np.allclose(sums.sum(), 1)


def test_superclasses_and_pairs_follow_from_the_table(found):
    between = found.superclasses()
    assert np.allclose(between.groupby("true_label")["probability"].sum(), 1)
    pairs = found.pairs(least=0.0)
    assert len(pairs) == 8 * 7 / 2
    assert pairs["mutual"].is_monotonic_decreasing
    mean = found.naming.probability
    first = pairs.iloc[0]
    a, b = (found.labels.get_loc(first[name]) for name in ("label_a", "label_b"))
    assert first["mutual"] == min(mean[a, b], mean[b, a])
    assert set(found.evidence()["evidence"]) >= {"own", "reverse", "correlation"}


def test_choices_have_a_human_confusion_too():
    told = cs.simulate(items=60, classes=3, per_item=5).responses
    own = told.gold.rename(columns={"label": "dataset_label"})
    found = human_confusion(replace(told, items=own))
    assert found.naming.aside == 0
    assert found.votes.sum() == 300


def test_what_has_no_class_is_refused(study, found):
    with pytest.raises(OptionError, match="no item has a label of the data set"):
        human_confusion(replace(study, items=None))
    with pytest.raises(OptionError, match="mass is 1"):
        human_confusion(study, mass=1.0)
    contains = cs.simulate(kind="contains", items=5).responses
    items = pd.DataFrame({"item": ["item0"], "dataset_label": ["class0"]})
    with pytest.raises(KindError, match="kind contains"):
        human_confusion(replace(contains, items=items))
    plain = replace(found, parent=pd.Index([""] * 8))
    with pytest.raises(OptionError, match="no label has a superclass"):
        plain.superclasses()
