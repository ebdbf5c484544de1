"""The protocol of held-out responses: blind to what is held out, and scored right."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks import held_out as protocol
from benchmarks.held_out import OTHER, held_out, study

import consilience as cs


@pytest.fixture
def given():
    made = cs.simulate(kind="objects", items=12, classes=8, per_item=5, seed=1)
    return study(made.responses)


def outcomes(out, which):
    end = np.append(out.start, len(out.label))
    return slice(end[which], end[which + 1])


def test_the_outcomes_are_what_others_name_and_all_else(given):
    out = held_out(given)
    assert len(out.item) == len(given.sets.item)
    for which, (item, held, seen) in enumerate(
        zip(out.item, out.held, out.seen, strict=True)
    ):
        assert held not in seen
        assert len(seen) == 4
        named = {x for r in seen for x in given.sets.labels_of(int(r))}
        listed = out.label[outcomes(out, which)]
        assert set(listed) == named | {given.own[item], OTHER}
        main = given.sets.main[held]
        answer = listed[out.is_main[outcomes(out, which)]]
        assert list(answer) == [main if main in listed else OTHER]


def test_the_outcomes_are_blind_to_what_is_held_out(given):
    # Every held-out response in turn is changed to name a label that nobody names.
    for held in range(0, len(given.sets.item), 7):
        label = given.sets.label.copy()
        label[given.sets.start[held]] = given.num_labels - 1
        changed = replace(given, sets=replace(given.sets, label=label))
        before, after = protocol.held_out(given), protocol.held_out(changed)
        which = int(np.flatnonzero(before.held == held)[0])
        for name in ("label", "main", "named", "named_beside", "is_own"):
            one, other = (
                getattr(out, name)[outcomes(out, which)] for out in (before, after)
            )
            assert np.array_equal(one, other)


def test_the_same_check_catches_outcomes_that_everyone_names(given, monkeypatch):
    def leaking(of, observed=None, seed=1):
        """Count the held-out response among those that name a label."""
        out = honest(of, observed, seed)
        truth = [set(of.sets.labels_of(int(held))) for held in out.held]
        also = [x in truth[of_] for x, of_ in zip(out.label, out.of, strict=True)]
        return replace(out, named=out.named + np.array(also))

    honest = protocol.held_out
    monkeypatch.setattr(protocol, "held_out", leaking)
    with pytest.raises(AssertionError):
        test_the_outcomes_are_blind_to_what_is_held_out(given)
