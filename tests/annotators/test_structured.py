"""Many labels on short lists: against formulas written out, one coin, and the truth."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from tests.studies import gap, score

from consilience.annotators import load
from consilience.errors import OptionError
from consilience.inference import EngineOptions
from consilience.inference.engines import em, vb
from consilience.model import lay_out, lists_of, marginal
from consilience.responses import read
from consilience.spaces import space_of

LABELS = pd.DataFrame(
    {"label": [f"l{code}" for code in range(5)], "parent": ["p", "p", "q", "q", None]}
)
LISTS = {
    "a": ["l0", "l1", "l3"],
    "b": ["l1", "l2", "l3", "l4"],
    "c": ["l0", "l4"],
    "d": ["l2"],
}
ALIKE = pd.DataFrame(
    {"label": ["l3", "l1"], "other_label": ["l0", "l2"], "value": [1.0, 0.5]}
)
ALL_TERMS = {"popularity": 1.0, "superclass": 1.0, "similarity": 1.0}


@pytest.fixture(scope="module")
def every_answer_on_a_list():
    """Return units with all answers that two annotators can give, list by list."""
    rows, listed = [], []
    for name, labels in LISTS.items():
        for number, pair in enumerate(itertools.product(labels, repeat=2)):
            item = f"{name}{number:02d}"
            rows += [
                (item, who, said)
                for who, said in zip(("ann", "bob"), pair, strict=True)
            ]
            listed += [(item, label) for label in labels]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    lists = pd.DataFrame(listed, columns=["item", "label"])
    return space_of(read(frame, labels=LABELS), lists=lists, alike=ALIKE)


@pytest.mark.parametrize("prior", [{}, ALL_TERMS])
def test_the_score_sums_to_the_prior_over_all_answers_on_the_list(
    every_answer_on_a_list, prior, some_parameters
):
    space, model = every_answer_on_a_list, load("structured", prior)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = some_parameters(model, observations)
        scores = np.exp(score(model, observations, parameters))
        prevalence = np.exp(parameters["prevalence"])
    for name, labels in LISTS.items():
        units = [item.startswith(name) for item in space.unit_item]
        expected = [prevalence[space.states.index(label)] for label in labels]
        assert np.allclose(scores[units].sum(0)[: len(labels)], expected)


def test_the_score_is_the_formula_written_out(every_answer_on_a_list, some_parameters):
    space, model = every_answer_on_a_list, load("structured", ALL_TERMS)
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = some_parameters(model, observations)
        result = np.asarray(score(model, observations, parameters))
        p = {name: np.asarray(value) for name, value in parameters.items()}
    parent = LABELS["parent"].fillna("").to_list()
    alike = {(0, 3): 1.0, (1, 2): 0.5}
    listed = [1, 2, 3, 4]

    def weight(k, l):  # noqa: E741 (the letter of the answer)
        pair = (min(k, l), max(k, l))
        same = parent[k] == parent[l] != ""
        return np.exp(
            p["popularity"][l]
            + p["superclass"] * same
            + p["similarity"] * alike.get(pair, 0.0)
        )

    unit = list(space.unit_item).index("b01")  # ann says l1, bob says l2
    for slot, k in enumerate(listed):
        expected = p["prevalence"][k]
        for annotator, said in ((0, 1), (1, 2)):
            others = sum(weight(k, m) for m in listed if m != k)
            right, wrong = p["skill"][annotator]
            expected += right if said == k else wrong + np.log(weight(k, said) / others)
        assert np.isclose(result[unit, slot], expected)


def test_uniform_errors_on_whole_lists_are_one_coin(design, some_parameters):
    one, many = load("one_coin_dawid_skene"), load("structured")
    with jax.enable_x64(True):
        coin, lists = lay_out(one, design), lay_out(many, design)
        parameters = some_parameters(one, coin)
        assert np.allclose(score(one, coin, parameters), score(many, lists, parameters))
        fits = [
            engine.fit(model, design, 0, effort)
            for engine, effort in ((em, EngineOptions()), (vb, EngineOptions(draws=0)))
            for model in (one, many)
        ]
    for of_one, of_many in (fits[:2], fits[2:]):
        assert np.allclose(of_one.belief, of_many.belief, atol=1e-8)
        assert np.allclose(
            of_one.parameters["skill"], of_many.parameters["skill"], atol=1e-8
        )


@pytest.fixture(scope="module")
def thousand_labels():
    """2,500 items with five of a thousand labels listed, three of them of one family.

    Made by NumPy alone: accuracies are Beta(8, 4), errors fall on the list, and kin of
    the truth attract them by exp(1.5).
    """
    generator = np.random.default_rng(3)
    labels, items, annotators, attraction = 1000, 2500, 50, 1.5
    family = generator.integers(0, labels // 10, (items, 1)) * 10
    kin = family + generator.random((items, 10)).argsort(1)[:, :3]
    other = (family + 10 + generator.random((items, 900)).argsort(1)[:, :2]) % labels
    lists = np.concatenate([kin, other], 1)
    true = generator.integers(0, 5, items)
    skill = generator.beta(8, 4, annotators)
    who = generator.random((items, annotators)).argsort(1)[:, :4]
    same = lists // 10 == np.take_along_axis(lists, true[:, None], 1) // 10
    weight = np.exp(attraction * same)
    weight[np.arange(items), true] = 0
    bound = weight.cumsum(1) / weight.sum(1, keepdims=True)
    error = (generator.random((items, 4, 1)) > bound[:, None]).sum(2)
    slot = np.where(generator.random((items, 4)) < skill[who], true[:, None], error)
    names = np.array([f"l{code:03d}" for code in range(labels)])
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:04d}" for number in range(items)], 4),
            "annotator": [f"a{code:02d}" for code in who.ravel()],
            "label": names[np.take_along_axis(lists, slot, 1).ravel()],
        }
    )
    parents = [f"p{code // 10:02d}" for code in range(labels)]
    listed = pd.DataFrame({"item": frame["item"].unique().repeat(5)})
    listed["label"] = names[lists.ravel()]
    responses = read(frame, labels=pd.DataFrame({"label": names, "parent": parents}))
    space = space_of(responses, lists=listed)
    truth = lists[np.arange(items), true]
    return space, space.state == truth[:, None], skill, attraction


def ignoring_the_list(data, prior):
    """Spread errors over all labels, as if every one had been shown."""
    usual = load("structured").program(data, prior)
    shown = lists_of(data).real.sum(0).max()
    spread = np.log(data.num_answers - 1) - np.log(shown - 1)
    return replace(usual, log_skill=usual.log_skill - np.array([0.0, spread]))


# That labels are as frequent as each other is given: two items a label cannot say.
EVEN = {"prevalence": 100.0}
BOTH = {
    "promises hold": (load("structured", {"superclass": 1.0, **EVEN}), True),
    "the list ignored": (
        replace(load("structured", EVEN), program=ignoring_the_list),
        False,
    ),
}


@pytest.mark.parametrize(("model", "holds"), BOTH.values(), ids=BOTH)
def test_promises_hold_among_a_thousand_labels_on_their_lists(
    model, holds, thousand_labels
):
    space, hit, *_ = thousand_labels
    with jax.enable_x64(True):
        belief = em.fit(model, space, 0, EngineOptions()).belief
    distance = gap(belief, hit.argmax(1))
    assert (distance < 4) == holds
    assert distance > -4


def test_em_ends_where_the_posterior_of_the_terms_is_flat(thousand_labels):
    space, *_ = thousand_labels
    model = load("structured", {"popularity": 1.0, "superclass": 1.0})
    with jax.enable_x64(True):
        effort = EngineOptions(tolerance=1e-9)
        fit = em.fit(model, space, 0, effort)
        observations = lay_out(model, space)
        results = {name: value[0, 0] for name, value in fit.parameters.items()}
        logs = {name: jnp.log(results[name]) for name in ("prevalence", "skill")}
        terms = {name: results[name] for name in ("popularity", "superclass")}

        def density(terms):
            scores = score(model, observations, logs | terms)
            prior = sum(
                -0.5 * (value**2).sum() / getattr(model.prior, name) ** 2
                for name, value in terms.items()
            )
            return marginal(scores).sum() + prior

        slope = jax.jit(jax.grad(density))(terms)
    objective = fit.optimization.objective[0]
    assert (np.diff(objective) >= -1e-9 * np.abs(objective[1:])).all()
    # The prior alone curves by one or more, so this is less than a twentieth of a
    # posterior standard deviation away.
    assert all(np.abs(value).max() < 0.05 for value in slope.values())


def test_nothing_is_as_large_as_items_times_labels(thousand_labels, some_parameters):
    space, *_ = thousand_labels
    model = load("structured", {"popularity": 1.0, "superclass": 1.0})
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = some_parameters(model, observations)
        program = jax.make_jaxpr(
            jax.value_and_grad(lambda p, o: marginal(score(model, o, p)).sum())
        )(parameters, observations)
    largest = max(sizes(program.jaxpr))
    lists = replace(observations, votes=observations.votes[:1])  # a table of labels
    given = max(leaf.size for leaf in jax.tree.leaves(lists))
    assert max(largest, given) <= 25 * space.num_units  # every pair on a list of five
    assert largest < space.num_units * len(space.states) / 10


def sizes(jaxpr):
    """Yield how many numbers each value of a program has, inner programs included."""
    for equation in jaxpr.eqns:
        for variable in equation.outvars:
            yield int(np.prod(variable.aval.shape))
        for value in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda leaf: hasattr(leaf, "eqns")
        ):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from sizes(inner)


@pytest.mark.parametrize("term", ["superclass", "similarity"])
def test_terms_need_to_be_told_of_the_labels(design, term):
    model = load("structured", {term: 1.0})
    with pytest.raises(OptionError, match=f"{term}=1.0`: no .*leave it out"):
        lay_out(model, design)
