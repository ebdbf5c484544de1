"""What fresh panels find, held against answers drawn one by one, and all enumerated."""

import itertools
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

import consilience as cs
from consilience.errors import OptionError
from consilience.objects.block_counts import block_sizes
from consilience.objects.draws import Chunk, streams
from consilience.objects.response_panels import SIZES, sizes_of_responses, verdicts

DRAWS = 4000
BLOCKS = (0b0011, 0b0100, 0b1000, 0)  # one object of two names, two of one
SALIENCE, RATE, LISTS = (0.6, 0.3, 0.1, 0.0), (0.7, 0.5, 0.2, 0.9), 0.8
RIVALS, SYNONYMS = (0.4, 1.6), (3.0, 1.0)  # of the Betas of duplicates


def duplicate_name_tables(*weights):
    more = np.maximum(block_sizes(4) - 1, 0)[:, None]
    count = np.arange(4)
    left = np.maximum(more - count, 0)
    return np.stack(
        [betaln(yes + count, no + left) - betaln(yes, no) for yes, no in weights]
    )


BOTH = duplicate_name_tables(RIVALS, SYNONYMS)


def chunk_of(duplicates=BOTH, *, synonyms=False):
    def all_draws(values):
        return np.tile(np.array(values), (1, DRAWS, 1))

    return Chunk(
        rows=np.zeros(1, int),
        partition=np.ones((1, 15)) / 15,
        blocks=all_draws(BLOCKS),
        salience=all_draws(SALIENCE),
        frequency=all_draws(SALIENCE),
        object_of=all_draws([0, 0, 1, 2]),
        share=all_draws([0.75, 0.25, 1.0, 1.0]),
        rate=all_draws(RATE),
        lists=np.full((1, DRAWS), LISTS),
        none=np.zeros((1, DRAWS)),
        synonyms=all_draws([synonyms, False, False, True]),
        duplicates=duplicates,
    )


def answered(generator, duplicate):
    """Return how many labels one annotator names, drawn step by step."""
    main = generator.choice(3, p=SALIENCE[:3])
    if generator.random() > LISTS:
        return 1
    number = 0
    for block in range(3):
        if block == main or generator.random() < RATE[block]:
            number += 1
            if block == 0:
                number += generator.random() < generator.beta(*duplicate)
    return number


@pytest.mark.parametrize("synonyms", [False, True])
def test_a_response_names_as_many_labels_as_drawn_step_by_step(synonyms):
    result = sizes_of_responses(chunk_of(synonyms=synonyms))[:, 0, 0]
    generator, duplicate = np.random.default_rng(0), (RIVALS, SYNONYMS)[synonyms]
    numbers = [answered(generator, duplicate) for _ in range(20_000)]
    drawn = np.bincount(numbers, minlength=5)[1:]
    spread = np.sqrt(result * (1 - result) / 20_000)
    assert np.isclose(result.sum(), 1)
    assert (np.abs(drawn / 20_000 - result) < 4 * spread + 1e-9).all()
    changed = duplicate_name_tables((1.2, 1.6), (3.0, 3.0))
    for other in (
        chunk_of(changed, synonyms=synonyms),
        chunk_of(synonyms=not synonyms),
    ):
        sizes = sizes_of_responses(other)[:, 0, 0]
        assert (np.abs(drawn / 20_000 - sizes) > 4 * spread + 1e-9).any()


def by_enumeration(chance, asked, annotators):
    """Return P(what most say is asked for), ties being parted."""
    total = 0.0
    for reported in itertools.product(range(len(chance)), repeat=annotators):
        votes = np.bincount(reported, minlength=len(chance))
        top = votes == votes.max()
        total += np.prod(chance[list(reported)]) * top[asked].sum() / top.sum()
    return total


@pytest.mark.parametrize("annotators", [1, 2, 4, 5])
def test_a_panel_finds_what_all_its_answers_together_say(annotators):
    chunk = chunk_of()
    numbers = streams(0, np.array(["item"]))
    result = verdicts(chunk, np.array([2]), numbers)
    size = sizes_of_responses(chunk)[:, 0, 0]
    place = SIZES.index(annotators)
    tolerance = 4 * 0.5 / np.sqrt(DRAWS)
    several = by_enumeration(size, np.arange(4) > 0, annotators)
    assert abs(result.several[0, place] - several) < tolerance
    if annotators == 1:
        assert abs(result.several[0, SIZES.index(9)] - several) > tolerance
    main = chunk.main[0, 0]
    differs = by_enumeration(main / main.sum(), np.arange(4) != 2, annotators)
    assert abs(result.differs[0, place] - differs) < tolerance


def test_two_of_three_is_what_the_binomial_says():
    # Sizes one and two alone: a panel of three has no ties.
    duplicates = duplicate_name_tables((1e-12, 1.0), (1e-12, 1.0))
    chunk = chunk_of(duplicates)
    chunk.blocks[:, :, 2:] = 0
    chunk.salience[:] = [0.6, 0.4, 0.0, 0.0]
    result = verdicts(chunk, np.array([-1]), streams(0, np.array(["item"])))
    q = LISTS * (0.6 * RATE[1] + 0.4 * RATE[0])
    expected = sum(comb(3, k) * q**k * (1 - q) ** (3 - k) for k in (2, 3))
    assert abs(result.several[0, 2] - expected) < 4 * 0.5 / np.sqrt(DRAWS)
    assert np.isnan(result.differs).all()


def test_what_a_panel_would_find_stands_in_the_fit(objects_study, objects_fit):
    panels = objects_fit.table("panels")
    assert list(panels.columns) == ["item", "annotators", "several", "differs"]
    assert set(panels["annotators"]) == {*SIZES, 0}
    assert (panels["annotators"] == 1).sum() == 120
    several = panels.groupby("annotators")["several"].mean()
    table = objects_study.responses.table
    named = table.groupby(["item", "annotator"], observed=True).size()
    # How many responses name several, over all items, is what was fitted.
    assert abs(several[1] - (named > 1).mean()) < 0.05
    assert abs(several[25] - (named > 1).mean()) > 0.05


def test_a_rule_foresees_no_panel():
    rows = [("i", "a", "cat", True), ("i", "a", "dog", False), ("j", "b", "cat", True)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    fit = cs.fit(cs.read(frame, kind="objects"), model="tsipras2020")
    with pytest.raises(OptionError, match="panels"):
        fit.table("panels")
