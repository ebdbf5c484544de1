"""The model of objects: an enumeration by hand, a sum over all answers, recovery."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, logsumexp
from scipy.stats import dirichlet_multinomial, multinomial
from tests.studies import every_objects_answer, gap, objects_space

from consilience.annotators import load, objects
from consilience.inference import EngineOptions
from consilience.inference.engines import em
from consilience.model import lay_out
from consilience.objects import partitions
from consilience.objects.draws import block_weights, draw, streams
from consilience.objects.items import items_of
from consilience.objects.partitions import MAX_LABELS, enumerated
from consilience.objects.simulation import simulation
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth.arrays import on_host

DRAWS = 4000
MODEL = load("objects")
# What other items say follows from their answers, and is not drawn with them.
ALONE = replace(MODEL, layout=lambda space, _: items_of(space, pooled=False))

# Compiled whole: one by one, hundreds of operations take longer.
log_likelihood = jax.jit(objects.likelihood)


def score(observations, parameters):
    """Return the score by NumPy's arithmetic, which takes no time to compile."""
    data, values = on_host((observations, dict(parameters)))
    return objects.score(data, values)


class ByHand:
    """One item, its latent quantities drawn one after the other, all ways summed.

    Nothing is shared with the model but the definition: partitions, styles and kinds
    of objects are enumerated; saliences and names follow Polya's urn, answer by answer.
    What was said of labels that were asked about is SciPy's Dirichlet-multinomial.
    """

    def __init__(self, observations, parameters, said=None, row=0):
        (known,) = observations.layout.covariates
        value = {name: np.asarray(each) for name, each in parameters.items()}
        self.labels = known.label.shape[1]
        self.said, self.value = said, value
        slopes = np.exp(np.asarray(known.slope)[0] @ value["attraction"])
        label = np.asarray(known.label)[row]
        self.votes = label @ np.exp(value["salience"]) * slopes
        self.names = label @ np.exp(value["naming"]) * slopes
        self.affinity = value["objects"] + np.asarray(known.pair)[0] @ value["affinity"]
        odds = np.asarray(known.block)[0] @ value["high_detection"]
        self.often = 1 / (1 + np.exp(-odds))
        low = value["detection"][0]
        self.seen = 1 / (
            1 + np.exp(-np.array([low, low + np.exp(value["detection"][1])]))
        )
        weight = np.exp(value["duplicate_name"][:, 1])
        mean = 1 / (1 + np.exp(-value["duplicate_name"][:, 0]))
        self.duplicate = np.stack([weight * mean, weight * (1 - mean)], 1)
        self.synonyms = self._synonyms(np.asarray(known.pair)[0], known.pairs, row)
        weight = np.exp(value["single_label"][1])
        mean = 1 / (1 + np.exp(-value["single_label"][0]))
        self.single_label = weight * mean, weight * (1 - mean)

    def _synonyms(self, columns, pairs, row):
        """Return the probability that each block's names are synonyms."""
        odds, every = {}, itertools.combinations(range(self.labels), 2)
        for place, (one, other) in enumerate(every):
            odds[one, other] = columns[1 << one | 1 << other] @ self.value["synonyms"]
            if pairs is not None:
                pair = np.asarray(pairs)[row, place]
                odds[one, other] += self.value["synonym_pairs"][pair]
                for block in range(len(self.affinity)):
                    if block >> one & block >> other & 1:
                        self.affinity[block] += self.value["pairs"][pair]
        chances = np.zeros(len(columns))  # one name has no synonym
        for block in range(len(columns)):
            inside = [
                value
                for (one, other), value in odds.items()
                if block >> one & block >> other & 1
            ]
            if inside:
                chances[block] = 1 / (1 + np.exp(-np.mean(inside)))
        return chances

    def likelihood(self, answers, where=lambda *_: True):
        """Return p(k objects, answers) for each k, of such blocks and their kinds."""
        partitions = [
            tuple(int(mask) for mask in row if mask)
            for row in enumerated(self.labels).blocks
        ]
        prior = np.exp([sum(self.affinity[list(blocks)]) for blocks in partitions])
        prior /= prior.sum()
        total = np.zeros(self.labels)
        for weight, blocks in zip(prior, partitions, strict=True):
            for styles in itertools.product((0, 1), repeat=len(answers)):
                every = itertools.product((0, 1), repeat=2)
                for kinds in itertools.product(every, repeat=len(blocks)):
                    if not where(blocks, kinds):
                        continue
                    one = self._given(answers, blocks, styles, kinds)
                    total[len(blocks) - 1] += weight * one
        return total

    def _given(self, answers, blocks, styles, kinds):
        yes, no = self.single_label
        votes, names = self.votes.copy(), self.names.copy()
        chance = 1.0
        for block, (kind, alike) in zip(blocks, kinds, strict=True):
            chance *= self.often[block] if kind else 1 - self.often[block]
            chance *= self.synonyms[block] if alike else 1 - self.synonyms[block]
            if self.said is not None:
                chance *= self._granted(block, kind)
        for (main, mask), lists in zip(answers, styles, strict=True):
            chance *= (no if lists else yes) / (yes + no)
            yes, no = yes + (not lists), no + lists
            for block, (kind, alike) in zip(blocks, kinds, strict=True):
                inside = [label for label in range(self.labels) if block >> label & 1]
                given = [label for label in inside if mask >> label & 1]
                if main in inside:
                    chance *= votes[inside].sum() / votes.sum()
                    chance *= names[main] / names[inside].sum()
                    names[main] += 1
                    extra = inside[0]  # where in the block salience grows is no matter
                    grown = votes.copy()
                    grown[extra] += 1
                    more = len(given) - 1
                    slips = self._slips(alike, more, len(inside))
                    chance *= slips if lists else more == 0
                elif not lists:
                    chance *= not given
                elif not given:
                    chance *= 1 - self.seen[kind]
                else:
                    chance *= self.seen[kind]
                    chance *= self._slips(alike, len(given) - 1, len(inside))
                    if len(given) == 1:
                        chance *= names[given[0]] / names[inside].sum()
                        names[given[0]] += 1
                    else:
                        chance *= len(given) / len(inside)
            votes = grown
        return chance

    def _granted(self, block, kind):
        """Return p(what was said of the block's names); the own label is the first."""
        slope, weight, maybe = self.value["endorsement_shape"]
        leading, several, own = self.value["endorsement"]
        kappa, chance = 1 / (1 + np.exp(-maybe)), 1.0
        inside = [label for label in range(self.labels) if block >> label & 1]
        for label in inside:
            odds = np.log(self.seen[kind] / (1 - self.seen[kind])) * np.exp(slope)
            odds += leading + several * (len(inside) > 1) + own * (label == 0)
            yes = 1 / (1 + np.exp(-odds))
            half = kappa * yes * (1 - yes)
            alpha = np.exp(weight) * np.array([1 - yes - half, 2 * half, yes - half])
            counts = self.said[label]
            if not (number := sum(counts)):
                continue
            orders = multinomial.pmf(counts, number, np.full(3, 1 / 3)) * 3**number
            chance *= dirichlet_multinomial.pmf(counts, alpha, number) / orders
        return chance

    def _slips(self, alike, more, size):
        yes, no = self.duplicate[alike]
        return np.exp(betaln(yes + more, no + size - 1 - more) - betaln(yes, no))


@pytest.mark.parametrize(("num_labels", "annotators"), [(2, 3), (3, 2), (4, 1)])
def test_the_score_sums_over_all_answers_to_the_prior(
    num_labels, annotators, objects_parameters
):
    answers = list(
        itertools.product(every_objects_answer(num_labels), repeat=annotators)
    )
    with jax.enable_x64(True):
        observations = lay_out(ALONE, objects_space(answers, num_labels))
        parameters = objects_parameters(ALONE, observations)
        total = np.exp(score(observations, parameters)).sum(0)
        nobody = replace(observations.layout, observed=jnp.zeros(len(answers), bool))
        before = score(replace(observations, layout=nobody), parameters)
    assert np.allclose(total, np.exp(before[0]), rtol=1e-10)
    assert np.isclose(total.sum(), 1)


THREE = [
    [(0, 0b001), (1, 0b010), (0, 0b001)],
    [(0, 0b011), (1, 0b010), (2, 0b101)],
    [(0, 0b111), (2, 0b110), (2, 0b100)],
]


@pytest.mark.parametrize("number", [1, 2])
def test_three_answers_are_as_probable_as_by_hand(number, objects_parameters):
    with jax.enable_x64(True):
        observations = lay_out(ALONE, objects_space(THREE, 3))
        parameters = objects_parameters(ALONE, observations, number)
        result = np.exp(score(observations, parameters))
        hand = ByHand(observations, parameters)
    expected = np.stack([hand.likelihood(unit) for unit in THREE])
    assert np.allclose(result, expected, rtol=1e-9)


BY_PAIR = replace(
    MODEL, layout=lambda space, _: items_of(space, pooled=False, pairs=True)
)


@pytest.fixture
def by_pair(objects_parameters):
    """Return items whose pairs have effects of their own, laid out, and parameters."""
    with jax.enable_x64(True):
        observations = lay_out(BY_PAIR, objects_space(THREE * 2, 3))
        assert observations.layout.pair_items.tolist() == [6, 6, 6]
        parameters = objects_parameters(BY_PAIR, observations)
        many = {"duplicate_name": jnp.array([[-2.0, 0.5], [1.0, 1.0]])}
        many["synonym_pairs"] = jnp.array([2.0, -1.0, 0.5])
        return observations, parameters | many


def by_hand(observations, parameters):
    return np.stack([ByHand(observations, parameters).likelihood(one) for one in THREE])


def test_rivals_and_synonyms_are_as_probable_as_by_hand(by_pair):
    with jax.enable_x64(True):
        result = np.exp(score(*by_pair)[:3])
    assert np.allclose(result, by_hand(*by_pair), rtol=1e-9)


OTHER = {
    "rivals alone": lambda given: {"synonyms": given["synonyms"] - 50.0},
    "swapped": lambda given: {"duplicate_name": given["duplicate_name"][::-1]},
    "affinities": lambda given: {"synonym_pairs": given["pairs"]},
}


@pytest.mark.parametrize("other", OTHER)
def test_the_hand_tells_rivals_from_synonyms(by_pair, other):
    observations, parameters = by_pair
    with jax.enable_x64(True):
        result = np.exp(score(*by_pair)[:3])
        hand = by_hand(observations, parameters | OTHER[other](parameters))
    assert not np.allclose(result[1:], hand[1:], rtol=1e-3)


def two_synonyms(blocks, kinds):
    """Return whether the first two labels are synonyms."""
    together = (block & 0b11 == 0b11 for block in blocks)
    return any(both and alike for both, (_, alike) in zip(together, kinds, strict=True))


def test_draws_are_synonyms_as_often_as_by_hand(by_pair):
    observations, parameters = by_pair
    swapped = parameters | {"duplicate_name": parameters["duplicate_name"][::-1]}
    (blocks,), (known,) = observations.layout.blocks, observations.layout.covariates
    with jax.enable_x64(True):
        weights = block_weights(blocks, known, parameters)
        numbers = streams(0, np.array(["i", "j", "k"]))
        chunk = draw(blocks, weights, np.arange(3), DRAWS, numbers)
        hands = [ByHand(observations, each) for each in (parameters, swapped)]
    often = ((chunk.blocks & 0b11 == 0b11) & chunk.synonyms).any(2).mean(1)
    expected, other = (
        np.array(
            [
                hand.likelihood(one, two_synonyms).sum() / hand.likelihood(one).sum()
                for one in THREE
            ]
        )
        for hand in hands
    )
    error = np.sqrt(expected * (1 - expected) / DRAWS)
    assert (abs(often - expected) < 4 * error).all()
    assert (abs(often - other) > 4 * error).any()


ASKED = [  # of three labels, how many said no, maybe and yes
    [(0, 1, 2), (1, 0, 0), (2, 0, 1)],
    [(0, 0, 0), (0, 0, 3), (4, 0, 0)],
]


@pytest.mark.parametrize("by_matrix", [8, 0])
def test_both_tasks_are_as_probable_as_by_hand(
    by_matrix, monkeypatch, objects_parameters
):
    answers = [[(0, 0b011), (1, 0b010)], [(2, 0b101), (0, 0b001)]]
    monkeypatch.setattr(partitions, "BY_MATRIX", by_matrix)
    with jax.enable_x64(True):
        observations = lay_out(ALONE, objects_space(answers, 3, said=ASKED))
        parameters = objects_parameters(ALONE, observations)
        result = np.exp(score(observations, parameters))
        hands = [
            ByHand(observations, parameters, said, row)
            for row, said in enumerate(ASKED)
        ]
        swapped = ByHand(observations, parameters, ASKED[1][::-1], 1)
    expected = [
        hand.likelihood(unit) for hand, unit in zip(hands, answers, strict=True)
    ]
    assert np.allclose(result, np.stack(expected), rtol=1e-9)
    assert not np.allclose(result[1], swapped.likelihood(answers[1]), rtol=1e-3)


@pytest.fixture
def of_both_tasks(objects_parameters):
    """Return items of which both was asked, laid out, and parameters."""
    answers = [[(0, 0b011), (1, 0b010), (1, 0b010)], [(2, 0b101), (0, 0b001)]]
    said = np.random.default_rng(0).integers(0, 3, (2, 3, 3))
    with jax.enable_x64(True):
        observations = lay_out(ALONE, objects_space(answers, 3, said=said))
        return observations, objects_parameters(ALONE, observations)


@pytest.mark.parametrize("given", ["of_both_tasks", "by_pair"])
def test_what_the_gradient_is_taken_of_is_the_score_summed(given, request):
    observations, parameters = request.getfixturevalue(given)
    with jax.enable_x64(True):

        def both(parameters):
            each = log_likelihood(observations, parameters)
            return each.sum(), each

        (_, result), slope = jax.jit(jax.value_and_grad(both, has_aux=True))(parameters)
    parameters = on_host(dict(parameters))

    def summed(name, step):
        moved = {**parameters, name: parameters[name] + step}
        return logsumexp(score(observations, moved), 1)

    assert np.allclose(result, summed("high_detection", 0.0), rtol=1e-12)
    for name, value in parameters.items():
        for place in np.ndindex(value.shape):
            step = np.zeros(value.shape)
            step[place] = 1e-5
            rise = (summed(name, step) - summed(name, -step)).sum() / 2e-5
            assert np.isclose(slope[name][place], rise, rtol=1e-6, atol=1e-8)


def test_names_that_hardly_anybody_gives_have_a_finite_score_and_slope():
    """One factor of a block's weight is too large to be a number, another too small."""
    answers = [[(0, 0b11)] * 30 + [(1, 0b11)] * 30, [(0, 0b01), (1, 0b10)]]
    observations = lay_out(ALONE, objects_space(answers, 2))
    parameters = {name: jnp.array(value) for name, value in USUAL.items()}
    parameters["detection"] = jnp.array([-4.0, 0.0])
    parameters["duplicate_name"] = jnp.array([[-6.0, 2.0], [-5.0, 2.0]])

    def summed(parameters):
        return log_likelihood(observations, parameters).sum()

    result, slope = jax.value_and_grad(summed)(parameters)
    expected = logsumexp(score(observations, parameters), 1).sum()
    assert np.isclose(result, expected, rtol=1e-5)
    assert all(np.isfinite(each).all() for each in slope.values())


@pytest.fixture
def of_two_sizes(objects_parameters):
    """Return items of two and of four candidates, laid out, and parameters."""
    rows = [("i", "a", "x", True), ("i", "b", "y", True), ("i", "c", "x", True)]
    rows += [("j", who, name, name == "z") for who in "ab" for name in "zx"]
    rows += [("j", "c", name, name == "y") for name in "yw"]
    frame = pd.DataFrame(rows, columns=["item", "response_id", "label", "main"])
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space_of(read(frame, kind="objects")))
        assert [blocks.num_labels for blocks in observations.layout.blocks] == [2, 4]
        return observations, objects_parameters(ALONE, observations)


def test_the_host_scores_as_what_is_compiled(of_two_sizes):
    with jax.enable_x64(True):
        observations, parameters = of_two_sizes
        compiled = jax.jit(objects.score)(observations, parameters)
        host = score(observations, parameters)
    assert isinstance(host, np.ndarray)
    assert np.allclose(host, compiled, rtol=1e-12)


def knowing(observations, evidence):
    return replace(observations, log_prior=observations.log_prior + evidence)


def test_what_is_known_of_the_number_of_objects_enters(of_two_sizes):
    with jax.enable_x64(True):
        observations, parameters = of_two_sizes
        known = jnp.log(jnp.array([[0.2, 0.8, 1, 1], [0.4, 0.3, 0.2, 0.1]]))
        known = jnp.where(jnp.isfinite(observations.log_prior), known, 0.0)
        result = log_likelihood(knowing(observations, known), parameters)
        nothing = log_likelihood(knowing(observations, 0 * known), parameters)
        plain = log_likelihood(observations, parameters)
        scores = score(observations, parameters)
        # Of two candidates there is one object or two, and odds are all there is.
        exact = float(logsumexp(scores + known, 1)[0] - logsumexp(scores, 1)[0])
        moved = np.asarray(result - plain)
    assert np.allclose(nothing, plain, rtol=1e-12)
    # Each object weighs as the odds, 4: the first one, too, so 4 where .2 is known.
    assert np.isclose(moved[0], exact - np.log(0.2) + np.log(4), rtol=1e-10)
    assert abs(moved[1]) > 0.01


def test_an_answer_that_counts_twice_is_two_answers(objects_parameters):
    answers = every_objects_answer(3)
    once = objects_space([[each] for each in answers], 3)
    spaces = [
        replace(once, n=np.full_like(once.n, 2)),
        objects_space([[each] * 2 for each in answers], 3),
        once,
    ]
    with jax.enable_x64(True):
        laid = [lay_out(ALONE, space) for space in spaces]
        scores = [score(one, objects_parameters(ALONE, laid[0])) for one in laid]
    assert np.allclose(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


# Rounded from a fit to the multi-label study: what is often seen is seen by most, and
# few give all names of a thing.
USUAL = {
    "naming": [0.7, 0.3],
    "salience": [-0.3, -0.8],
    "attraction": [],
    "objects": [0.0],
    "affinity": [-1.0, 2.0],
    "high_detection": [-0.3, 0.4],
    "detection": [-0.5, 0.9],
    "duplicate_name": [[-1.8, 0.3], [0.6, 0.8]],
    "synonyms": [-0.5, 1.5],
    "single_label": [-1.1, 2.2],
    "style": [],
}


@pytest.fixture(scope="module")
def study():
    """300 items of four labels, two and two of a kind, nine answers each."""
    blank = objects_space([[(0, 1)] * 9] * 300, 4)
    with jax.enable_x64(True):
        observations = lay_out(ALONE, blank)
        usual = {name: jnp.array(value) for name, value in USUAL.items()}
        made = simulation(jax.random.key(3), observations, usual)
    answer = np.asarray(made.answer).reshape(300, 9)
    answers = [[divmod(int(code), 1 << MAX_LABELS) for code in row] for row in answer]
    return objects_space(answers, 4), made, usual


@pytest.fixture(scope="module")
def fitted(study):
    space, _, _ = study
    with jax.enable_x64(True):
        return em.fit(ALONE, space, 0, EngineOptions(restarts=1))


@pytest.mark.study
def test_the_number_of_objects_is_found_as_often_as_promised(study, fitted):
    truth = np.asarray(study[1].state)
    assert abs(gap(fitted.belief, truth)) < 4
    sharp = fitted.belief**4
    sharp /= sharp.sum(1, keepdims=True)
    assert gap(sharp, truth) > 4


@pytest.mark.study
def test_the_parameters_are_found_again(study, fitted):
    space, _, usual = study
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space)
        results = {
            name: jnp.asarray(value[0, 0]) for name, value in fitted.parameters.items()
        }
        gain = float(logsumexp(score(observations, results), 1).sum())
        gain -= float(logsumexp(score(observations, usual), 1).sum())
    # Twice what is gained over the truth by fitting P numbers is chi-squared of P, less
    # what their prior holds back.
    number = sum(np.size(value) for value in USUAL.values())
    assert -number < gain < number / 2 + 4 * np.sqrt(number / 2)
