"""Lists held sparse, against the same lists written out as a table."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from consilience.errors import DataError, FitError
from consilience.model import shortlists
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import answer_slot, blocks, observe, tally
from consilience.truth import space as space_module


@pytest.fixture
def study():
    """Forty items of nine labels; lists of some, of any length, with weights."""
    generator = np.random.default_rng(4)
    labels = [f"l{code}" for code in range(9)]
    frame = pd.DataFrame(
        {
            "item": [f"i{number:02d}" for number in generator.integers(0, 40, 200)],
            "annotator": [f"a{code}" for code in generator.integers(0, 5, 200)],
            "label": generator.choice(labels, 200),
        }
    ).drop_duplicates(["item", "annotator"])
    parents = ["p", "p", "q", None, "q", "p", None, "r", "s"]
    responses = read(frame, labels=pd.DataFrame({"label": labels, "parent": parents}))
    listed = generator.random((40, 9)) < 0.3
    listed[:6] = False
    item, label = np.nonzero(listed)
    lists = pd.DataFrame(
        {
            "item": [f"i{number:02d}" for number in item],
            "label": np.array(labels)[label],
            "log_odds": generator.normal(size=len(item)),
        }
    )
    gold = pd.DataFrame(
        {"item": ["i01", "i20", "i20", "i30"], "label": ["l7", "l1", "l2", "l3"]}
    )
    return responses, lists, gold


def written_out(responses, lists, gold):
    """Return which labels each item may be, and their log weight, as two tables."""
    items = list(responses.table["item"].cat.categories)
    labels = list(responses.labels["label"])
    listed = np.zeros((len(items), len(labels)), bool)
    weight = np.zeros(listed.shape)
    for item, label, log_odds in lists.itertuples(index=False):
        if item in items:
            at = items.index(item), labels.index(label)
            listed[at], weight[at] = True, log_odds
    own = listed.any(1)
    for table in (responses.table, gold):
        for item, label in table[["item", "label"]].itertuples(index=False):
            if own[items.index(item)]:
                listed[items.index(item), labels.index(label)] = True
    listed[~own] = True
    for item in set(gold["item"]):
        right = set(gold.loc[gold["item"] == item, "label"])
        wrong = [label not in right for label in labels]
        weight[items.index(item), wrong] = -np.inf
    return listed, weight


@pytest.fixture
def space(study):
    responses, lists, gold = study
    return space_of(responses, lists=lists, gold=gold)


def test_sparse_lists_are_those_of_the_table(study, space):
    listed, weight = written_out(*study)
    assert space.state.shape == (len(listed), listed.sum(1).max())
    for unit, (may_be, log_weight) in enumerate(zip(listed, weight, strict=True)):
        codes = np.flatnonzero(may_be)
        assert np.array_equal(space.state[unit, : len(codes)], codes)
        # Only differences count.
        shifted = log_weight[codes] - log_weight[codes].max()
        assert np.array_equal(space.log_prior[unit, : len(codes)], shifted)
        assert (space.log_prior[unit, len(codes) :] == -np.inf).all()
        assert (space.state[unit, len(codes) :] == 0).all()


def test_answers_are_found_on_their_list_and_counted(space):
    slot = answer_slot(space)
    assert np.array_equal(space.state[space.unit, slot], space.answer)
    votes = np.zeros(space.state.shape)
    np.add.at(votes, (space.unit, slot), space.n)
    assert np.array_equal(tally(space), votes)
    assert np.array_equal(np.asarray(shortlists(space).count).T, votes)


def test_a_value_of_each_state_is_read_at_the_states_listed(space):
    values = np.random.default_rng(0).normal(size=(1, 9))
    real = np.isfinite(space.log_prior) | (space.state > 0)
    real[:, 0] = True
    weight = np.random.default_rng(1).random(space.state.shape)
    expected = np.zeros(9)
    np.add.at(expected, space.state[real], weight[real])
    with jax.enable_x64(True):
        observations = observe(space)
        result, to_values = jax.vjp(jax.jit(observations.listed), jnp.asarray(values))
        (counts,) = to_values(jnp.asarray(weight))
        batch = jax.tree.map(lambda leaf: np.asarray(leaf)[0], blocks(space, 7)[0])
        of_batch = jax.jit(batch.listed)(values)
    assert np.allclose(
        np.where(real, result, 0), np.where(real, values[0][space.state], 0)
    )
    assert np.allclose(counts[0], expected)
    inside = np.isfinite(np.asarray(batch.log_prior))
    assert np.allclose(of_batch[inside], values[0][np.asarray(batch.state)][inside])


def test_lists_too_long_for_memory_are_refused_with_the_way_out(study, monkeypatch):
    responses, lists, _ = study
    monkeypatch.setattr(space_module, "MAX_LISTED", 300)
    with pytest.raises(FitError, match=r"up to 9 labels.*list few candidates"):
        space_of(responses, lists=lists)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"label": "l0", "other_label": "cow", "value": 1}, "'l0' and 'cow'"),
        ({"label": "l0", "other_label": "l1", "value": "much"}, "is 'much'"),
        (
            {"label": "l2", "other_label": "l1", "value": 0.5},
            "'l1' and 'l2' is given twice",
        ),
    ],
)
def test_similarities_that_cannot_be_read_are_refused(study, row, said):
    first = {"label": "l1", "other_label": "l2", "value": 1.0}
    with pytest.raises(DataError, match=said):
        space_of(study[0], alike=pd.DataFrame([first, row]))
