"""Which labels of an item go together: by hand, recovered, and not where none do."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.fitting import association
from consilience.fitting.association import Association, learned, over_independent
from consilience.responses import read
from consilience.spaces import space_of

ITEMS, SAID = 400, 3
QUICK = cs.EngineOptions(draws=0, restarts=1)


def study(seed, *, labels=6, alike=0.0, together=None):
    """Answers about labels of which the first and second, and so on, may be alike.

    `alike` is the share of items in which two such labels are the same. In `together`
    two labels are never both there. Annotators say yes to much or to little.
    """
    generator = np.random.default_rng(seed)
    there = generator.random((ITEMS, labels)) < 0.4
    copied = generator.random((ITEMS, labels // 2)) < alike
    there[:, 1::2] = np.where(copied, there[:, ::2], there[:, 1::2])
    if together is not None:
        there[:, 1] &= ~there[:, 0]
    lenient = generator.normal(0, 0.7, 12)
    item, label, _ = np.indices((ITEMS, labels, SAID))
    who = generator.permuted(np.tile(np.arange(12), (ITEMS, 1)), axis=1)[:, :SAID]
    who = np.broadcast_to(who[:, None], item.shape)
    looks = np.where(there, 1.1, -1.1)[:, :, None] + lenient[who]
    yes = looks + generator.logistic(size=item.shape) > 0
    frame = pd.DataFrame(
        {
            "item": [f"i{number:03d}" for number in item.ravel()],
            "annotator": [f"a{number:02d}" for number in who.ravel()],
            "label": [f"l{number}" for number in label.ravel()],
            "answer": np.where(yes, "yes", "no").ravel(),
        }
    )
    truth = pd.Series(
        there.ravel(),
        pd.MultiIndex.from_arrays(
            [frame["item"][::SAID], frame["label"][::SAID]], names=["item", "label"]
        ),
    )
    return frame, truth


def believed(frame):
    """Return the space of answers, and shares of votes for it."""
    space = space_of(read(frame, kind="contains"))
    votes = np.bincount(space.unit, space.votes[space.answer][:, 1])
    return space, (votes + 0.5) / (np.bincount(space.unit) + 1)


def loss(fit, truth):
    """Return the log-loss of P(present)."""
    table = fit.labels().astype({"item": "str", "label": "str"})
    chance = table.set_index(["item", "label"])["probability"].reindex(truth.index)
    return -np.log(np.where(truth, chance, 1 - chance)).mean()


def of_pairs(links):
    """Return the log odds ratio of each pair of labels, 0 for those without."""
    first, second = divmod(links.pair, len(links.labels))
    found = np.zeros((len(links.labels),) * 2)
    found[first, second] = links.log_odds_ratio
    return found


@pytest.mark.parametrize("ratio", [-3.0, 0.0, 1.0])
def test_tables_of_two_labels_have_their_margins_and_odds_ratio(ratio):
    first, second = np.array([0.3]), np.array([0.45])
    over = over_independent(first, second, np.array([ratio]))[0]
    cells = over * np.outer([0.7, 0.3], [0.55, 0.45])
    np.testing.assert_allclose(cells.sum(1), [0.7, 0.3])
    np.testing.assert_allclose(cells.sum(0), [0.55, 0.45])
    found = cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])
    np.testing.assert_allclose(np.log(found), ratio, atol=1e-9)


def test_what_one_label_says_of_another_by_hand():
    frame = pd.DataFrame(
        [("i", "a", "cat", "yes"), ("i", "a", "sofa", "yes"), ("j", "a", "cat", "yes")],
        columns=["item", "annotator", "label", "answer"],
    )
    space = space_of(read(frame, kind="contains"))
    labels, half = np.array(["cat", "sofa"], object), np.array([0.5, 0.5])
    # With prevalences of one half and odds of 9, both are there or neither in 3/4.
    links = Association(labels, half, np.array([1]), np.array([np.log(9)]))
    order = [("i", "cat"), ("i", "sofa"), ("j", "cat")]
    units = list(zip(space.unit_item, space.unit_label, strict=True))
    present = np.array([0.8, 0.6, 0.9])[[order.index(each) for each in units]]
    moved = links.moved(space, present)[[units.index(each) for each in order]]
    of_cat = np.log((0.6 * 3 + 0.4) / (0.6 + 0.4 * 3))
    of_sofa = np.log((0.8 * 3 + 0.2) / (0.8 + 0.2 * 3))
    np.testing.assert_allclose(moved, [of_cat, of_sofa, 0.0])


def test_labels_that_go_together_are_recovered_whoever_says_yes_to_much():
    space, present = believed(study(0, alike=0.8)[0])
    found = of_pairs(learned(space, present))
    pairs = [(0, 1), (2, 3), (4, 5)]
    alike = np.array([found[pair] for pair in pairs])
    # Of .4, copied in four of five items: both in .4 (.8 + .2 x .4) = .352.
    true = np.log(0.352 * 0.552 / 0.048**2)
    assert (alike > 0.5 * min(true, association.MOST)).all()
    for pair in pairs:
        found[pair] = 0.0
    assert np.abs(found).max() < 1.0


def test_of_labels_that_do_not_go_together_nothing_is_said():
    # The twin. Annotators who say yes to much say yes to both labels all the same.
    linked = 0
    for seed in range(8):
        space, present = believed(study(seed)[0])
        linked += bool(
            np.abs(learned(space, present).moved(space, present)).max() > 0.1
        )
    assert linked <= 1


def test_two_labels_that_exclude_each_other_are_seen_and_two_alike_are_not():
    space, present = believed(study(1, labels=2, together=False)[0])
    assert of_pairs(learned(space, present))[0, 1] < -0.4
    space, present = believed(study(1, labels=2, alike=0.8)[0])
    assert not len(learned(space, present).pair)


def without(monkeypatch):
    def nothing(links, space, present):
        del links, present
        return np.zeros(space.num_units)

    monkeypatch.setattr(Association, "moved", nothing)


def test_a_fit_believes_labels_by_each_other_and_so_does_what_it_predicts(
    monkeypatch, tmp_path
):
    frame, truth = study(2, alike=0.8)
    later, true_later = study(3, alike=0.8)
    fit = cs.fit(read(frame, kind="contains"), effort=QUICK)
    fit.save(tmp_path / "run")
    fit = cs.load(tmp_path / "run")
    later = read(later, kind="contains")
    ours = loss(fit, truth), loss(cs.predict(fit, later), true_later)
    without(monkeypatch)
    alone = cs.fit(read(frame, kind="contains"), effort=QUICK)
    theirs = loss(alone, truth), loss(cs.predict(fit, later), true_later)
    assert ours[0] < theirs[0] - 0.02
    assert ours[1] < theirs[1] - 0.02


def test_names_in_another_order_and_blocks_change_nothing(monkeypatch):
    frame, _ = study(4, alike=0.8)
    space, present = believed(frame)
    links = learned(space, present)
    whole = links.moved(space, present)
    other = links.restored(links.stored())
    np.testing.assert_array_equal(other.moved(space, present), whole)
    names = dict(zip(["l0", "l1", "l2", "l3", "l4", "l5"], "zyxwvu", strict=True))
    turned, same = believed(frame.assign(label=frame["label"].map(names)))
    table = pd.Series(
        learned(turned, same).moved(turned, same),
        pd.MultiIndex.from_arrays([turned.unit_item, turned.unit_label]),
    )
    index = pd.MultiIndex.from_arrays(
        [space.unit_item, pd.Series(space.unit_label).map(names)]
    )
    np.testing.assert_allclose(table.reindex(index), whole, atol=1e-9)
    monkeypatch.setattr(association, "BLOCK", 7)
    np.testing.assert_allclose(learned(space, present).moved(space, present), whole)
