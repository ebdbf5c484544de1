"""Answers one by one: held against the joint, every hidden state written out."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from consilience.annotators import load
from consilience.model import HostModel, normal_nodes, zero_sum_basis
from consilience.responses import read
from consilience.spaces import space_of

SINGLE = 1e-5  # relative error of what is computed in single precision
ROWS = [
    ("i", "a", "x"),
    ("i", "b", "y"),
    ("i", "c", "x"),
    ("j", "a", "z"),
    ("j", "c", "z"),
    ("k", "b", "y"),
    ("l", "a", "y"),
    ("l", "b", "z"),
]
MODELS = {
    "hierarchical_dawid_skene": {},
    "multinomial": {},
    "shared_errors": {},
    "mace": {},
    "community_bcc": {"communities": 3.0},
    "ebcc": {"subtypes": 2.0},
    "item_difficulty": {"nodes": 5.0},
    "structured": {},
}
LISTED = {"i": "xyz", "j": "xz", "k": "y", "l": "yz"}  # where there are lists
FREE = ("population", "difficulty")  # numbers, not probabilities


def spaces():
    responses = read(pd.DataFrame(ROWS, columns=["item", "annotator", "label"]))
    gold = pd.DataFrame({"item": ["i"], "label": ["y"]})
    pairs = [("i", "x"), ("i", "y"), ("i", "z"), ("j", "x"), ("j", "z"), ("k", "y")]
    lists = pd.DataFrame([*pairs, ("l", "y")], columns=["item", "label"])
    plain = space_of(responses)
    frame = pd.DataFrame(ROWS, columns=["item", "annotator", "answer"])
    words = {"x": "yes", "y": "no", "z": "maybe"}
    asked = frame.assign(label="dog", answer=frame["answer"].map(words))
    return {
        "counted": replace(plain, n=np.array([1, 2, 1, 3, 1, 2, 1, 1])),
        "listed, with gold": space_of(responses, lists=lists, gold=gold),
        "contains": space_of(read(asked, kind="contains", labels=["dog"])),
    }


SPACES = spaces()


def drawn(model, space):
    """Parameters far from their priors, from one Dirichlet for each row."""
    priors = HostModel(model, space).priors
    generator = np.random.default_rng(3)
    values = {
        name: generator.dirichlet(np.ones(prior.shape[-1]), prior.shape[:-1])
        for name, prior in priors.items()
    }
    states, answers = len(space.states), len(space.answers)
    for name in set(FREE) & set(model.own_dims(space)):
        shape = (states, answers - 1) if name == "population" else (states,)
        values[name] = np.abs(generator.normal(size=shape))
    return values


def on_list(skill, space, unit, answer, right):
    """p(answer) where errors fall evenly on the rest of the list of a unit."""
    words = LISTED[space.unit_item[unit]] if space.ragged else space.answers
    if space.answers[answer] not in words:
        return 0.0
    if len(words) == 1:
        return 1.0
    return skill[0] if answer == right else skill[1] / (len(words) - 1)


def hidden(name, p, space, unit):
    """Yield p(hidden, state) and the table [annotator, answer], state after state.

    Hidden is what an item has beside its state: a subtype, or nothing.
    """
    people, words = space.num_annotators, len(space.answers)
    right = space.votes.argmax(0)
    for state, chance in enumerate(p["prevalence"]):
        if name == "ebcc":
            for kind, share in enumerate(p["subtype_share"][state]):
                yield state, chance * share, p["subtype_confusion"][:, state, kind]
            continue
        if name == "item_difficulty":
            for node, log_share in zip(*normal_nodes(5), strict=True):
                odds = zero_sum_basis(words) @ p["population"][state]
                odds[right[state]] -= node * p["difficulty"][state]
                table = np.tile(softmax(odds), (people, 1))
                yield state, chance * np.exp(log_share), table
            continue
        table = np.zeros((people, words))
        for j, answer in itertools.product(range(people), range(words)):
            table[j, answer] = given(name, p, space, (unit, state, j, answer))
        yield state, chance, table


def given(name, p, space, codes):
    """p(answer | the state of a unit) of an annotator, where nothing else is hidden."""
    unit, state, j, answer = codes
    right, words = space.votes.argmax(0)[state], len(space.answers)
    match name:
        case "community_bcc":
            parts = zip(p["membership"][j], p["style"], strict=True)
            return sum(w * style[state, answer] for w, style in parts)
        case "mace":
            knows, spams = p["trust"][j]
            return knows * (answer == right) + spams * p["habit"][j, answer]
        case "structured":
            return on_list(p["skill"][j], space, unit, answer, right)
        case "shared_errors":
            # Wrong answers in their order, from the one after the right one.
            place = (answer - right - 1) % words
            errors = [*(p["skill"][j, 1] * p["error"][state]), p["skill"][j, 0]]
            return errors[place]
        case _:
            one = len(p["confusion"].shape) < 3
            return (p["confusion"] if one else p["confusion"][j])[state, answer]


def chance(name, p, space, unit, said):
    """p(answers of a unit), up to what its list leaves of the prior."""
    row = unit if len(space.state) > 1 else 0
    rows = unit if len(space.log_prior) > 1 else 0
    total = 0.0
    for place, listed in enumerate(space.state[row]):
        weight = np.exp(space.log_prior[rows, place])
        total += weight * sum(
            share * np.prod([table[j, answer] for j, answer in said])
            for state, share, table in hidden(name, p, space, unit)
            if state == listed
        )
    return total


def answers_of(space, unit):
    rows = np.flatnonzero(space.unit == unit)
    return [
        (space.annotator[row], space.answer[row])
        for row in rows
        for _ in range(space.n[row])
    ]


def scored(function, name, space, codes):
    model = load(name, MODELS[name])
    p = drawn(model, space)
    logs = {name: v if name in FREE else np.log(v) for name, v in p.items()}
    return p, function(HostModel(model, space), logs, tuple(codes))


def observed(space):
    return space.unit, space.annotator, space.answer


@pytest.mark.parametrize("study", SPACES)
@pytest.mark.parametrize("name", MODELS)
def test_an_answer_is_as_probable_given_the_others_as_the_joint_says(name, study):
    space = SPACES[study]
    p, result = scored(HostModel.given_the_others, name, space, observed(space))
    exact = []
    for unit, *answer in zip(*observed(space), strict=True):
        said = answers_of(space, unit)
        fewer = said.copy()
        fewer.remove(tuple(answer))
        whole = chance(name, p, space, unit, said)
        exact.append(whole / chance(name, p, space, unit, fewer))
    assert np.allclose(np.exp(result), exact, rtol=SINGLE, atol=0)


@pytest.mark.parametrize("study", SPACES)
@pytest.mark.parametrize("name", MODELS)
def test_a_further_answer_is_as_probable_as_the_joint_says(name, study):
    space = SPACES[study]
    shape = (space.num_units, space.num_annotators, len(space.answers))
    codes = [axis.ravel() for axis in np.indices(shape)]
    p, result = scored(HostModel.from_outside, name, space, codes)
    exact = []
    for unit, *answer in zip(*codes, strict=True):
        said = answers_of(space, unit)
        more = chance(name, p, space, unit, [*said, tuple(answer)])
        exact.append(more / chance(name, p, space, unit, said))
    assert np.allclose(np.exp(result), exact, rtol=1e-9, atol=0)
    total = np.exp(result).reshape(shape).sum(2)
    assert np.allclose(total, 1)


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_that_vouches_for_itself_is_not_given_the_others(name):
    space = SPACES["counted"]
    _, alone = scored(HostModel.given_the_others, name, space, observed(space))
    _, itself = scored(HostModel.from_outside, name, space, observed(space))
    assert (itself > alone - 1e-12).all()  # by the inequality of Cauchy and Schwarz
    assert (itself > alone + 1e-3).any()
