"""Residual correlation: of independent annotators, and of ones who err together."""

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from benchmarks.simulation_based_calibration import replace_answers

from consilience import annotators
from consilience.checks.independence import LIMIT, independence, rejected
from consilience.fitting.request import Request
from consilience.fitting.single import fit_one
from consilience.inference import EngineOptions
from consilience.posterior.correlation import (
    USUAL,
    Residual,
    common_correlation,
    residual_correlation,
)
from consilience.posterior.trust import CANNOT_TELL, CORRECTED, PASSED
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of

ITEMS, PEOPLE, PER_ITEM = 300, 12, 8
STUDIES = 200
SHARE = 0.4  # of items that everyone guesses at


def design(labels, items=ITEMS):
    generator = np.random.default_rng(0)
    who = generator.random((items, PEOPLE)).argsort(1)[:, :PER_ITEM]
    names = [f"l{k}" for k in range(labels)]
    frame = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:04d}" for number in range(items)], PER_ITEM),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": np.resize(names, who.size),
        }
    )
    return space_of(read(frame, labels=names))


def drawn(space, generator, guessed):
    """Draw answers; return them with the confusions that they have on average."""
    labels = len(space.states)
    rows = generator.dirichlet(np.ones(labels), (PEOPLE, labels))
    confusion = 0.3 * rows + 0.7 * np.eye(labels)
    truth = generator.integers(0, labels, space.num_units)
    hard = (generator.random(space.num_units) < guessed)[space.unit]
    chance = confusion[space.annotator, truth[space.unit]]
    chance = np.where(hard[:, None], 1 / labels, chance)
    answer = (chance.cumsum(1) < generator.random((len(hard), 1))).sum(1)
    answer = np.minimum(answer, labels - 1).astype(np.int32)
    return answer, (1 - guessed) * confusion + guessed / labels


def residual_given(name, space, prior=None, **draw):
    """Residuals given one draw of the parameters."""
    whole = {each: value[None, None] for each, value in draw.items()}
    with jax.enable_x64(True):
        return residual_correlation(annotators.load(name, prior), space, whole)


def residual_of(space, confusion, name="bayesian_dawid_skene"):
    """Residuals given these confusions, all labels as frequent."""
    labels = len(space.states)
    prevalence = np.full(labels, 1 / labels)
    return residual_given(name, space, prevalence=prevalence, confusion=confusion)


def residuals(labels, guessed, studies=STUDIES, items=ITEMS, seed=1, pulled=0.0):
    """Residuals of studies; confusions may be pulled to chance, as by a prior."""
    space, generator = design(labels, items), np.random.default_rng(seed)
    results = []
    for _ in range(studies):
        answer, confusion = drawn(space, generator, guessed)
        given = (1 - pulled) * confusion + pulled / labels
        results.append(residual_of(replace_answers(space, answer), given))
    return results


def z_of(results):
    return np.array([each.z for each in results])


def at_most_by_chance(level):
    """Rejections that as many studies exceed once in some thirty thousand."""
    return STUDIES * level + 4 * np.sqrt(STUDIES * level * (1 - level))


@pytest.mark.parametrize("labels", [2, 5])
def test_independent_annotators_are_rejected_no_more_often_than_said(labels):
    z = z_of(residuals(labels, 0))
    assert (z > LIMIT).sum() <= at_most_by_chance(0.01)
    assert (z > 1.645).sum() <= at_most_by_chance(0.05)
    assert abs(z.mean()) < 4 / np.sqrt(STUDIES)


@pytest.mark.parametrize("labels", [2, 5])
def test_annotators_who_all_guess_at_some_items_are_rejected(labels):
    result = residuals(labels, SHARE)
    assert z_of(result).mean() > 4 / np.sqrt(STUDIES)
    assert np.mean([rejected(each) for each in result]) > 0.5
    assert all(each.correlation > 0 for each in result)


def outcomes(diagnostics):
    """Verdicts on studies with these residuals."""
    each = [
        judged(residual_correlation=one.correlation, residual_z=one.z)
        for one in diagnostics
    ]
    return [verdict.outcome for (verdict,) in each]


def test_studies_too_small_to_show_that_people_guess_together_do_not_pass():
    result = outcomes(residuals(3, 0.15, studies=40, items=60))
    assert CANNOT_TELL in result
    assert PASSED not in result


def test_large_studies_of_independent_annotators_pass():
    result = outcomes(residuals(3, 0, studies=20, items=2_000))
    # Two of twenty are rejected by chance once in sixty runs.
    assert result.count(PASSED) >= 18
    assert CANNOT_TELL not in result


def on_lists(guessed, studies):
    """Residuals of answers on lists of four out of fifty labels, and of one."""
    generator = np.random.default_rng(7)
    labels = np.array([f"l{k:02d}" for k in range(50)])
    lists = generator.random((ITEMS, 50)).argsort(1)[:, :4]
    lists[: ITEMS // 10, 1:] = lists[: ITEMS // 10, :1]  # nothing to be wrong about
    names = [f"i{number:03d}" for number in range(ITEMS)]
    shown = {"item": np.repeat(names, 4), "label": labels[lists.ravel()]}
    responses = design(5)  # who answers what
    reported = {
        "item": np.array(names)[responses.unit],
        "annotator": [f"a{code:02d}" for code in responses.annotator],
        "label": shown["label"][::4][responses.unit],
    }
    space = space_of(
        read(pd.DataFrame(reported), labels=list(labels)),
        lists=pd.DataFrame(shown).drop_duplicates(),
    )
    right = generator.uniform(0.8, 0.95, PEOPLE)
    hits = (1 - guessed) * right + guessed / 4
    skill = np.stack([hits, 1 - hits], 1)
    results = []
    for _ in range(studies):
        hard = (generator.random(ITEMS) < guessed)[space.unit]
        chance = np.where(hard, 0.25, right[space.annotator])
        missed = generator.integers(1, 4, len(chance))
        slot = np.where(generator.random(len(chance)) < chance, 0, missed)
        answer = lists[space.unit, slot].astype(np.int32)
        given = {"prevalence": np.full(50, 1 / 50), "skill": skill}
        answered = replace_answers(space, answer)
        results.append(residual_given("structured", answered, **given))
    return z_of(results)


def test_independent_annotators_who_choose_from_lists_are_seldom_rejected():
    z = on_lists(0, studies=40)
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert (z > LIMIT).sum() <= 1 + 4 * np.sqrt(len(z) * 0.01 * 0.99)


def test_those_who_guess_together_on_lists_are_rejected():
    z = on_lists(SHARE, studies=20)
    assert np.mean(z > LIMIT) > 0.5


@pytest.mark.parametrize(
    ("name", "prior", "sees"),
    [("ebcc", {"subtypes": 2.0}, False), ("bayesian_dawid_skene", None, True)],
)
def test_what_a_model_knows_of_items_is_no_dependence(name, prior, sees):
    """Half of the items are hard for everyone: a subtype to ebcc, not to the other."""
    space, generator = design(2), np.random.default_rng(6)
    hits = np.array([0.95, 0.55])
    rows = np.stack([hits, 1 - hits], -1)
    table = np.stack([rows, rows[:, ::-1]])  # label, subtype, answer
    draw = {
        "prevalence": np.full(2, 0.5),
        "subtype_share": np.full((2, 2), 0.5),
        "subtype_confusion": np.broadcast_to(table, (PEOPLE, *table.shape)),
        "confusion": np.broadcast_to(table.mean(1), (PEOPLE, 2, 2)),
    }
    results = []
    for _ in range(40):
        truth, subtype = generator.integers(0, 2, (2, ITEMS))
        chance = table[truth, subtype][space.unit]
        answer = (generator.random(len(chance)) > chance[:, 0]).astype(np.int32)
        answered = replace_answers(space, answer)
        results.append(residual_given(name, answered, prior, **draw))
    z, limit = z_of(results), 4 / np.sqrt(len(results))
    assert z.mean() > limit if sees else abs(z.mean()) < limit


@pytest.fixture(scope="module")
def tempered():
    """Eight fits each of independent annotators, and of those who guess together."""
    space, results = design(2), {}
    request = Request(engine="vb", effort=EngineOptions(draws=0, restarts=1))
    for guessed in (0, SHARE):
        generator = np.random.default_rng(2)
        for _ in range(8):
            answered = replace_answers(space, drawn(space, generator, guessed)[0])
            fitted = fit_one("hierarchical_dawid_skene", answered, request, silent)
            results.setdefault(guessed, []).append(fitted.tempering)
    return results


def test_with_fitted_confusions_the_independent_are_hardly_tempered(tempered):
    # The fit takes some of the residuals: z is at most that of the true confusions.
    assert z_of(tempered[0]).mean() < 4 / np.sqrt(8)
    moved, moved_together = (
        np.abs(each[0].raw.probability - each[0].tempered.probability).max(1).mean()
        for each in tempered.values()
    )
    assert moved < 0.02
    assert moved_together > 2 * moved


def test_with_fitted_confusions_those_who_guess_together_are_tempered(tempered):
    result = tempered[SHARE]
    assert z_of(result).mean() > 4 / np.sqrt(8)
    assert all(each.reported == "tempered" for each in result)
    number = np.full(ITEMS, float(PER_ITEM))
    for each in result:
        effect = Residual(each.correlation, each.z).design_effect(number)
        assert np.allclose(each.design_effect, effect)
        sure = [part.probability.max(1).mean() for part in (each.raw, each.tempered)]
        assert sure[1] < sure[0]


def test_without_two_answers_to_an_item_there_is_no_correlation():
    frame = pd.DataFrame({"item": list("ijk"), "annotator": "a", "label": list("xyx")})
    space = space_of(read(frame))
    result = residual_of(space, np.full((1, 2, 2), 0.5))
    assert np.isnan(result.correlation)
    assert np.isnan(result.z)
    assert not rejected(result)
    assert result.shrunk == USUAL  # all that is known is what is usual
    assert result.design_effect(np.array([1.0])).tolist() == [1]


def test_the_design_effect_is_that_of_kish():
    # .09 with a standard error of .018 and .03 with one of .03: their mean, weighted by
    # 1 / .018^2 and 1 / .03^2, is .07412. Four times what is above .0075 is .26647,
    # and five answers are worth 5 / (1 + 4 * .26647) of them.
    number = np.array([0.0, 1.0, 2.0, 5.0])
    assert np.allclose(
        Residual(0.09, 5.0).design_effect(number), [1, 1, 1.26647, 2.06588], atol=1e-5
    )
    assert np.allclose(Residual(-0.09, -5.0).design_effect(number), 1)
    assert np.allclose(Residual(0.005, 50.0).design_effect(number), 1)
    assert np.allclose(Residual(4.0, 500.0).design_effect(number), [1, 1, 2, 5])


def test_several_models_tell_the_least_correlation():
    # All of .15 from a median of .03, none up to .0225, and half of it halfway.
    assert common_correlation([0.002, 0.03, 0.09, 0.03]) == pytest.approx(0.15)
    assert common_correlation([0.002, 0.0225, 0.0225, 0.9]) == 0
    assert common_correlation([0.02625]) == pytest.approx(0.075)
    # By hand: 1 + .15 sqrt(7 * 7) and 1 + .15 sqrt(27 * 7); of eight answers as Kish.
    number = np.array([1.0, 8.0, 28.0])
    little, much = Residual(0.009, 50.0, 0.15), Residual(0.09, 5.0, 0.15)
    assert np.allclose(little.design_effect(number), [1, 2.05, 3.0621553])
    alone = Residual(0.09, 5.0)
    assert np.allclose(much.design_effect(number)[:2], alone.design_effect(number)[:2])
    assert much.design_effect(number)[2] < alone.design_effect(number)[2] / 1.5


def judged(**attributes):
    return independence(
        xr.DataTree.from_dict(
            {"truth": xr.Dataset(attrs={"reported": "raw", **attributes})}
        )
    )


def test_the_verdict_follows_the_correlation():
    good = judged(residual_correlation=0.01, residual_z=LIMIT)
    bad = judged(residual_correlation=0.123, residual_z=LIMIT + 0.01)
    assert [verdict.outcome for verdict in good + bad] == [PASSED, CORRECTED]
    assert bad[0].name == "independence"
    assert "residual correlation 0.123" in bad[0].remedy
