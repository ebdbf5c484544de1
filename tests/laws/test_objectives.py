"""An objective never falls, or the fit says so and is that of the best point."""

from dataclasses import replace

import numpy as np
import pytest
from tests.laws.combinations import EXACT, answers, read

import consilience as cs
from consilience import annotators
from consilience.errors import OptionError
from consilience.inference.ascent import Steps, logs_of, optimize
from consilience.inference.engines import em
from consilience.inference.options import generator_of
from consilience.model import HostModel
from consilience.spaces import space_of

CLIMBED = [each for each in EXACT if each.engine in ("em", "vb")]


@pytest.mark.parametrize("exact", CLIMBED, ids="-".join)
def test_no_objective_falls(exact):
    fit = exact.fit(answers(exact.kind))
    objective = fit.data["optimization"]["objective"].to_numpy()
    falls = -np.diff(objective, axis=1)
    # Sums of some hundred numbers of the size of the objective.
    assert np.nanmax(falls, initial=0) <= 1e-9 * np.nanmax(np.abs(objective))
    table = fit.diagnostics().set_index("name")["outcome"]
    assert table["objective_fall"] == "passed"


def test_a_fit_whose_objective_falls_says_so_and_is_that_of_the_best_point():
    """The twin: from some sweep on, the probabilities are not those of the counts."""
    rule = em.RULE
    space = space_of(read(answers("choice"), "choice"))
    sweeps = HostModel(annotators.load("bayesian_dawid_skene"), space)
    number = 0

    def astray(concentration):
        nonlocal number
        number += 1
        # Two parameters a sweep.
        return rule.logs(concentration + (50.0 if number > 14 else 0.0))

    wrong = replace(rule, logs=astray)
    where, how = optimize(
        sweeps, wrong, Steps(restarts=1), generator_of(0), lambda _: None
    )
    course = how.objective[0]
    assert (np.diff(course) < 0).any()
    assert not how.converged.any()
    number = 0
    logs = logs_of(rule, where)
    height = sweeps.sweep(logs).log_likelihood.sum()
    for name, prior in sweeps.priors.items():
        concentration = np.asarray(prior.concentration)
        total = concentration + where.counts[name]
        height -= rule.price(concentration, total, logs[name])
    assert height >= course.max() - 1e-9


def test_em_holds_a_prior_that_vb_learns_and_says_so():
    responses = read(answers("choice"), "choice")
    learned = replace(annotators.load("one_coin_dawid_skene"), engines=("em", "vb"))
    fits = [cs.fit(responses, model=learned, engine=each) for each in ("em", "vb")]
    assumed = [fit.data.attrs["assumptions"] for fit in fits]
    assert "em holds the prior of skill fixed" in assumed[0]
    assert "holds the prior" not in assumed[1]


def test_a_program_that_is_no_sum_of_its_logarithms_is_refused():
    model = annotators.load("bayesian_dawid_skene")

    def program(data, prior):
        made = model.program(data, prior)
        return replace(made, log_parts=2 * made.log_parts)

    bent = replace(model, name="bent", program=program)
    responses = read(answers("choice"), "choice")
    with pytest.raises(OptionError, match="no sums of the logarithms"):
        cs.fit(responses, model=bent, engine="em")
