"""Contains: its integral, the panel, parameters found again, real raters."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from benchmarks.simulation_based_calibration import replace_answers
from numpyro.handlers import seed, substitute, trace
from scipy import integrate, optimize, stats
from scipy.special import expit
from tests.studies import WORDS, crossed, gap, information

import consilience as cs
from consilience.annotators import contains
from consilience.annotators.contains import MODEL
from consilience.inference import EngineOptions
from consilience.inference.engines import em
from consilience.model import lay_out, sample_answers, simulate
from consilience.presence.latent_trait import answer_tables, readings
from consilience.responses import read
from consilience.scoring.metrics import score as judged
from consilience.spaces import space_of

# Compiled whole: one by one, hundreds of operations take longer.
score, derived = jax.jit(contains.score), jax.jit(contains.derived)
EFFORT = EngineOptions(restarts=1)


def pairs(rows, labels=None):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    return read(frame, kind="contains", labels=labels)


OWN = ("threshold", "annotator_width", "annotator_discrimination")


def drawn(space, values, prior=None):
    """Parameters with these values, all others as at the centre of their priors."""
    model = replace(MODEL, prior=prior or MODEL.prior)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        program = seed(sample_answers, 0)

        def own(observations):
            sites = trace(program).get_trace(model, observations)
            names = {*OWN, "lapse", "cut"} & sites.keys()
            return {name: sites[name]["value"] for name in names}

        zero = {
            name: jnp.zeros(value.shape)
            for name, value in jax.eval_shape(own, observations).items()
        }
        data = {**zero, **{name: jnp.asarray(value) for name, value in values.items()}}

        @jax.jit
        def found(observations):
            return substitute(program, data=data)(model, observations).answers

        return observations, found(observations).parameters


TINY = {
    "distance": [3.0, 1.0],
    "scale": 1.5,
    "scale_ratio": 0.6,
    "share": -1.0,
    "threshold": [0.5, -0.4],
    "annotator_discrimination": [0.4, -0.4],
    "annotator_width": [0.21, -0.14],
    "width": -0.6,
}


# No component is narrower than half a cell of nodes.
WIDTHS = np.hypot(1.5 * np.exp([-0.3, 0.3]), 0.2)


def chances(s):
    """P(no, maybe, yes) of both annotators, from the formulas of the model's page."""
    slope = np.exp(0.4 * np.array([1.0, -1.0]))
    width = np.exp(-0.6 + 0.7 * np.array([0.3, -0.2]))
    threshold = np.array([0.5, -0.4])
    lapse = expit(-np.log(50.0))
    away = np.subtract.outer(np.asarray(s, float), threshold)
    low, high = expit(slope * (away + width)), expit(slope * (away - width))
    looked = np.stack([1 - low, low - high, high])
    return (1 - lapse) * looked + lapse / 3


def components(s):
    upper = expit(-1.0)
    lower = (1 - upper) * stats.norm.pdf(s, -3, WIDTHS[0])
    return np.stack([lower, upper * stats.norm.pdf(s, 1, WIDTHS[1])])


def density(s):
    return components(s).sum(0)


def of_state(s):
    """The upper component, its odds going on as they do where they are even."""

    def odds(s):
        lower, upper = components(s)
        return np.log(upper / lower)

    even = optimize.brentq(odds, -3, 1)
    slope = (odds(even + 1e-5) - odds(even - 1e-5)) / 2e-5
    return 0.0075 + 0.985 * expit(slope * (s - even))


def of_panel(s):
    """At least half of six say at least maybe."""
    return stats.binom.sf(2, 6, 1 - chances(s)[0].mean())


MEANINGS = {
    "state": (MODEL.prior, of_state),
    "panel": (replace(MODEL.prior, panel=6.0, maybe=1.0), of_panel),
}


def integrated(said, state, meaning):
    """P(state, answers) by SciPy."""

    def at(s):
        answers = chances(s)[[WORDS.index(word) for word in said], [0, 1]]
        present = meaning(s)
        return density(s) * answers.prod() * (present if state else 1 - present)

    return integrate.quad(at, -14, 14, epsabs=1e-12, limit=400)[0]


@pytest.mark.parametrize("name", MEANINGS)
@pytest.mark.parametrize("said", [("maybe", "yes"), ("yes", "no")])
def test_the_score_is_the_integral_over_appearances(said, name):
    rows = [("i", who, "cat", word) for who, word in zip("ab", said, strict=True)]
    space = space_of(pairs(rows))
    prior, meaning = MEANINGS[name]
    with jax.enable_x64(True):
        observations, parameters = drawn(space, TINY, prior)
        # The cut has a test of its own.
        parameters["informative"] = jnp.zeros(1)
        result = np.asarray(score(observations, parameters))
    by_state = np.exp(result).reshape(2, -1).sum(1)
    expected = [integrated(said, state, meaning) for state in (0, 1)]
    assert by_state == pytest.approx(expected, rel=1e-5)
    assert by_state[::-1] != pytest.approx(expected, rel=1e-2)


def test_the_cut_that_tells_most_has_the_largest_mutual_information():
    space = space_of(pairs([("i", "a", "cat", "yes"), ("i", "b", "cat", "no")]))
    with jax.enable_x64(True):
        _, parameters = drawn(space, TINY)
        found = float(readings(answer_tables(parameters), parameters).cut[0])
    grid = np.linspace(-12, 12, 2401)
    joint = chances(grid).mean(-1) * density(grid) / density(grid).sum()

    def tells(cut):
        above = joint[:, grid > cut].sum(1)
        return information(np.stack([joint.sum(1) - above, above]))

    best = max(np.linspace(-6, 6, 241), key=tells)
    # Cuts are nodes, .4 apart, and those that tell almost as much are averaged.
    assert tells(found) > tells(best) - 1e-3
    assert tells(found + 2.0) < tells(best) - 1e-3


ITEMS, PEOPLE, PER_ITEM = 400, 20, 5
# What a panel endorses is known without its cut, of which answers say nothing.
PANEL = replace(MODEL, prior=MEANINGS["panel"][0])
GROUPS = ["dogs", "things"]


@pytest.fixture(scope="module")
def study():
    """A design with two groups of labels and one covariate, and its parameters."""
    generator = np.random.default_rng(0)
    rows = crossed(ITEMS, PEOPLE, PER_ITEM, generator)
    rows["label"] = np.resize(["husky", "cup"], ITEMS).repeat(PER_ITEM)
    rows["answer"] = np.resize(WORDS, len(rows))
    labels = pd.DataFrame({"label": ["husky", "cup"], "parent": GROUPS})
    known = rows[["item", "label"]].drop_duplicates()
    known["listed_by"] = generator.normal(size=ITEMS).round(3)
    responses = read(rows, kind="contains", labels=labels)
    space = space_of(responses, lists=known)
    truth = {
        "distance": [3.0, 1.0],
        "scale": 1.2,
        "scale_ratio": 0.0,
        "share": -0.8,
        "width": -0.5,
        "threshold": generator.normal(size=PEOPLE),
        "annotator_width": 0.49 * generator.normal(size=PEOPLE),
        "annotator_discrimination": 0.2 * generator.normal(size=PEOPLE),
        "lapse": np.zeros(PEOPLE),
        "group_shift": [[0.0, 0.0], [-1.0, 1.0]],
        "annotator_threshold": np.zeros((PEOPLE, 2)),
        "weight": [1.0],
    }
    with jax.enable_x64(True):
        data = {name: jnp.asarray(value) for name, value in truth.items()}
        made = simulate(PANEL, space, jax.random.key(1), given=data)
    return space, truth, np.asarray(made.state), np.asarray(made.answer)


def fitted_to(space, answer, power=1):
    with jax.enable_x64(True):
        return em.fit(PANEL, replace_answers(space, answer, power=power), 0, EFFORT)


@pytest.fixture(scope="module")
def fitted(study):
    return fitted_to(study[0], study[-1])


@pytest.mark.study
def test_labels_are_true_as_often_as_promised(study, fitted):
    assert abs(gap(fitted.belief, study[2])) < 4


@pytest.mark.study
def test_the_same_check_catches_answers_counted_four_times(study):
    space, _, state, answer = study
    assert gap(fitted_to(space, answer, power=4).belief, state) > 4


@pytest.fixture(scope="module")
def golden(data_folder):
    return read(
        data_folder / "reassessed-imagenet", format="reassessed_imagenet_golden"
    )


def log_loss(golden, raters, model="auto", truth=None):
    """Log-loss of experts' majority, from so many raters of each pair."""
    table = golden.table
    order = np.random.default_rng(0).permutation(len(table))
    pair = table.iloc[order].groupby(["item", "label"], observed=True)
    part = table[pair.cumcount().reindex(table.index) < raters]
    part = part[["item", "annotator", "label", "answer"]].astype(str)
    fit = cs.fit(read(part, kind="contains"), model=model, seed=0)
    fit = fit if truth is None else fit.with_(truth=truth)
    result = judged(fit.labels(), golden.gold, kind="contains", seed=0)
    return result.metrics["log_loss"].value


@pytest.mark.study
def test_more_raters_are_better_and_beat_their_votes(golden):
    few, many = (log_loss(golden, raters) for raters in (3, 20))
    votes = [log_loss(golden, raters, "majority") for raters in (3, 20)]
    assert many < few < votes[0]
    assert many < votes[1]
    # The twin: as if raters erred each by himself, many are believed too much.
    assert log_loss(golden, 20, truth="raw") > votes[1]


@pytest.mark.parametrize("weight", [0.0, 1.5])
def test_covariates_are_worth_the_answers_that_tell_as_much(weight):
    generator = np.random.default_rng(0)
    rows = [(f"i{k:05d}", "a", "cat", "no") for k in range(15_000)]
    known = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    known = known[["item", "label"]].assign(listed=generator.choice([0.0, 1.0], 15_000))
    reported = pairs([*rows, *[(i, "b", "cat", "no") for i, *_ in rows]])
    space = space_of(reported, lists=known)
    with jax.enable_x64(True):
        values = TINY | {"weight": [weight]} | dict.fromkeys(OWN, (0.0, 0.0))
        observations, parameters = drawn(space, values)
        worth = float(derived(observations, parameters)["relative_information"])
        design = lay_out(MODEL, space, simulating=True)
        result = contains.simulation(jax.random.key(0), design, parameters)
    state, answer = np.asarray(result.state), np.asarray(result.answer)
    listed = (space.covariates.value[:, 0] > 0).astype(int)
    by_listed, by_answer = np.zeros((2, 2)), np.zeros((2, 3))
    np.add.at(by_listed, (state, listed), 1)
    np.add.at(by_answer, (state[space.unit], answer), 1)
    # The plug-in errs by about (rows - 1)(columns - 1) / 2N, and by its own spread.
    error = 4 * np.sqrt(2 * information(by_listed) / 15_000) + 4 / 15_000
    assert worth * information(by_answer) == pytest.approx(
        information(by_listed), abs=error
    )
    assert (worth > 0.2) == (weight > 0)
