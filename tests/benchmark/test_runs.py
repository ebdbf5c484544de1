from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consilience import annotators
from consilience.benchmark import runs
from consilience.benchmark.runs import (
    complete,
    other_stored_results,
    run_all,
    smoothed_shares,
)
from consilience.responses import read


def run_quietly(sets, method, plan, *how):
    return run_all(sets, [method], plan, lambda _: None, *how)


def run_one(data, method, plan):
    """Run a method on a set, whether it was run before or not."""
    return run_quietly([data], method, replace(plan, again=True))[0]


@pytest.fixture
def log(tmp_path):
    """A file to which the method `counted` adds a line in each run."""
    return tmp_path / "log"


@pytest.mark.parametrize(
    ("setting", "status", "reason"),
    [
        ("fail", "error", "ValueError: no such luck"),
        ("out_of_memory", "memory", "MemoryError"),
        ("negative", "error", "ValueError: a probability is -1, less than 0"),
    ],
)
def test_a_failure_is_a_result_with_its_reason(
    setting, status, reason, first, fake, plan
):
    result = run_one(first, fake(setting), plan)
    assert result.labels is None
    assert result.outcome["status"] == status
    assert reason in result.outcome["reason"]


def test_what_is_kept_is_not_run_again_unless_asked_or_for_another_seed(
    first, second, fake, plan, log
):
    methods, steps = [fake(f"counted:{log}")], []
    run_all([first, second], methods, plan, steps.append)
    assert log.read_text().count("run") == 2
    run_all([first, second], methods, plan, steps.append)
    assert log.read_text().count("run") == 2
    assert [step.kept for step in steps if step.result] == [False] * 2 + [True] * 2
    for other in (replace(plan, again=True), replace(plan, seed=1)):
        run_all([first], methods, other, steps.append)
    assert log.read_text().count("run") == 4


def test_an_interrupted_benchmark_goes_on_where_it_was(first, second, fake, plan, log):
    method = fake(f"counted:{log}")

    def interrupted(data, method, seed):
        if data.name == "second":
            raise KeyboardInterrupt
        return runs.predict(method, data.responses, seed)

    with pytest.raises(KeyboardInterrupt):
        run_quietly([first, second], method, plan, interrupted)
    results = run_quietly([first, second], method, plan)
    assert all(result.labels is not None for result in results)
    assert log.read_text().count("run") == 2


def test_a_damaged_result_is_run_again(first, fake, plan):
    method = fake("votes")
    run_quietly([first], method, plan)
    file = plan.folder / "first" / "fake-votes.json"
    file.write_text(file.read_text()[:20])
    assert runs.stored(file) is None
    assert run_quietly([first], method, plan)[0].labels is not None


def test_a_result_whose_writing_failed_leaves_the_earlier_one_whole(
    first, fake, plan, monkeypatch
):
    result = run_one(first, fake("votes"), plan)
    runs.save(result, plan.folder)

    def full(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    changed = replace(result, outcome={**result.outcome, "seconds": -1.0})
    with pytest.raises(KeyboardInterrupt):
        runs.save(changed, plan.folder)
    left = runs.stored(plan.folder / "first" / "fake-votes.json")
    assert left.outcome == result.outcome
    assert len(left.labels) == len(result.labels)
    names = {path.name for path in (plan.folder / "first").iterdir()}
    assert names == {"fake-votes.json", "fake-votes.parquet"}


def test_the_folder_gives_what_else_it_holds_of_the_same_answers(first, fake, plan):
    run_all([first], [fake("votes"), fake("fail")], plan, lambda _: None)
    only = run_quietly([first], fake("votes"), plan)
    (other,) = other_stored_results([first], only, plan)
    assert other.method == "fake.fail"
    other = replace(plan, seed=1)
    assert list(other_stored_results([first], [], other)) == []


def test_every_model_for_choice_the_choice_and_the_baseline_are_methods():
    names = [method.name for method in runs.choose_methods([], runs.library_methods())]
    assert names[:2] == ["smoothed_shares", "auto"]
    for_choice = [
        name
        for name in annotators.names()
        if "choice" in annotators.load(name).kinds and name != "class_confusion"
    ]
    assert names[2:] == for_choice
    assert "contains" not in names


def long(rows):
    return pd.DataFrame(rows, columns=["item", "label", "probability"])


def test_probabilities_sum_to_one_and_are_equal_where_nothing_is_said():
    rows = [("1", "x", 2.0), ("1", "y", 6.0), ("2", "x", 0.0), ("2", "y", 0.0)]
    rows += [("3", "x", np.nan), ("3", "y", 0.5)]
    said, silent = complete(long(rows), ["1", "2", "3", "4"], ["x", "y"])
    assert silent == 3
    square = said.pivot_table("probability", "item", "label")
    np.testing.assert_allclose(square, [[0.25, 0.75]] + [[0.5, 0.5]] * 3)


def test_one_imagined_answer_is_spread_over_the_labels():
    given = {"1": ["cat", "cat", "dog"], "2": ["dog"] * 3, "3": ["cat", "dog"]}
    rows = [
        (item, who, label)
        for item, labels in given.items()
        for who, label in zip("abc", labels, strict=False)
    ]
    responses = read(pd.DataFrame(rows, columns=["item", "annotator", "label"]))
    table = smoothed_shares(responses).set_index(["item", "label"])["probability"]
    # Item 1: two of three say cat, so (2 + 1/2) / 4. Item 2: all three say dog.
    assert np.isclose(table["1", "cat"], 2.5 / 4)
    assert np.isclose(table["2", "cat"], 0.5 / 4)
    assert np.isclose(table["3", "cat"], 0.5)
    np.testing.assert_allclose(table.groupby("item").sum(), 1)
