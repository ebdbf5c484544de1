import numpy as np
import pytest

from consilience.checks.sampling import label_switching

SWAP = [1, 0, 2]
CHAIN = {"diverging": np.zeros((4, 500), dtype=bool)}


def by_name(verdicts):
    return {verdict.name: verdict for verdict in verdicts}


def test_states_under_their_own_names_pass(tree, skilled):
    result = by_name(label_switching(tree(confusion=skilled, stats=CHAIN)))
    assert {name: verdict.value for name, verdict in result.items()} == {
        "label_switching": 0.0,
        "chains_aligned": 0.0,
    }
    assert all(verdict.ok for verdict in result.values())


def test_states_under_each_others_names_fail(tree, skilled):
    result = by_name(label_switching(tree(confusion=skilled[:, :, SWAP], stats=CHAIN)))
    # A skilled annotator is right with probability 18 / 22, and calls one state by
    # the other's name with 2 / 22.
    assert result["label_switching"].value == pytest.approx(16 / 22, abs=0.02)
    assert not result["label_switching"].ok
    assert "`gold=`" in result["label_switching"].remedy
    # All chains agree on the wrong names.
    assert result["chains_aligned"].ok


@pytest.mark.parametrize(
    ("chain", "start"), [(3, 0), (0, 0), (2, 300)], ids=["last", "first", "on the way"]
)
def test_one_chain_that_swapped_is_not_lost_in_the_mean(tree, skilled, chain, start):
    swapped = skilled.copy()
    swapped[chain, start:] = swapped[chain, start:][:, SWAP]
    result = by_name(label_switching(tree(confusion=swapped, stats=CHAIN)))
    assert not result["label_switching"].ok
    # A half of a chain is not what the chain is on average.
    assert result["chains_aligned"].ok == (start > 0)


def test_states_that_nobody_can_tell_apart_are_not_taken_for_swapped(tree):
    key = np.random.default_rng(8)
    guess = key.dirichlet([2, 2, 2], size=(4, 500, 3))
    result = by_name(label_switching(tree(confusion=guess, stats=CHAIN)))
    assert all(verdict.ok for verdict in result.values())


def test_three_answers_vote_for_two_states(tree):
    votes = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    right = np.array([[[[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]]])
    straight = tree(confusion=right, engine="em", votes=votes)
    assert by_name(label_switching(straight))["label_switching"].ok
    swapped = tree(confusion=right[:, :, ::-1], engine="em", votes=votes)
    verdict = by_name(label_switching(swapped))["label_switching"]
    # Absent would be called absent .8 of the time, not .25; present .75, not .2.
    assert verdict.value == pytest.approx(0.55)
    assert not verdict.ok


def test_a_fit_that_is_no_number_fails_and_does_not_raise(tree, skilled):
    broken = np.array(skilled)
    broken[..., 0] = np.nan
    result = by_name(label_switching(tree(confusion=broken, stats=CHAIN)))
    assert not result["label_switching"].ok
