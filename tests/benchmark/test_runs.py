from dataclasses import replace

import pandas as pd
import pytest

from consilience.benchmark import runs
from consilience.benchmark.runs import other_stored_results, run_all


def run_one(data, method, plan):
    """Run a method on a set, whether it was run before or not."""
    again = replace(plan, again=True)
    return run_all([data], [method], again, lambda _: None)[0]


def test_a_method_gives_labels_and_figures(first, fake, plan):
    result = run_one(first, fake("without_gold"), plan)
    assert result.done
    assert set(result.labels["variant"]) == {"", "even"}
    assert result.outcome["seconds"] > 0
    assert result.outcome["silent"] == 0


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
    assert not result.done
    assert result.outcome["status"] == status
    assert reason in result.outcome["reason"]


def test_an_item_of_which_nothing_is_said_is_counted(first, fake, plan):
    assert run_one(first, fake("silent"), plan).outcome["silent"] == 1


def test_what_is_kept_is_not_run_again_unless_asked(
    first, second, fake, plan, tmp_path
):
    log = tmp_path / "log"
    methods = [fake(f"counted:{log}")]
    steps = []
    run_all([first, second], methods, plan, steps.append)
    assert log.read_text().count("run") == 2
    assert [step.kept for step in steps if step.result] == [False, False]
    run_all([first, second], methods, plan, steps.append)
    assert log.read_text().count("run") == 2
    assert [step.kept for step in steps if step.result][2:] == [True, True]
    again = replace(plan, again=True)
    run_all([first], methods, again, steps.append)
    assert log.read_text().count("run") == 3


def test_another_seed_is_run_anew(first, fake, plan, tmp_path):
    log = tmp_path / "log"
    method = fake(f"counted:{log}")
    run_all([first], [method], plan, lambda _: None)
    other = replace(plan, seed=1)
    run_all([first], [method], other, lambda _: None)
    assert log.read_text().count("run") == 2


def test_a_failure_is_kept_but_what_was_stopped_gets_more_time(first, fake, plan):
    def stopped(*_):
        return {"status": "timeout", "reason": "slow", "limit": 2.0}, None

    method = fake("votes")
    run_all([first], [method], plan, lambda _: None, stopped)
    assert runs._load_stored(first, method, replace(plan, seconds=2.0)) is not None
    assert runs._load_stored(first, method, replace(plan, seconds=3.0)) is None


def test_an_interrupted_benchmark_goes_on_where_it_was(
    first, second, fake, plan, tmp_path
):
    log = tmp_path / "log"
    method = fake(f"counted:{log}")

    def interrupted(data, method, seed):
        if data.name == "second":
            raise KeyboardInterrupt
        return runs.predict(method, data.responses, seed)

    with pytest.raises(KeyboardInterrupt):
        run_all([first, second], [method], plan, lambda _: None, interrupted)
    results = run_all([first, second], [method], plan, lambda _: None)
    assert [result.done for result in results] == [True, True]
    assert log.read_text().count("run") == 2


def test_a_damaged_result_is_run_again(first, fake, plan):
    method = fake("votes")
    run_all([first], [method], plan, lambda _: None)
    file = plan.folder / "first" / "fake-votes.json"
    file.write_text(file.read_text()[:20])
    assert runs.stored(plan.folder / "first" / "fake-votes.json") is None
    assert run_all([first], [method], plan, lambda _: None)[0].done


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
    only = run_all([first], [fake("votes")], plan, lambda _: None)
    assert [one.method for one in other_stored_results([first], only, plan)] == [
        "fake.fail"
    ]
    other = replace(plan, seed=1)
    assert list(other_stored_results([first], [], other)) == []
