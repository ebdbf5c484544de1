"""Plots: the numbers drawn are those of the tables, on the axes that were given."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection

import consilience as cs
from consilience import plot
from consilience.demo import study
from consilience.errors import OptionError, UnavailableError
from consilience.scoring.item_metrics import reliability_table
from consilience.tables.mpl import shown

GIVEN = {
    "annotators": lambda s, ax: plot.annotators(s["fit"], ax=ax),
    "confusion": lambda s, ax: plot.confusion(s["fit"], ax=ax),
    "labels": lambda s, ax: plot.posterior_labels(s["fit"], ax=ax),
    "calibration": lambda s, ax: plot.calibration(s["fit"], s["gold"], ax=ax),
    "agreement": lambda s, ax: plot.agreement(s["agreement"], ax=ax),
    "pairs": lambda s, ax: plot.agreement(s["agreement"], "pairs", ax=ax),
    "by label": lambda s, ax: plot.agreement(s["agreement"], "labels", ax=ax),
    "ppc": lambda s, ax: plot.ppc(s["checks"], "votes", ax=ax),
    "ranking": lambda s, ax: plot.ranking(s["ranking"], ax=ax),
    "wins": lambda s, ax: plot.ranking(s["ranking"], "wins", ax=ax),
}

COMPARED = {"first": [*"xyxzw"], "second": [*"yxzyx"], "winner": [*"xxxzx"]}


@pytest.fixture(scope="module")
def small():
    mpl.use("agg")
    simulated = study(0, num_photos=40)
    responses = cs.read(simulated.answers, item="photo", label="animal")
    fit = cs.fit(responses, model="bayesian_dawid_skene", engine="vb")
    return {
        "fit": fit,
        "gold": simulated.truth.set_axis(["item", "label"], axis=1),
        "agreement": cs.agreement(responses, by=("label", "pair"), resamples=50),
        "checks": cs.analysis.predictive_checks(fit, min_items=4),
        "ranking": cs.comparisons.fit(cs.comparisons.read(COMPARED)),
    }


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def marked(ax):
    """Places of the markers along the horizontal axis, top down by series."""
    return [np.asarray(line.get_xdata(), float) for line in ax.lines]


def bars(ax):
    """Ends of the lines of intervals."""
    drawn = [each for each in ax.collections if isinstance(each, LineCollection)]
    nothing = np.full((2, 2), np.nan)  # of an interval that is not stated
    series = [
        [segment if len(segment) == 2 else nothing for segment in each.get_segments()]
        for each in drawn
    ]
    return [np.asarray(each)[:, :, 0] for each in series if each]


def names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


@pytest.mark.parametrize("name", GIVEN)
def test_a_plot_draws_on_the_axes_that_it_is_given_and_makes_no_other(small, name):
    before = dict(mpl.rcParams)
    figure, (ax, other) = plt.subplots(1, 2)
    assert GIVEN[name](small, ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert ax.has_data()
    assert not other.has_data()
    assert dict(mpl.rcParams) == before
    figure.savefig("/dev/null", format="png")
    assert GIVEN[name](small, None).get_figure() is not figure  # without axes


def test_annotators_are_those_of_the_table_at_any_probability(small):
    fit = small["fit"]
    ax = plot.annotators(fit, prob=0.5)
    half, usual = (
        table.sort_values("accuracy", ascending=False, kind="stable")
        for table in (fit.with_(prob=0.5).annotators(), fit.annotators())
    )
    np.testing.assert_allclose(marked(ax)[0], half["accuracy"])
    np.testing.assert_allclose(bars(ax)[0], half[["lower", "upper"]])
    assert not np.allclose(bars(ax)[0], usual[["lower", "upper"]])
    first = usual.iloc[0]
    assert names(ax)[0] == f"{first['annotator']} ({first['responses']})"


def test_of_many_annotators_the_best_and_the_worst_are_drawn(small):
    table = small["fit"].annotators().sort_values("accuracy", kind="stable")
    ax = plot.annotators(small["fit"], most=6)
    assert len(names(ax)) == 6
    assert marked(ax)[0].min() == table["accuracy"].min()
    assert [text.get_text() for text in ax.texts] == [f"{len(table) - 6} more"]
    some = ["Ada", "Ben"]
    chosen = plot.annotators(small["fit"], annotators=some)
    assert sorted(name.split()[0] for name in names(chosen)) == some


def test_a_confusion_has_the_numbers_of_the_table_and_its_bounds(small):
    fit = small["fit"]
    ax = plot.confusion(fit, "Ada")
    table = fit.confusion()
    theirs = table[table["annotator"] == "Ada"]
    ends = ("true_label", "given_label")
    square = theirs.pivot_table("probability", *ends, observed=True)
    drawn = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(drawn, square.to_numpy())
    assert names(ax) == list(square.index)
    everyone = np.asarray(plot.confusion(fit).images[0].get_array())
    assert not np.allclose(drawn, everyone)
    texts = [text.get_text() for text in ax.texts]
    row = theirs.iloc[0]
    assert f"{row['probability']:.2f}".replace("0.", ".") in texts
    ends = [f"{row[each]:.2f}".replace("0.", ".", 1) for each in ("lower", "upper")]
    assert " to ".join(ends) in texts


def test_states_and_answers_of_other_names_make_rows_and_columns():
    made = cs.simulate(kind="contains", items=12, annotators=6, classes=3, seed=0)
    fit = cs.fit(made.responses, model="contains_states")
    ax = plot.confusion(fit)
    given = [text.get_text() for text in ax.get_xticklabels()]
    assert {*names(ax)} <= {"absent", "present", "unclear"}
    assert given == ["no", "maybe", "yes"]


def test_a_sparse_table_has_zeros_and_blanks_where_nothing_is_stated():
    rows = [("a", "a", 0.7), ("a", "c", 0.3), ("b", "b", 1.0)]
    table = pd.DataFrame(rows, columns=["true_label", "given_label", "probability"])
    drawn = plot.confusion(table).images[0].get_array()
    np.testing.assert_array_equal(drawn[0].filled(-1), [0.7, 0.0, 0.3])
    assert drawn.mask[2].all()  # nothing is stated of what is called c


def test_what_has_no_confusion_or_accuracy_is_refused():
    made = cs.simulate(
        kind="objects", items=16, annotators=6, classes=6, per_item=3, seed=0
    )
    fit = cs.fit(made.responses, model="tsipras2020")
    with pytest.raises(OptionError, match="confusion"):
        plot.confusion(fit.items())
    with pytest.raises(OptionError, match="hierarchical_dawid_skene"):
        plot.annotators(fit)


def test_the_most_uncertain_items_come_first_with_their_probabilities(small):
    fit = small["fit"]
    ax = plot.posterior_labels(fit, most=2, labels=2)
    items = fit.items().nlargest(2, "entropy")["item"].tolist()
    assert [name for name in names(ax) if name.startswith("photo")] == items
    table = fit.labels()
    table = table[table["item"] == items[0]].nlargest(2, "probability")
    assert marked(ax)[0][0] == table["probability"].iloc[0]
    assert marked(ax)[1][0] == table["probability"].iloc[1]
    np.testing.assert_array_equal(
        bars(ax)[0][0], table[["lower", "upper"]].to_numpy()[0]
    )
    chosen = plot.posterior_labels(fit, ["photo-003"], labels=1)
    assert names(chosen)[0] == "photo-003"
    with pytest.raises(OptionError, match="there is no item 'x'"):
        plot.posterior_labels(fit, ["x"])


@pytest.fixture(scope="module")
def ten():
    return cs.read(study(0, num_photos=10).answers, item="photo", label="animal")


def test_a_point_estimate_is_drawn_without_intervals(ten):
    ax = plot.posterior_labels(cs.fit(ten, model="dawid_skene"), most=2)
    assert "interval" not in ax.get_xlabel()
    assert np.isnan(np.concatenate(bars(ax) or [np.full((1, 2), np.nan)])).all()


def test_calibration_is_that_of_the_table(small):
    fit, gold = small["fit"], small["gold"]
    ax = plot.calibration(fit, gold, bins=4, prob=0.8)
    table = reliability_table(fit.labels(), gold, kind="choice", bins=4, prob=0.8)
    np.testing.assert_allclose(ax.lines[1].get_xdata(), table["stated"])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), table["value"])
    other = reliability_table(fit.labels(), gold, kind="choice", bins=3, prob=0.8)
    assert len(ax.lines[1].get_xdata()) != len(other)
    both = pd.concat([table.assign(model="one"), table.assign(model="two")])
    legend = plot.calibration(both).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]
    with pytest.raises(OptionError, match="gold"):
        plot.calibration(fit)


def test_agreement_is_that_of_the_tables(small, ten):
    agreement = small["agreement"]
    ax = plot.agreement(agreement)
    table = agreement.coefficients.dropna(subset="value")
    np.testing.assert_allclose(marked(ax)[0], table["value"])
    # Where resamples do not serve, the interval is that of the standard error.
    ends = [table[name].fillna(table[f"se_{name}"]) for name in ("lower", "upper")]
    np.testing.assert_allclose(bars(ax)[0], np.transpose(ends))
    pairs = plot.agreement(agreement, "pairs", measure="percent")
    drawn, people = np.asarray(pairs.images[0].get_array()), names(pairs)
    row = agreement.pairs.iloc[0]
    place = people.index(row["annotator"]), people.index(row["other_annotator"])
    assert drawn[place] == drawn[place[::-1]] == row["percent"]
    plain = cs.agreement(ten, resamples=0)
    with pytest.raises(OptionError, match="pair"):
        plot.agreement(plain, "pairs")
    # Without resamples, the intervals are those of the standard error.
    ends = plain.coefficients.dropna(subset="value")[["se_lower", "se_upper"]]
    np.testing.assert_allclose(bars(plot.agreement(plain))[0], ends.to_numpy())


def test_predictive_checks_are_those_of_the_table(small):
    checks = small["checks"]
    axes = plot.ppc(checks)
    assert len(axes) == checks["check"].nunique()
    votes = checks[checks["check"] == "votes"]
    ax = plot.ppc(checks, "votes")
    np.testing.assert_allclose(marked(ax)[0], votes["replicated"])
    np.testing.assert_allclose(bars(ax)[0], votes[["lower", "upper"]].to_numpy())
    drawn = np.sort(np.concatenate(marked(ax)[1:]))
    np.testing.assert_allclose(drawn, np.sort(votes["observed"]))
    assert not np.allclose(drawn, np.sort(votes["replicated"]))
    with pytest.raises(OptionError, match="axes"):
        plot.ppc(checks, ax=ax)


def test_an_extreme_value_is_marked_and_others_are_not(small):
    checks = small["checks"].assign(adjusted_p=0.5)
    ax = plot.ppc(checks, "votes")
    assert len(ax.lines[2].get_xdata()) == 0
    checks.loc[checks["check"] == "votes", "adjusted_p"] = 0.01
    assert len(plot.ppc(checks, "votes").lines[1].get_xdata()) == 0


def test_text_of_the_data_is_no_formula_and_long_names_are_shortened(small):
    hostile = r"$\frac$ \x1b[31m " + "long" * 30
    fit = small["fit"]
    table = fit.confusion()
    table = table[table["annotator"].isna()].drop(columns="annotator")
    renamed = table.astype({"true_label": object, "given_label": object}).replace(
        {"true_label": {"fox": hostile}, "given_label": {"fox": hostile}}
    )
    ax = plot.confusion(renamed)
    ax.get_figure().savefig("/dev/null", format="png")  # a formula would be refused
    assert shown(hostile, 24) in names(ax)
    assert len(shown(hostile)) <= 36
    ax.set_title(hostile)
    with pytest.raises(ValueError, match="frac"):
        ax.get_figure().savefig("/dev/null", format="png")
    # Names of labels stand in the place of codes.
    called = pd.DataFrame({"label": ["fox"], "name": ["red fox, Vulpes vulpes"]})
    assert names(plot.confusion(fit, names=called))[0] == "red fox"


def test_checks_of_items_with_one_answer_each_are_drawn():
    rows = [(f"i{k}", f"a{k % 4}", "xy"[k % 2]) for k in range(40)]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    fit = cs.fit(table, model="hierarchical_dawid_skene", engine="vb")
    (ax,) = np.ravel(plot.ppc(fit))
    assert "all labels" in names(ax)
    assert ax.has_data()


def test_without_matplotlib_a_sentence_names_the_extra(monkeypatch):
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    draw = plot.__getattr__("ppc")  # to look is no error: `hasattr`, completion
    with pytest.raises(UnavailableError, match=r"consilience\[plots\]"):
        draw(None)


def test_systems_are_drawn_as_they_are_ranked(small):
    scores = small["ranking"].scores()
    ax = plot.ranking(small["ranking"], most=3)
    assert np.allclose(marked(ax)[0], scores["score"][:3])
    assert np.allclose(bars(ax)[0], scores[["lower", "upper"]][:3])
    names = [label.get_text().split()[0] for label in ax.get_yticklabels()]
    assert names == [*scores["system"][:3]]


def test_who_is_better_is_a_matrix_whose_halves_sum_to_one(small):
    ax = plot.ranking(small["ranking"], "wins")
    value = np.ma.filled(ax.images[0].get_array(), np.nan)
    apart = ~np.eye(len(value), dtype=bool)
    assert np.allclose((value + value.T)[apart], 1)
    assert np.isnan(np.diag(value)).all()
    assert value[0, 1:].min() >= 0.5
