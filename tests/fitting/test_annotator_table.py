"""Groups of annotators, and samples that count as one annotator."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import ColumnError, OptionError
from consilience.fitting.annotator_table import NO_GROUP, AnnotatorTable
from consilience.responses import read

ITEMS, LABELS, SAMPLES = 150, 4, 5


def people(**columns):
    return pd.DataFrame(columns)


def answers(rows, columns=("item", "worker", "label")):
    return read(pd.DataFrame(rows, columns=list(columns)), repeats="all")


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (people(name=["a"], group=["x"]), ColumnError, "no column 'annotator'"),
        (
            people(annotator=["a", "a"], group=["x", "y"]),
            OptionError,
            "'a' has several rows",
        ),
        (
            people(annotator=["a", "b"], repeat_of=["b", "c"]),
            OptionError,
            "'b', which is itself a sample of 'c'",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_an_error(table, error, message):
    with pytest.raises(error, match=message):
        AnnotatorTable.read(table)


def test_the_most_frequent_answer_of_samples_counts_once():
    rows = [
        *[("i1", "s1", "x"), ("i1", "s2", "y"), ("i1", "s3", "y"), ("i1", "ann", "x")],
        # A tie: the answer that was given first.
        *[("i2", "s1", "y"), ("i2", "s2", "x")],
        *[("i2", "ann", "x"), ("i2", "ann", "x")],
    ]
    repeats = people(annotator=["s1", "s2", "s3"], repeat_of=["model"] * 3)
    merged = AnnotatorTable.read(repeats).merged(answers(rows))
    kept = merged.table[["item", "annotator", "label"]].astype(str)
    given = sorted(kept.itertuples(index=False, name=None))
    # Repeats of those who are no samples are left to the option `repeats`.
    assert given == [
        ("i1", "ann", "x"),
        ("i1", "model", "y"),
        *[("i2", "ann", "x")] * 2,
        ("i2", "model", "y"),
    ]
    assert merged.num_annotators == 2
    assert "samples of another (`repeat_of`): 3; of several" in merged.assumptions[-1]
    assert "(5 answers)" in merged.assumptions[-1]


def test_samples_of_contains_are_merged_by_label():
    rows = [
        *[
            ("i", "s1", "dog", "yes"),
            ("i", "s2", "dog", "no"),
            ("i", "s3", "dog", "no"),
        ],
        ("i", "s1", "cat", "yes"),
    ]
    responses = answers(rows, ("item", "annotator", "label", "answer"))
    repeats = people(annotator=["s1", "s2", "s3"], repeat_of=["m"] * 3)
    table = AnnotatorTable.read(repeats).merged(responses).table
    given = table[["label", "answer"]].astype(str).itertuples(index=False, name=None)
    assert sorted(given) == [("cat", "yes"), ("dog", "no")]


def crowd(seed):
    """Ten people who err independently, and samples of a model that err together."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(LABELS, size=ITEMS)

    def answered(right, size):
        wrong = (truth + generator.integers(1, LABELS, (size, ITEMS))) % LABELS
        return np.where(generator.random((size, ITEMS)) < right, truth, wrong)

    of_people, of_model = answered(0.7, 10), answered(0.55, 1)
    samples = np.where(
        generator.random((SAMPLES, ITEMS)) < 0.9, of_model, answered(0.55, SAMPLES)
    )
    seen = generator.random(of_people.shape) < 0.4
    rows = [
        *[
            (f"i{i}", f"p{j}", of_people[j, i])
            for j, i in zip(*seen.nonzero(), strict=True)
        ],
        *[(f"i{i}", f"s{j}", label) for (j, i), label in np.ndenumerate(samples)],
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return frame, {f"i{i}": str(label) for i, label in enumerate(truth)}


def share_right(frame, truth, **options):
    items = cs.fit(frame, model="correlated_dawid_skene", **options).items()
    return (items["item"].map(truth) == items["label"].astype(str)).mean()


def test_samples_as_one_annotator_do_not_outvote_people():
    frame, truth = crowd(0)
    table = people(
        annotator=[f"s{j}" for j in range(SAMPLES)], repeat_of=["model"] * SAMPLES
    )
    merged = share_right(frame, truth, annotators=table)
    apart = share_right(frame, truth)
    # Four people right .7 of the time and one model, against five samples as alike
    # as one: the standard error of a share of 150 is at most .04.
    assert merged > apart + 0.1


@pytest.fixture(scope="module")
def grouped():
    frame, _ = crowd(1)
    table = people(
        annotator=["p0", "p1", *[f"s{j}" for j in range(SAMPLES)]],
        group=["expert", "expert", *["model"] * SAMPLES],
        repeat_of=[None, None, *["gpt"] * SAMPLES],
    )
    return frame, table, cs.fit(frame, annotators=table, model="correlated_dawid_skene")


def test_a_fit_has_a_population_for_each_group(grouped):
    _, _, fit = grouped
    groups = fit.table("annotator_groups")
    assert groups["group"].astype(str).tolist() == ["expert", "model", NO_GROUP]
    assert groups["annotators"].tolist() == [2, 1, 8]
    assert np.isnan(groups["spread"][1])
    population = fit.data["posterior"]["population"]
    assert population.sizes["annotator_group"] == 3
    assert "8 annotators are in no group" in " ".join(
        json.loads(fit.data.attrs["assumptions"])
    )


def test_groups_are_those_of_the_draws(grouped):
    _, _, fit = grouped
    accuracy = fit.annotators().set_index("annotator")["accuracy"]
    groups = fit.table("annotator_groups").set_index("group")["accuracy"]
    assert groups["expert"] == pytest.approx(accuracy[["p0", "p1"]].mean())
    apart = fit.table("group_differences").set_index(["group", "other_group"])
    row = apart.loc[("expert", "model")]
    assert row["difference"] == pytest.approx(groups["expert"] - groups["model"])
    assert row["lower"] < row["difference"] < row["upper"]


def test_a_group_of_one_annotator_has_the_interval_of_the_annotator(grouped, tmp_path):
    _, _, fit = grouped
    fit.save(tmp_path / "run")
    correlated = cs.load(tmp_path / "run")
    correlated.data["truth"].attrs["residual_shrunk"] = 0.2
    bounds, spread = ["accuracy", "lower", "upper"], {}
    for name, each in (("independent", fit), ("correlated", correlated)):
        one = each.annotators().set_index("annotator").loc["gpt", bounds]
        group = each.table("annotator_groups").set_index("group").loc["model", bounds]
        np.testing.assert_allclose(group.astype(float), one.astype(float), atol=1e-4)
        spread[name] = group["upper"] - group["lower"]
    assert spread["correlated"] > 1.2 * spread["independent"]


def test_groups_are_saved_and_kept_by_predictions(grouped, tmp_path):
    frame, table, fit = grouped
    fit.save(tmp_path / "run")
    stored = cs.load(tmp_path / "run")
    assert stored.table("annotator_groups").equals(fit.table("annotator_groups"))
    assert "annotator_groups" in {
        path.stem for path in (tmp_path / "run" / "tables").iterdir()
    }
    later = frame[frame["annotator"] != "p3"].assign(item="new " + frame["item"])
    predicted = cs.predict(fit, later, annotators=table).table("annotator_groups")
    assert predicted["annotators"].tolist() == [2, 1, 7]


def test_models_without_populations_say_that_they_do_not_use_groups(grouped):
    frame, table, _ = grouped
    fit = cs.fit(frame, annotators=table, model="dawid_skene")
    assert "dawid_skene does not use the groups of annotators" in json.loads(
        fit.data.attrs["assumptions"]
    )
    assert len(fit.table("annotator_groups")) == 3
    assert fit.table("group_differences").empty
