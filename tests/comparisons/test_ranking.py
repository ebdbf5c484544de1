"""What a ranking says of systems and judges, on studies whose truth is known."""

import numpy as np
import pytest
from scipy.stats import binom, chi2

import consilience as cs
from consilience.comparisons import nuts
from consilience.errors import DataError, OptionError

PROB = 0.9


def fitted(table, **how):
    return cs.comparisons.fit(cs.comparisons.read(table), **how)


def off(estimate, truth, error):
    """Return the mean square of errors in units of what they should be."""
    return np.mean(((estimate - truth) / error) ** 2)


def test_the_truth_is_recovered_as_precisely_as_is_said(draw):
    table, truth = draw(0, systems=8, judges=10, number=20_000)
    ranking = fitted(table)
    estimate = ranking.estimate
    # 0.999 quantiles of the mean of so many squares of standard normals.
    assert off(estimate.score, truth["score"], estimate.score_draws.std(0)) < 3.3
    named = [
        np.log(truth["discrimination"]),
        truth["first_place"],
        np.log(truth["ties"]),
    ]
    for place, expected in enumerate(named):
        found = estimate.judge_traits[:, place]
        assert off(found, expected, estimate.judge_errors[:, place]) < 3.0
    judges = ranking.judges()
    assert np.log(judges["discrimination"]).mean() == pytest.approx(0, abs=1e-9)
    assert (judges["first_place_lower"] <= judges["first_place"]).all()


def coverage(draw, studies, **how):
    """Return how many bounds of scores, and of ranks, hold the truth, of how many."""
    counts = np.zeros(3, int)
    for seed in range(studies):
        table, truth = draw(seed, number=500, **how)
        ranking = fitted(table, seed=seed)
        scores = ranking.scores().sort_values("system")
        ranks = ranking.ranks().sort_values("system")
        rank = np.argsort(np.argsort(-truth["score"])) + 1
        for place, (frame, true) in enumerate(
            ((scores, truth["score"]), (ranks, rank))
        ):
            inside = (frame["lower"] <= true) & (true <= frame["upper"])
            counts[place] += inside.sum()
        counts[2] += len(scores)
    return counts


def test_intervals_of_scores_and_ranks_hold(draw):
    scores, ranks, number = coverage(draw, 40)
    # Systems of a study are not independent: as if half as many.
    least, most = binom.ppf([0.001, 0.999], number // 2, PROB) / (number // 2)
    assert least <= scores / number <= most
    assert ranks / number >= least


def test_the_same_test_catches_intervals_that_are_too_narrow(draw, monkeypatch):
    from consilience.comparisons import laplace

    true = laplace.clustered
    monkeypatch.setattr(laplace, "clustered", lambda *a: true(*a) / 9)
    scores, _, number = coverage(draw, 40)
    assert scores / number < binom.ppf(0.001, number // 2, PROB) / (number // 2)


def error_ratio(draw, studies, *, with_items):
    """Return errors of scores over what is said, where items suit some systems."""
    ratios = []
    for seed in range(studies):
        table, _ = draw(seed, judges=3, number=500, items=15, score=np.zeros(3))
        kept = table if with_items else table.drop(columns="item")
        estimate = fitted(kept, seed=seed).estimate
        ratios.append(np.mean((estimate.score / estimate.score_draws.std(0)) ** 2))
    return np.mean(ratios)


def test_items_that_suit_systems_are_allowed_for(draw):
    # A mean of squares with two degrees of freedom a study.
    studies = 30
    most = chi2.ppf(0.999, 2 * studies) / (2 * studies)
    assert error_ratio(draw, studies, with_items=True) < most
    assert error_ratio(draw, studies, with_items=False) > most


def test_comparisons_of_one_item_widen_intervals(draw):
    table, _ = draw(1, systems=3, judges=3, number=600, items=20, spread=0.0)
    clustered, alone = (
        fitted(each).estimate.score_draws.std(0).mean()
        for each in (table, table.drop(columns="item"))
    )
    assert clustered > 1.5 * alone
    # Items that do not matter widen them by little.
    table["item"] = np.random.default_rng(0).permutation(table["item"].to_numpy())
    mixed = fitted(table).estimate.score_draws.std(0).mean()
    assert alone <= mixed < 1.35 * alone
    # Pairs that have nothing in common hardly do; counted twice they would by root two.
    table["item"] = np.random.default_rng(0).permutation(np.arange(600) // 2)
    paired = fitted(table).estimate.score_draws.std(0).mean()
    assert alone <= paired < 1.15 * alone


def test_names_and_the_order_of_rows_do_not_matter(draw):
    table, _ = draw(2)
    ranking = fitted(table).scores()
    shuffled = fitted(table.sample(frac=1, random_state=0)).scores()
    assert np.allclose(ranking["score"], shuffled["score"], atol=1e-6)
    other = {f"s{number}": f"t{9 - number}" for number in range(5)}
    sides = ["first", "second", "winner"]
    renamed = fitted(
        table.assign(**{s: table[s].replace(other) for s in sides})
    ).scores()
    assert list(ranking["system"].map(other)) == list(renamed["system"])
    assert np.allclose(ranking["score"], renamed["score"], atol=1e-6)


def test_swapping_sides_turns_the_effect_of_the_order_alone(draw):
    table, _ = draw(3)
    swapped = table.rename(columns={"first": "second", "second": "first"})
    one, other = fitted(table), fitted(swapped)
    assert np.allclose(one.estimate.score, other.estimate.score, atol=1e-5)
    turned = other.estimate.judge_traits * [1, -1, 1]
    assert np.allclose(one.estimate.judge_traits, turned, atol=1e-5)


def test_nuts_draws_what_laplace_says(draw, monkeypatch):
    monkeypatch.setattr(nuts, "CHAINS", 1)
    monkeypatch.setattr(nuts, "_WARMUP", 150)
    monkeypatch.setattr(nuts, "_DRAWS", 200)
    table, _ = draw(4, systems=4, judges=3, number=400)
    comparisons = cs.comparisons.read(table.drop(columns="item"))
    one = cs.comparisons.fit(comparisons).estimate
    other = cs.comparisons.fit(comparisons, engine="nuts").estimate
    error = one.score_draws.std(0)
    # The mean of 200 draws, of which a third count, and the normal's own error.
    assert np.abs((one.score - other.score) / error).max() < 0.4
    assert np.allclose(error, other.score_draws.std(0), rtol=0.3)


def test_a_system_that_always_wins_has_a_finite_score():
    rows = {"first": ["x"] * 50, "second": ["y", "z"] * 25, "winner": ["x"] * 50}
    scores = fitted(rows | {"judge": [*"ab"] * 25}).scores()
    assert scores["system"][0] == "x"
    assert (scores["score"].abs() < 20).all()


def test_parts_that_are_not_compared_are_named():
    rows = {"first": [*"xu"], "second": [*"yv"], "winner": [*"xv"]}
    with pytest.raises(DataError, match=r"2 parts .* \(u, v\); \(x, y\)"):
        fitted(rows)


def test_a_covariate_explains_what_it_does(draw):
    table, _ = draw(5, systems=3, judges=4, number=4000)
    random = np.random.default_rng(0)
    longer = random.normal(size=len(table))
    # Where one is much longer, the longer one wins.
    forced = np.where(longer > 0, table["first"], table["second"])
    table["winner"] = np.where(np.abs(longer) > 1.5, forced, table["winner"])
    table["longer"] = longer * 100
    found = fitted(table, covariates=["longer"]).coefficients().iloc[0]
    assert 0 < found["lower"] < found["coefficient"] < found["upper"]
    table["longer"] /= 100
    scaled = fitted(table, covariates=["longer"]).coefficients().iloc[0]
    assert scaled["coefficient"] == pytest.approx(100 * found["coefficient"], rel=1e-5)


def test_predictions_are_probabilities_and_know_their_systems(draw):
    table, _ = draw(6)
    ranking = fitted(table)
    p = ranking.predict(cs.comparisons.read(table.assign(judge="new")))
    assert np.allclose(p.sum(axis=1), 1)
    assert ranking.log_loss() < np.log(3)
    assert ranking.cross_validate(folds=3, by="judge") > ranking.log_loss()
    unknown = table.replace({"s0": "else"})
    with pytest.raises(DataError, match="no system 'else'"):
        ranking.predict(cs.comparisons.read(unknown))
    with pytest.raises(OptionError, match="1 folds of 900 units"):
        ranking.cross_validate(folds=1)


def test_tables_agree_with_each_other(draw):
    table, _ = draw(7)
    ranking = fitted(table.assign(group=np.where(table["judge"] < "j3", "p", "m")))
    chances = ranking.rank_probabilities().set_index("system")
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(chances.sum(axis=0), 1)
    assert np.allclose(chances["1"], ranking.ranks()["p_best"])
    pairs = ranking.differences(group="p").set_index(["system", "other_system"])
    mirrored = pairs.swaplevel().loc[pairs.index]
    assert np.allclose(pairs["difference"], -mirrored["difference"])
    assert np.allclose(pairs["p_wins"] + mirrored["p_wins"] + pairs["p_tie"], 1)


def test_a_saved_ranking_is_the_same(draw, tmp_path):
    table, _ = draw(8)
    table["longer"] = np.arange(len(table)) % 7 - 3.0
    ranking = fitted(table, covariates=["longer"], prob=0.8)
    ranking.save(tmp_path / "ranking")
    again = cs.comparisons.load(tmp_path / "ranking")
    for name in ("scores", "ranks", "differences", "judges", "coefficients"):
        assert getattr(again, name)().equals(getattr(ranking, name)())
    assert again.log_loss() == pytest.approx(ranking.log_loss())
    assert (tmp_path / "ranking" / "scores.csv").is_file()
