"""Counts of yes, maybe and no: the integral over frequencies, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit
from tests.studies import WORDS, score

import consilience as cs
from consilience.annotators.contains_counts import MODEL
from consilience.model import lay_out
from consilience.responses import read
from consilience.spaces import space_of

VALUES = {
    "mean": [-1.0, 0.5, 1.5],
    "concentration": [8.0, 8.0, 15.0],
    "share": [-1.0, -0.5],
    "maybe": 0.4,
}


def counts(no, maybe, yes):
    said = zip(WORDS, (no, maybe, yes), strict=True)
    rows = [("i", "cat", word, n) for word, n in said if n]
    return read(pd.DataFrame(rows, columns=["item", "label", "answer", "n"]))


def integrated(no, maybe, yes, above):
    """P(present or absent, answers) by SciPy, from the formulas of the model's page."""
    share = np.exp([0.0, -1.0, -0.5])
    share /= share.sum()

    def at(f):
        m, k = expit(np.array(VALUES["mean"])), np.array(VALUES["concentration"])
        density = (share * stats.beta.pdf(f, m * k, (1 - m) * k)).sum()
        both = 2 * 0.4 * f * (1 - f)
        likely = (1 - f - both / 2) ** no * both**maybe * (f - both / 2) ** yes
        return density * likely

    bounds = (0.5, 1.0) if above else (0.0, 0.5)
    return integrate.quad(at, *bounds, epsabs=1e-12, limit=200)[0]


@pytest.mark.parametrize("said", [(3, 0, 0), (1, 1, 3), (40, 5, 30)])
def test_the_score_is_the_integral_over_frequencies(said):
    space = space_of(counts(*said))
    with jax.enable_x64(True):
        observations = lay_out(MODEL, space)
        values = {name: jnp.asarray(value) for name, value in VALUES.items()}
        result = score(MODEL, observations, values)
        by_state = np.exp(np.asarray(result)).reshape(2, -1).sum(1)
    expected = [integrated(*said, above) for above in (False, True)]
    # Nodes stand .125 apart, in widths of .2 and more: the trapezoidal rule errs next
    # to nothing over all, and where it stops at the threshold by some .125^2 / 12 of
    # the density's slope there, which 75 answers make steep.
    assert by_state.sum() == pytest.approx(sum(expected), rel=1e-4)
    assert by_state == pytest.approx(expected, rel=0.1)
    assert by_state[::-1] / expected != pytest.approx(1, rel=0.1)


def test_answers_of_nobody_in_particular_are_counted():
    rows = [
        (f"i{number}", "cat", WORDS[place], 1 + (number + place) % 4)
        for number in range(30)
        for place in range(3)
    ]
    table = pd.DataFrame(rows, columns=["item", "label", "answer", "n"])
    once = cs.EngineOptions(restarts=1)
    fit = cs.fit(read(table), engine="em", effort=once)
    assert fit.data.attrs["model"] == "contains_counts"
    singly = table.loc[table.index.repeat(table["n"])].drop(columns="n")
    again = cs.fit(read(singly), model="contains_counts", engine="em", effort=once)
    assert np.allclose(fit.labels()["probability"], again.labels()["probability"])
