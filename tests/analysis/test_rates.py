"""Rates hold whatever judges do; judges are told from people by hand."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import DataError, KindError, OptionError

SYSTEMS, ITEMS, STUDIES = 6, 60, 30


def evaluation(seed, *, items=ITEMS, judged=0.25, error=0.05, systems=SYSTEMS):
    """Return answers of three judges with a bias for each system, people, and truth.

    Two of the judges are of one family: they copy half of their errors.
    """
    rng = np.random.default_rng(seed)
    system = np.repeat(np.arange(systems), items)
    good = rng.random(len(system)) < rng.uniform(0.4, 0.9, systems)[system]
    lenient = rng.uniform(0.0, 0.5, systems)[system]
    strict = rng.uniform(0.0, 0.3, systems)[system]
    wrong = rng.random(len(system)) < np.where(good, strict, lenient)
    names = np.array([f"q{i}" for i in range(len(system))])
    rows = []
    for judge in range(3):
        fresh = rng.random(len(system)) < np.where(good, strict, lenient)
        err = np.where((judge < 2) & (rng.random(len(system)) < 0.5), wrong, fresh)
        rows += zip(names, [f"judge{judge}"] * len(names), good ^ err, strict=True)
    some = rng.random(len(system)) < judged
    said = [good ^ (rng.random(len(system)) < error) for _ in range(2)]
    for person, answers in enumerate(said):
        rows += zip(
            names[some], [f"person{person}"] * some.sum(), answers[some], strict=True
        )
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    frame["label"] = np.where(frame["label"], "pass", "fail")
    frame["system"] = frame["item"].map(dict(zip(names, system, strict=True)))
    frame["system"] = "s" + frame["system"].astype(str)
    population = np.where(good, 1 - error, error)
    return frame, pd.Series(population).groupby(system).mean().to_numpy()


def fitted(frame):
    people = pd.DataFrame({"annotator": frame["annotator"].unique()})
    people["group"] = np.where(people["annotator"].str[0] == "p", "human", "llm")
    responses = cs.read(
        frame, item="item", annotator="annotator", label="label", extras=["system"]
    )
    return cs.fit(
        responses, annotators=people, model="one_coin_dawid_skene", engine="em"
    )


@pytest.fixture(scope="module")
def fit():
    return fitted(evaluation(0)[0])


@pytest.fixture(scope="module")
def studies():
    """Return for each study its rates and differences, and what is true of them."""
    made = []
    for seed in range(STUDIES):
        frame, truth = evaluation(seed)
        fit = fitted(frame)
        made.append((cs.rate(fit, reference="human", by="system"), truth))
    return made


def holding(studies, column="estimate"):
    """Return how often the interval of a system, moved to a column, holds its rate."""
    held = []
    for rates, truth in studies:
        table = rates.table.iloc[1:].sort_values("system")
        move = table[column] - table["estimate"]
        lower, upper = table["lower"] + move, table["upper"] + move
        held.append(((lower <= truth) & (truth <= upper)).mean())
    return np.mean(held)


def test_intervals_hold_though_judges_favour_systems(studies):
    error = 3 * np.sqrt(0.9 * 0.1 / (STUDIES * SYSTEMS))
    assert abs(holding(studies) - 0.9) < error


def test_the_same_check_catches_the_model_alone(studies):
    error = np.sqrt(0.9 * 0.1 / (STUDIES * SYSTEMS))
    assert holding(studies, "model") < 0.9 - 5 * error


@pytest.mark.parametrize("judged", [2, 4])
def test_groups_that_nobody_judged_leave_the_others_their_estimate(judged):
    frame, _ = evaluation(0)
    judged = [f"s{system}" for system in range(judged)]
    by_people = frame["annotator"].str[0] == "p"
    frame = frame[~by_people | frame["system"].isin(judged)]
    rates = cs.rate(fitted(frame), reference="human", by="system")
    table = rates.table.set_index("system")
    every, groups = table.loc["all"], table.drop(index="all")
    some = groups.loc[judged]
    assert "people judged no item of" in " ".join(rates.remarks)
    assert some["estimate"].notna().all()
    assert every["lower"] < every["estimate"] < every["upper"]
    if len(judged) < 4:  # too few to learn from: nothing is said of the others
        assert groups["estimate"].notna().sum() == 2
        mean = np.average(some["estimate"], weights=some["items"])
        assert every["estimate"] == pytest.approx(mean)
        return
    width = groups["upper"] - groups["lower"]
    assert width.drop(judged).min() > width[judged].max()


def test_items_are_a_sample_of_a_population_on_request():
    frame, _ = evaluation(0, judged=1.0, error=0.0)
    fit = cs.fit(frame[["item", "annotator", "label"]], model="majority")
    every = cs.rate(fit, reference=["person0", "person1"]).table.iloc[0]
    some = cs.rate(fit, reference=["person0", "person1"], population=True)
    row, items = some.table.iloc[0], SYSTEMS * ITEMS
    assert row["estimate"] == pytest.approx(every["estimate"])
    # That of a mean of independent items; all of them themselves leave nothing open.
    error = np.sqrt(row["estimate"] * (1 - row["estimate"]) / items)
    assert every["upper"] - every["lower"] < 0.1 * error
    assert row["upper"] - row["lower"] == pytest.approx(2 * 1.645 * error, rel=0.1)


def test_differences_hold_and_say_which_is_greater(studies):
    held, loss = [], []
    for rates, truth in studies:
        table = rates.differences
        one, other = (
            table[name].str[1:].astype(int) for name in ("system", "other_system")
        )
        apart = truth[one] - truth[other]
        held += [*((table["lower"] <= apart) & (apart <= table["upper"]))]
        right = np.where(apart > 0, table["p_greater"], 1 - table["p_greater"])
        loss.append(-np.log(np.clip(right, 1e-6, 1)).mean())
    assert abs(np.mean(held) - 0.9) < 0.06
    assert np.mean(loss) < 0.6 * np.log(2)


def test_judges_make_intervals_shorter(studies):
    for rates, _ in studies[:5]:
        table = rates.table.iloc[1:]
        alone = 2 * 1.645 * np.sqrt(0.25 / table["judged"].mean())
        assert (table["upper"] - table["lower"]).mean() < alone


def test_the_model_that_was_fitted_changes_little():
    frame, _ = evaluation(1)
    people = pd.DataFrame({"annotator": frame["annotator"].unique()})
    people["group"] = np.where(people["annotator"].str[0] == "p", "human", "llm")
    by = frame[["item", "system"]].drop_duplicates()
    made = [
        cs.rate(
            cs.fit(
                frame[["item", "annotator", "label"]], annotators=people, model=name
            ),
            reference="human",
            by=by,
        ).table
        for name in ("majority", "dawid_skene")
    ]
    spread = (made[0]["upper"] - made[0]["lower"]) / 2
    assert ((made[0]["estimate"] - made[1]["estimate"]).abs() < spread / 2).all()


def test_of_all_items_judged_the_rate_is_their_mean_exactly():
    frame, _ = evaluation(2, judged=1.1, systems=2)
    fit = fitted(frame)
    table = cs.rate(fit, reference="human", by="system").table.set_index("system")
    people = frame[frame["annotator"].str[0] == "p"]
    mean = (people["label"] == "pass").groupby(people["system"]).mean()
    for name in ("s0", "s1"):
        row = table.loc[name]
        assert row["estimate"] == pytest.approx(mean[name], abs=1e-9)
        # What is left is people's own error: they err in one of twenty answers.
        error = np.sqrt(0.05 * 0.95 / 2 / row["items"])
        assert row["upper"] - row["lower"] == pytest.approx(2 * 1.645 * error, rel=0.5)
    gold = people.drop_duplicates("item")[["item", "label"]]
    exact = cs.rate(fit, reference=gold, by="system").table
    assert (exact["upper"] - exact["lower"]).max() < 1e-6


def test_a_run_keeps_the_columns_of_its_items(fit, tmp_path):
    fit.save(tmp_path / "run")
    before = cs.rate(fit, reference="human", by="system").table
    after = cs.rate(cs.load(tmp_path / "run"), reference="human", by="system").table
    pd.testing.assert_frame_equal(before, after)


def test_gold_labels_may_be_the_reference_and_weigh(fit):
    frame, _ = evaluation(0)
    truth = frame[frame["annotator"] == "person0"][["item", "label"]]
    first = cs.rate(fit, reference=truth, by="system").table
    assert (first["judged"].iloc[1:] > 2).all()
    weighed = truth.assign(inclusion=np.where(truth["label"] == "pass", 0.9, 0.3))
    moved = cs.rate(fit, reference=weighed).table
    assert moved["estimate"][0] < first["estimate"][0]


def test_without_people_there_is_a_range_and_no_interval(fit):
    rates = cs.rate(fit, by="system")
    assert set(rates.table["method"]) == {"range of judges"}
    assert "reference" in rates.remarks[0]
    assert rates.differences.empty
    with pytest.raises(OptionError, match="judged some items"):
        rates.needed(0.1)


def test_more_items_are_needed_for_narrower_intervals(fit):
    rates = cs.rate(fit, reference="human", by="system")
    wide, narrow = rates.needed(0.3), rates.needed(0.1)
    assert (narrow["needed"] > wide["needed"]).all()
    assert (narrow["needed"] <= narrow["items"]).all()


def test_the_items_to_judge_are_drawn_at_random_within_groups(fit):
    rates = cs.rate(fit, reference="human", by="system")
    needed = rates.needed(0.1).set_index("system")["more"]
    drawn = rates.to_judge(0.1)
    number = drawn["system"].value_counts().reindex(needed.index, fill_value=0)
    left = rates.table.set_index("system").eval("items - judged").reindex(needed.index)
    assert number.to_dict() == np.minimum(needed, left).to_dict()
    assert not drawn["item"].duplicated().any()
    frame, _ = evaluation(0)
    judged = set(frame.loc[frame["annotator"].str.startswith("person"), "item"])
    assert judged
    assert not judged & set(drawn["item"].astype(str))
    named = frame.drop_duplicates("item").set_index("item")["system"]
    assert (named[drawn["item"].astype(str)].to_numpy() == drawn["system"]).all()
    other = rates.to_judge(0.1, seed=1)
    assert [*other["item"]] != [*drawn["item"]]


def test_of_yes_and_no_each_label_has_a_rate():
    study = cs.simulate(kind="contains", items=40, annotators=6, per_item=6, seed=0)
    fit = cs.fit(study.responses, model="contains_states", engine="em")
    who = fit.annotators()["annotator"][0]
    table = cs.rate(fit, reference=[who]).table
    assert table.columns[0] == "label"
    assert table["estimate"].between(0, 1).all()
    one = cs.rate(fit, reference=[who], label=table["label"][1]).table
    assert one["items"][0] == table["items"][1]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"reference": "humans"}, OptionError, "did you mean 'human'"),
        ({"reference": "human", "by": "systems"}, OptionError, "did you mean 'system'"),
        ({"reference": "human", "label": "passed"}, OptionError, "did you mean 'pass'"),
        ({"reference": "human", "prob": 2.0}, OptionError, "between 0 and 1"),
        ({"reference": pd.DataFrame({"item": [1]})}, DataError, "no column label"),
    ],
)
def test_what_cannot_be_is_said(fit, asked, error, message):
    with pytest.raises(error, match=message):
        cs.rate(fit, **asked)


@pytest.fixture(scope="module")
def objects(objects_study, objects_fit):
    """Return a fit of objects, and whether each answer names the first label."""
    table = objects_study.responses.table
    table = table.assign(named=table["label"] == "class0")
    names = table.pivot_table("named", "item", "annotator", "max")
    return objects_fit, names.astype(float)


PEOPLE = ["annotator0", "annotator1"]


def test_the_share_of_images_that_hold_a_label_is_that_of_people(objects):
    fit, names = objects
    stated = cs.rate(fit, reference=PEOPLE, label="class0").table.iloc[0]
    people = names[PEOPLE].mean(axis=1)
    assert stated["items"] == len(names)
    assert stated["judged"] == people.notna().sum()
    assert stated["lower"] < people.mean() < stated["upper"]
    every = cs.rate(fit, reference=[*names.columns], label="class0").table.iloc[0]
    assert every["method"] == "people"
    share = names.mean(axis=1).mean()
    assert every["estimate"] == pytest.approx(share)
    assert every["model"] == pytest.approx(share, abs=0.1)


def test_gold_labels_of_objects_are_several_of_an_item(objects):
    fit, names = objects
    items = names.index.astype(str)[:40]
    gold = pd.DataFrame({"item": items, "label": "class1"})
    also = gold.assign(label="class0")
    stated = [
        cs.rate(fit, reference=table, label="class0").table["estimate"].iloc[0]
        for table in (gold, pd.concat([gold, also]), pd.concat([also, gold]))
    ]
    assert stated[0] == pytest.approx(0, abs=0.05)
    assert stated[1] == stated[2] == pytest.approx(1, abs=0.05)


def test_judges_of_objects_are_held_against_people(objects):
    fit, names = objects
    made = cs.analysis.judges(fit, reference=PEOPLE, label="class0").table
    row = made.set_index("annotator").loc["annotator5"]
    listed = fit.labels().query("label == 'class0'")["item"]
    some = names.loc[names.index.isin(listed)]
    person = some[PEOPLE].mean(axis=1)
    judge = some["annotator5"]
    both = person.notna() & judge.notna()
    agreed = judge * person + (1 - judge) * (1 - person)
    assert row["items"] == both.sum()
    assert row["agreement"] == pytest.approx(agreed[both].mean())
    assert row["bias"] == pytest.approx((judge - person)[both].mean())


def test_gold_answers_to_pairs_of_item_and_label_are_a_reference():
    made = cs.simulate(kind="contains", items=60, annotators=6, seed=1)
    fit = cs.fit(made.responses, model="hierarchical_dawid_skene")
    gold = made.responses.gold.astype(str).query("label == 'class0'")
    stated = cs.rate(fit, reference=gold, label="class0").table.iloc[0]
    assert stated["judged"] == stated["items"] == len(gold)
    assert stated["estimate"] == pytest.approx((gold["answer"] == "yes").mean())


def test_judges_of_objects_are_held_against_gold_labels(objects):
    fit, names = objects
    items = names.index.astype(str)[:40]
    gold = pd.DataFrame({"item": items, "label": "class1"})
    gold.loc[::2, "label"] = "class0"
    made = cs.analysis.judges(fit, reference=gold, label="class0").table
    row = made.set_index("annotator").loc["annotator5"]
    listed = fit.labels().query("label == 'class0'")["item"].astype(str)
    right = pd.Series(gold["label"].eq("class0").to_numpy(float), items)
    right = right[right.index.isin(listed)]
    judge = names["annotator5"].set_axis(names.index.astype(str)).reindex(right.index)
    judge = judge.dropna()
    assert row["items"] == len(judge)
    agreed = judge.eq(right.reindex(judge.index)).mean()
    assert row["agreement"] == pytest.approx(agreed)


@pytest.mark.parametrize("kind", ["choice", "contains"])
def test_judges_are_held_against_gold_labels_alone(kind):
    made = cs.simulate(kind=kind, items=60, annotators=4, per_item=3, seed=1)
    fit = cs.fit(made.responses, model="hierarchical_dawid_skene")
    gold = made.responses.gold.astype(str).head(30)
    answers = made.responses.table.astype({"item": str, "label": str})
    table = cs.analysis.judges(fit, reference=gold).table
    assert set(table["role"]) == {"judge"}
    assert "passes" not in table
    stated = "answer" if kind == "contains" else "label"
    key = ["item", "label"] if kind == "contains" else ["item"]
    both = answers.merge(gold[[*key, stated]], on=key, suffixes=("", "_true"))
    right = both[stated].astype(str) == both[f"{stated}_true"]
    expected = right.groupby(both["annotator"].astype(str)).mean()
    found = table.set_index("annotator")["agreement"]
    assert found.to_dict() == pytest.approx(expected.to_dict())
    # An item that was drawn seldom stands for many.
    share = np.where(np.arange(30) % 2, 1.0, 0.25)
    weight = both.merge(gold.assign(w=1 / share)[[*key, "w"]], on=key)["w"]
    names = both["annotator"].astype(str)
    expected = (right * weight).groupby(names).sum() / weight.groupby(names).sum()
    drawn = cs.analysis.judges(fit, reference=gold.assign(inclusion=share)).table
    found = drawn.set_index("annotator")["agreement"]
    assert found.to_dict() == pytest.approx(expected.to_dict())


def test_the_rule_of_the_study_has_no_rates():
    study = cs.simulate(kind="objects", items=12, annotators=8, classes=6, seed=0)
    fit = cs.fit(study.responses, model="tsipras2020")
    with pytest.raises(KindError, match="by the model `objects`"):
        cs.rate(fit, reference="annotator0")


def test_judges_by_hand():
    rows = [(i, "ann", "ab"[i % 2]) for i in range(40)]
    rows += [(i, "bob", "ab"[i % 2] if i % 10 else "b") for i in range(40)]
    rows += [(i, "same", "ab"[i % 2]) for i in range(40)]
    rows += [(i, "never", "ba"[i % 2]) for i in range(40)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    fit = cs.fit(frame, model="majority")
    made = cs.analysis.judges(fit, reference=["ann", "bob"])
    table = made.table.set_index("annotator")
    assert table.loc["same", "agreement"] == pytest.approx((1 + 0.9) / 2)
    assert table.loc["ann", "agreement"] == pytest.approx(0.9)
    assert table.loc["never", "agreement"] == pytest.approx(0.05)
    assert table.loc["same", "advantage"] == pytest.approx((1 + 1) / 2)
    assert table.loc["same", "passes"]
    assert not table.loc["never", "passes"]
    assert table.loc["same", "p_at_least"] > 0.9 > table.loc["never", "p_at_least"]


def test_what_judges_say_of_items_that_no_person_saw_changes_nothing():
    frame, _ = evaluation(1)
    people = frame["annotator"].str.startswith("person")
    both = frame[frame["item"].isin(frame.loc[people, "item"])]
    names = ["person0", "person1"]
    every, some = (
        cs.analysis.judges(cs.fit(each, model="majority"), reference=names).table
        for each in (frame.drop(columns="system"), both.drop(columns="system"))
    )
    pd.testing.assert_frame_equal(every, some)


def test_judges_that_copy_count_as_fewer():
    frame, _ = evaluation(3)
    alone = cs.analysis.judges(fitted(frame), reference="human").effective
    third = frame["annotator"] == "judge2"
    copy = frame[frame["annotator"] == "judge0"].assign(annotator="judge2")
    copied = pd.concat([frame[~third], copy])
    fewer = cs.analysis.judges(fitted(copied), reference="human").effective
    assert fewer < alone < 3


def test_a_system_has_rows_of_its_own(fit):
    table = cs.analysis.judges(fit, reference="human", by="system").table
    assert len(table) == 5 * (SYSTEMS + 1)
    assert table["p_at_least"].notna().sum() == 3


def test_items_of_no_group_are_left_out_of_groups_alone(fit):
    groups = pd.DataFrame({"item": [f"q{i}" for i in range(200)], "group": "some"})
    table = cs.analysis.judges(fit, reference="human", by=groups).table
    assert set(table["group"]) == {"all", "some"}
