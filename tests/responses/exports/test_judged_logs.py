"""Logs of judged evaluations: who judged what, of which system, and what is refused."""

import json
import zipfile

import pandas as pd
import pytest
from tests.responses.exports.judged_logs import (
    ANNOTATOR,
    ITEM,
    LOGS,
    READER,
    SYSTEM,
    VERDICTS,
    WORDS,
    case,
    component,
    header,
    inspect_archive,
    line,
    metric,
    promptfoo_results,
    result,
    run,
    sample,
)
from tests.responses.exports.writers import as_json, as_lines
from tests.responses.reading_back import in_line, rows

from consilience.errors import ColumnError, DataError, SourceError
from consilience.responses import read, write
from consilience.responses.options import ReadOptions
from consilience.responses.recognition import formats_of, probe


def expected(name):
    reader = READER[name]
    words = dict(zip((True, False), WORDS.get(reader, ("pass", "fail")), strict=True))
    item = ITEM.get(reader, "{}").format
    return {
        (item(number), who): words.get(verdict)
        for number, each in VERDICTS.items()
        for who, verdict in zip(ANNOTATOR[reader], each, strict=True)
    }


def found(responses):
    table = responses.table.astype(object)
    table = table.where(table.notna(), None)
    pairs = zip(table["item"], table["annotator"], strict=True)
    return dict(zip(pairs, table["label"], strict=True))


@pytest.mark.parametrize("name", LOGS)
def test_verdicts_come_back_with_their_judges_and_systems(name, tmp_path):
    path = LOGS[name](tmp_path)
    responses = read(path)
    assert responses.kind == "choice"
    assert found(responses) == expected(name)
    assert responses.cleaning.unit == "scores"
    items = responses.items.set_index("item")
    system = "mistral__small" if name == "lm_eval" else SYSTEM
    assert set(items["system"]) == {system}
    assert items["text"].str.contains("Name capital").all()
    write(responses, tmp_path / "study")
    pd.testing.assert_frame_equal(read(tmp_path / "study").items, responses.items)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_recognized_by_its_reader_alone(name, tmp_path):
    path = LOGS[name](tmp_path)
    if path.suffix != ".eval":
        assert formats_of(probe(path, ReadOptions())) == [READER[name]]
    assert found(read(path.parent)) == expected(name)  # as a folder of logs


def test_an_archive_of_inspect_may_be_packed_by_zstd(tmp_path):
    whole = read(inspect_archive(tmp_path))
    packed = read(inspect_archive(tmp_path, zstd=True))
    pd.testing.assert_frame_equal(packed.table, whole.table)
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as logs_packed:
        logs_packed.write(tmp_path / "log.eval", "logs/log.eval")
    inside = read(tmp_path / "logs.zip")
    pd.testing.assert_frame_equal(inside.table, whole.table)
    assert all("logs.zip/logs/log.eval/" in name for name in inside.sources)


@pytest.mark.parametrize("value", [None, "unscored"])
@pytest.mark.parametrize("name", LOGS)
def test_a_log_without_scores_says_so_in_one_sentence(name, value, tmp_path):
    given = {
        "inspect": {**header(), "samples": [sample(1, {})]},
        "promptfoo": promptfoo_results([result(1, [])]),
        "deepeval": run([case(1, [] if value else None)]),
        "lm_eval": [line(1, "none", 1, metrics=())],
    }
    path = as_json(tmp_path / "log.json", given[READER[name]])
    with pytest.raises(SourceError, match=r"the log has no scores of samples"):
        read(path)


def test_a_log_of_inspect_without_samples_says_so(tmp_path):
    path = as_json(tmp_path / "log.json", header())
    with pytest.raises(SourceError, match="the log has no samples"):
        read(path)


# Items and systems


def logs(folder, *systems, task="capitals"):
    for number, system in enumerate(systems):
        scores = {"model_graded_qa": "CI"[number], "model_graded_qa1": "C"}
        head = header(system, task=task)
        given = [sample(1, scores), sample(1, scores, epoch=2)]
        as_json(folder / f"{number}.json", {**head, "samples": given})
    return folder


def test_samples_of_several_systems_are_items_of_their_own(tmp_path):
    responses = read(logs(tmp_path, "a", "b"))
    assert responses.items["item"].tolist() == ["1 / a", "1 / b"]
    assert responses.items["system"].tolist() == ["a", "b"]
    # Epochs are repeats: each counts.
    assert len(responses.table) == 8
    assert any("repeat an earlier one" in each for each in responses.assumptions)
    once = read(tmp_path, repeats="first")
    assert len(once.table) == 4


def test_samples_of_several_tasks_are_items_of_their_own(tmp_path):
    for task in ("capitals", "rivers"):
        (tmp_path / task).mkdir()
        logs(tmp_path / task, "a", task=task)
    assert read(tmp_path).items["item"].tolist() == ["capitals / 1", "rivers / 1"]


def test_prompts_of_promptfoo_belong_to_the_system_and_repeats_to_the_test(tmp_path):
    right = [component("llm-rubric", True)]
    given = [
        result(0, right, question="A?"),
        result(1, right, question="A?"),  # the same test again
        result(0, right, question="A?", prompt="long " * 20),
        result(0, right, question="A?", provider="b"),
    ]
    path = as_json(tmp_path / "r.json", promptfoo_results(given))
    responses = read(path)
    assert responses.items["system"].tolist() == [
        f"{SYSTEM}, plain",
        f"{SYSTEM}, prompt 2",
        "b, plain",
    ]
    assert responses.table["item"].astype(str).value_counts().tolist() == [2, 1, 1]


def test_runs_of_deepeval_that_name_no_system_are_called_after_their_files(tmp_path):
    for name in ("first", "second"):
        given = run([case(1, [metric("Right", True, "m")])], hyperparameters={})
        as_json(tmp_path / f"{name}.json", given)
    responses = read(tmp_path)
    assert responses.items["system"].tolist() == ["first", "second"]
    assert responses.num_items == 2
    assert "system" not in read(tmp_path / "first.json").items
    twice = [case(n, [metric("Right", True, "m")]) | {"name": "t"} for n in (1, 2)]
    responses = read(as_json(tmp_path / "first.json", run(twice)))
    assert responses.items["item"].tolist() == ["t 0", "t 1"]


def test_conversations_and_the_latest_run_of_deepeval_are_read(tmp_path):
    talk = case(1, [metric("Right", True, "m")]) | {"scenario": "A talk.", "turns": []}
    del talk["input"]
    path = as_json(
        tmp_path / ".latest_test_run.json",
        {"testRunData": run([], conversationalTestCases=[talk])},
    )
    responses = read(path)
    assert responses.items["text"].tolist() == ["A talk."]
    assert responses.items["system"].tolist() == [SYSTEM]


# Questions and judges


def test_scores_are_questions_and_all_together_are_one_more(tmp_path):
    scorers = [{"name": "match"}, {"name": "pkg/includes"}]
    scores = [{"match": "C", "includes": "C"}, {"match": "I", "includes": "C"}]
    given = [sample(n, each) for n, each in enumerate(scores)]
    log = {**header(scorers=scorers), "samples": given}
    path = as_json(tmp_path / "log.json", log)
    with pytest.raises(ColumnError, match=r"'match'.*'value' \(all scores: choice"):
        read(path)
    assert rows(read(path, question="match"), "item", "annotator", "label") == [
        ["0", "match", "C"],
        ["1", "match", "I"],
    ]
    both = read(path, question="value")
    assert in_line(both, "item", "annotator", "label") == (
        "0 match C, 0 includes C, 1 match I, 1 includes C"
    )


def test_values_by_name_are_questions(tmp_path):
    given = [sample(1, {"rubric": {"style": 4, "facts": True}})]
    path = as_json(tmp_path / "log.json", {**header(scorers=[]), "samples": given})
    assert rows(read(path, question="rubric.style"), "label") == [["4"]]
    assert rows(read(path, question="rubric.facts"), "label") == [["pass"]]


def test_a_scorer_that_asks_a_model_asks_its_role_or_the_system(tmp_path):
    scorers = [{"name": "model_graded_fact", "options": {}}] * 2
    keys = ("model_graded_fact", "model_graded_fact1")
    given = [sample(1, dict.fromkeys(keys, "C"))]
    for roles, model in ((None, SYSTEM), ({"grader": {"model": "g"}}, "g")):
        log = {**header(scorers=scorers, model_roles=roles), "samples": given}
        responses = read(as_json(tmp_path / "log.json", log))
        people = [f"{key} ({model})" for key in keys]  # two of one model
        assert responses.table["annotator"].tolist() == people


def test_numbers_of_few_values_are_labels_in_their_order(tmp_path):
    values = [3.0, 10, 1, 3]
    given = [sample(n, {"rating": each}) for n, each in enumerate(values)]
    log = {**header(scorers=[{"name": "rating"}]), "samples": given}
    responses = read(as_json(tmp_path / "log.json", log))
    assert responses.labels["label"].tolist() == ["1", "3", "10"]
    assert responses.table["label"].tolist() == ["3", "10", "1", "3"]
    given = [sample(n, {"rating": n / 7}) for n in range(20)]
    path = as_json(tmp_path / "log.json", {**log, "samples": given})
    with pytest.raises(DataError, match="one of more than 12 numbers"):
        read(path)
    listed = [sample(1, {"rating": ["a", "b"]})]
    path = as_json(tmp_path / "log.json", {**log, "samples": listed})
    with pytest.raises(DataError, match="where a label was expected"):
        read(path)


def test_the_number_behind_a_verdict_is_asked_for_by_name(tmp_path):
    cases = [case(n, [metric("Right", n > 1, "m", score=n / 4)]) for n in (1, 2, 3)]
    path = as_json(tmp_path / "run.json", run(cases))
    responses = read(path)
    assert responses.table["label"].tolist() == ["fail", "pass", "pass"]
    assert "Right score" in responses.cleaning.unused
    numbers = read(path, question="Right score")
    assert numbers.table["label"].tolist() == ["0.25", "0.5", "0.75"]
    many = [case(n, [metric("Right", True, "m", score=n / 99)]) for n in range(1, 30)]
    path = as_json(tmp_path / "run.json", run(many))
    assert set(read(path).table["label"]) == {"pass"}
    with pytest.raises(DataError, match="one of more than 12 numbers"):
        read(path, question="Right score")


def test_assertions_of_promptfoo_are_told_apart(tmp_path):
    inner = {"componentResults": [component("contains", True, value="x")]}
    parts = [
        component("llm-rubric", True, value="kind"),
        component("llm-rubric", False, value="short"),
        component("llm-rubric", True, value="true", metric="facts"),
        {"pass": True, "score": 1, "metadata": {"assertionSet": {}}, **inner},
        component("contains", True, value="x"),
        component("python", True, value="f") | {"componentResults": [{}]},
        component("python", False, value="f"),
        component("latency", True, metricOnly=True),
        component("human", False),
    ]
    given = result(1, parts)
    given["testCase"]["options"]["provider"] = {"id": "grader"}
    path = as_json(tmp_path / "r.json", promptfoo_results([given]))
    everything = read(path, question="pass")
    assert in_line(everything, "annotator", "label") == (
        "llm-rubric (grader) pass, llm-rubric (grader) fail, llm-rubric (grader) pass, "
        "contains pass, python pass, human fail"
    )
    assert rows(read(path, question="llm-rubric 2"), "label") == [["fail"]]
    assert rows(read(path, question="facts"), "label") == [["pass"]]


def test_older_samples_of_the_harness_do_not_list_their_metrics(tmp_path):
    given = line(1, "none", 1, metrics=("acc", "acc_norm"))
    del given["metrics"], given["filter"]
    path = as_lines(tmp_path / "samples.jsonl", [given])
    assert rows(read(path, question="acc"), "annotator", "label") == [["acc", "1"]]
    frame = pd.DataFrame([json.loads(json.dumps(given))])
    assert rows(read(frame, question="acc_norm"), "label") == [["1"]]
