"""Effects of single pairs of labels: found again, and nothing where there are none.

Thirty pairs of labels, each the two candidates of 120 items with nine answers; their
affinities and their log-odds of being synonyms are drawn with a standard deviation of
two.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chi2

from consilience.annotators import load, objects
from consilience.inference import EngineOptions
from consilience.inference.engines import em
from consilience.model import lay_out
from consilience.objects.items import items_of
from consilience.objects.partitions import MAX_LABELS
from consilience.objects.simulation import simulation
from consilience.objects.space import assembled, frequent_pairs
from consilience.truth.arrays import on_host
from consilience.truth.named import Named

PAIRS, ITEMS, ANSWERS, SPREAD = 30, 120, 9, 2.0
EFFECTS = ("pairs", "synonym_pairs")
ONCE = EngineOptions(restarts=1)
WITH = replace(
    load("objects", {"pairs": 1.0, "synonyms": SPREAD}),
    layout=lambda space, _: items_of(space, pooled=False, pairs=True),
)
USUAL = {
    "naming": [0.7],
    "salience": [-0.3],
    "attraction": [],
    "objects": [0.0],
    "affinity": [0.0],
    "high_detection": [-0.3],
    "detection": [-0.5, 0.9],
    "duplicate_name": [[-1.8, 0.3], [0.6, 0.8]],
    "synonyms": [0.0],
    "single_label": [-1.1, 2.2],
    "style": [],
}


def space_of_pairs(main, mask, observed=None):
    """Return a space whose items have two candidates each, pair by pair."""
    units = PAIRS * ITEMS
    named = Named(
        labels=np.array([f"l{label:02d}" for label in range(2 * PAIRS)], object),
        parents=np.full(2 * PAIRS, "", object),
        candidate=np.arange(2 * PAIRS).reshape(PAIRS, 2).repeat(ITEMS, 0),
        dataset_label=np.full(units, -1),
        mask=mask,
        main=main,
        covariates=np.zeros((units, 2, 0)),
        none=np.zeros(units, int),
        observed=np.ones(units, bool) if observed is None else observed,
    )
    nobody = np.zeros(len(main), int)
    return assembled(
        named,
        np.array([f"i{unit:05d}" for unit in range(units)], object),
        np.array(["(anonymous)"], object),
        np.zeros(1, bool),
        unit=np.arange(units).repeat(ANSWERS),
        annotator=nobody,
        n=nobody + 1,
    )


@pytest.fixture(scope="module")
def drawn():
    """Any answers and effects, for what needs no estimate."""
    generator = np.random.default_rng(0)
    main = generator.integers(2, size=PAIRS * ITEMS * ANSWERS)
    mask = (1 << main) | generator.integers(4, size=main.size)
    effects = {name: SPREAD * generator.normal(size=PAIRS) for name in EFFECTS}
    usual = {name: np.array(value) for name, value in USUAL.items()}
    return space_of_pairs(main, mask), usual | effects


@pytest.fixture(scope="module")
def study():
    """Answers, and the parameters that they were drawn from."""
    answers = np.zeros(PAIRS * ITEMS * ANSWERS, int)
    with jax.enable_x64(True):
        true = {name: jnp.array(value) for name, value in USUAL.items()}
        for key, effect in zip((1, 3), EFFECTS, strict=True):
            true[effect] = SPREAD * jax.random.normal(jax.random.key(key), (PAIRS,))
        blank = lay_out(WITH, space_of_pairs(answers, answers + 1))
        made = simulation(jax.random.key(2), blank, true)
    main, mask = np.divmod(np.asarray(made.answer), 1 << MAX_LABELS)
    return space_of_pairs(main, mask), true


@pytest.fixture(scope="module")
def fitted(study):
    with jax.enable_x64(True):
        result = em.fit(WITH, study[0], 0, ONCE)
    return {name: value[0, 0] for name, value in result.parameters.items()}


@pytest.fixture(scope="module")
def information(study):
    """Return what the answers tell of either effect of each pair.

    The other of the two is not known, all other parameters are. Items have one pair
    each, so the matrix of second derivatives has blocks of two.
    """
    space, true = study
    with jax.enable_x64(True):
        observations = lay_out(WITH, space)
    step = 1e-3

    def by_pair(moved):
        effects = {
            name: np.asarray(true[name]) + more
            for name, more in zip(EFFECTS, moved, strict=True)
        }
        scores = score(observations, {**true, **effects})
        return logsumexp(scores, axis=1).reshape(PAIRS, ITEMS).sum(1)

    def curved(one, other):
        signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        bent = sum(a * b * by_pair(a * one + b * other) for a, b in signs)
        return -bent / (4 * step**2)

    steps = step * np.eye(2)
    second = np.array([[curved(one, other) for other in steps] for one in steps])
    precision = np.moveaxis(second, 2, 0) + np.eye(2) / SPREAD**2
    apart = 1 / np.diagonal(np.linalg.inv(precision), axis1=1, axis2=2)
    return dict(zip(EFFECTS, (apart - SPREAD**-2).T, strict=True))


def squared_errors(effect, estimates, study, information):
    """Return the sum of squared errors over their variances; chi-squared, by Bayes.

    What all pairs have in common is a parameter of its own, and taken out.
    """
    true = np.asarray(study[1][effect])
    precision = np.maximum(information[effect], 0) + SPREAD**-2
    apart = estimates - true
    apart = apart - (precision * apart).sum() / precision.sum()
    return float((precision * apart**2).sum())


@pytest.mark.study
@pytest.mark.parametrize("effect", EFFECTS)
def test_effects_are_found_to_within_what_answers_tell(
    effect, study, fitted, information
):
    least, most = chi2.ppf([0.0005, 0.9995], PAIRS - 1)

    def squared(estimates):
        return squared_errors(effect, estimates, study, information)

    assert least < squared(fitted[effect]) < most
    assert squared(np.zeros(PAIRS)) > most
    assert squared(np.roll(fitted[effect], 1)) > most


@pytest.mark.study
def test_how_far_pairs_differ_is_found(fitted, information):
    reported = SPREAD**2 * np.maximum(information["pairs"], 0)
    error = (2 * ((reported / (1 + reported)) ** 2).sum()) ** -0.5
    off = abs(np.log(fitted["pairs_spread"] / SPREAD)) / error
    assert off < 3.5
    assert abs(np.log(fitted["pairs_spread"] / (SPREAD / 4))) / error > 3.5


def score(observations, parameters):
    """Return the score by NumPy's arithmetic, which takes no time to compile."""
    data, values = on_host((observations, parameters))
    return objects.score(data, values)


@pytest.mark.parametrize("effect", EFFECTS)
def test_own_effects_weigh_as_columns_of_that_pair(effect, drawn):
    space, true = drawn
    with jax.enable_x64(True):
        observations = lay_out(WITH, space)
        alone = score(observations, true)
        (known,) = observations.layout.covariates
        own = np.stack([true[name] for name in EFFECTS], 1).repeat(ITEMS, 0)
        columns = np.zeros((len(own), 4, 2))
        columns[:, 3] = own  # of the block that holds both
        wide = jnp.asarray(np.concatenate([known.pair, columns], 2))
        as_columns = replace(known, pair=wide, pairs=None)
        items = replace(observations.layout, covariates=(as_columns,))
        more = {
            name: np.append(true[name], one)
            for name, one in zip(("affinity", "synonyms"), np.eye(2), strict=True)
        }
        reported = score(replace(observations, layout=items), {**true, **more})
        nothing = score(observations, {**true, effect: np.zeros(PAIRS)})
    assert np.allclose(alone, reported, atol=1e-12)
    assert not np.allclose(alone, nothing, atol=1e-3)


def test_pairs_of_few_items_and_of_those_unheard_have_no_affinity_of_their_own(drawn):
    named = drawn[0].named
    assert frequent_pairs(named, ITEMS) == tuple(
        (2 * p, 2 * p + 1) for p in range(PAIRS)
    )
    assert frequent_pairs(named, ITEMS + 1) == ()
    observed = np.arange(PAIRS * ITEMS) >= 1  # the first pair has one item fewer
    assert frequent_pairs(replace(named, observed=observed), ITEMS)[0] == (2, 3)


def test_a_spread_of_nothing_leaves_them_out(drawn):
    with jax.enable_x64(True):
        without = lay_out(load("objects", {"pairs": 0.0}), drawn[0])
    assert without.layout.names.pairs == ()
    assert without.layout.covariates[0].pairs is None
