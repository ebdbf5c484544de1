"""More of the same answers never make a label less certain."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import EXACT, answers, certainty, probabilities, thinned

import consilience as cs
from consilience import annotators
from consilience.fitting import single
from consilience.model import num_substates

TIMES = (1, 10, 100, 10_000)
# By how much the correlation of errors, which is estimated from two dozen items, moves
# their mean.
SLACK = 0.05


@pytest.mark.parametrize("exact", thinned(EXACT))
def test_the_same_answers_many_times(exact):
    table = answers(exact.kind)
    # Models that split states explain items better the more answers there are, until
    # there are more than all parts together can explain: errors then correlate again.
    split = num_substates(annotators.load(exact.model)) > 1
    times, slack = (TIMES[:3], 2 * SLACK) if split else (TIMES, SLACK)
    sure = [certainty(exact.fit(table.assign(n=number))) for number in times]
    assert np.isfinite(sure).all()
    assert (np.diff(sure) > -slack).all()


def counted(number: int, items: int = 40) -> pd.DataFrame:
    """Draw so many answers to each item, whose errors correlate: some items tempt."""
    generator = np.random.default_rng(5)
    truth, tempted = generator.integers(2, size=items), generator.beta(0.8, 3.2, items)
    wrong = np.rint(number * tempted).astype(int)
    rows = [
        (f"i{item:02d}", "ab"[label], times)
        for item in range(items)
        for label, times in (
            (truth[item], number - wrong[item]),
            (1 - truth[item], wrong[item]),
        )
        if times
    ]
    return pd.DataFrame(rows, columns=["item", "label", "n"])


def tempered(number: int) -> float:
    fit = cs.fit(cs.read(counted(number), labels=["a", "b"]), seed=0)
    assert fit.data["truth"].attrs["reported"] == "tempered"
    return certainty(fit)


ANSWERS = (200, 2_000, 20_000, 200_000)


def test_answers_whose_errors_go_together():
    sure = [tempered(number) for number in ANSWERS]
    assert (np.diff(sure) > -SLACK).all()


def test_the_same_check_catches_a_posterior_tempered_as_far_as_numbers_go(monkeypatch):
    """The twin: what is too small for a number is taken for the smallest one."""

    def no_smaller(_model, _space, result):
        return np.log(np.maximum(result.belief, single.MIN_PROBABILITY))

    monkeypatch.setattr(single, "log_belief", no_smaller)
    sure = [tempered(number) for number in ANSWERS]
    assert (np.diff(sure) < -SLACK).any()


def test_a_hundred_thousand_answers_about_one_item():
    columns = {"item": "i", "annotator": ["a", "b"], "label": ["x", "y"]}
    table = pd.DataFrame({**columns, "n": [80_000, 20_000]})
    for exact in (each for each in EXACT if each.kind == "choice"):
        fit = exact.fit(table, labels=["x", "y"])
        assert np.isfinite(probabilities(fit)).all()
        assert fit.items()["label"].tolist() == ["x"]
