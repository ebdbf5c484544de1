"""Logs of judged evaluations, by hand: verdicts by sample and judge, in each format."""

import json
import zipfile

import pyarrow as pa
from tests.responses.exports.writers import as_json, as_lines

# Verdicts of two judges of one question about three samples.
VERDICTS = {"1": (True, True), "2": (True, False), "3": (False, None)}
JUDGES = ("openai/gpt-4o", "anthropic/claude-opus")
SYSTEM = "mistral/small"


def header(system=SYSTEM, scorers=None, **more):
    """Return what an Inspect log says of an evaluation."""
    if scorers is None:
        scorers = [
            {"name": "model_graded_qa", "options": {"model": each}} for each in JUDGES
        ]
    about = {"task": "capitals", "model": system, "dataset": {"name": "capitals"}}
    return {
        "version": 2,
        "status": "success",
        "eval": {**about, "scorers": scorers, **more},
        "plan": {"name": "plan", "steps": []},
        "stats": {"started_at": "2026-11-01T10:00:00+00:00"},
    }


def sample(number, scores, *, epoch=1):
    """Return a sample of an Inspect log with the values of its scores."""
    return {
        "id": number,
        "epoch": epoch,
        "input": f"Name capital {number}.",
        "target": "Paris",
        "messages": [{"role": "user", "content": f"Name capital {number}."}],
        "output": {"model": SYSTEM.partition("/")[2], "choices": []},
        "scores": {
            name: {"value": value, "answer": "Paris", "explanation": "It is."}
            for name, value in scores.items()
        },
    }


def graded(verdicts):
    """Return scores of Inspect's two judges; a score without a value is NaN."""
    letter = {True: "C", False: "I", None: float("nan")}
    keys = ("model_graded_qa", "model_graded_qa1")
    return {key: letter[value] for key, value in zip(keys, verdicts, strict=True)}


def inspect_samples():
    return [sample(int(n), graded(each)) for n, each in VERDICTS.items()]


def inspect(folder):
    return as_json(folder / "log.json", {**header(), "samples": inspect_samples()})


def inspect_archive(folder, head=None, given=None, *, zstd=False):
    """Write an archive of Inspect, with the summaries that repeat its scores."""
    head, given = head or header(), given or inspect_samples()
    files = {"_journal/start.json": {k: head[k] for k in ("version", "eval", "plan")}}
    for each in given:
        files[f"samples/{each['id']}_epoch_{each['epoch']}.json"] = each
    brief = [
        {k: each[k] for k in each if k not in {"messages", "output"}} for each in given
    ]
    files |= {"_journal/summaries/1.json": brief, "summaries.json": brief}
    files |= {"header.json": head}
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w") as packed:
        for name, value in files.items():
            packed.writestr(name, as_zstd(value) if zstd else json.dumps(value))
    if zstd:
        path.write_bytes(marked_zstd(path, files))
    return path


def as_zstd(value):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(json.dumps(value).encode())
    return sink.getvalue().to_pybytes()


def marked_zstd(path, files):
    """Say in an archive of stored files that zstd packed them (method 93)."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        central = packed.start_dir
        for each in packed.infolist():
            size = len(json.dumps(files[each.filename])).to_bytes(4, "little")
            for start, at in ((each.header_offset, 8), (central, 10)):
                data[start + at : start + at + 2] = (93).to_bytes(2, "little")
                data[start + at + 14 : start + at + 18] = size
            central += 46 + len(each.filename.encode())
    return bytes(data)


def component(kind, passed, *, score=None, **assertion):
    score = float(passed) if score is None else score
    more = {"assertion": {"type": kind, **assertion}}
    return {"pass": passed, "score": score, "reason": "", **more}


def result(number, parts, *, provider=SYSTEM, prompt="plain", question=None):
    """Return a result of promptfoo."""
    asked = question or f"Name capital {number}."
    return {
        "id": f"r{number}",
        "promptIdx": 0,
        "testIdx": int(number),
        "testCase": {"vars": {"question": asked}, "assert": [], "options": {}},
        "provider": {"id": provider, "label": ""},
        "prompt": {"raw": f"{prompt}: {asked}", "label": prompt},
        "vars": {"question": asked},
        "response": {"output": "Paris"},
        "success": True,
        "score": 1,
        "gradingResult": {"pass": True, "score": 1, "componentResults": parts},
        "namedScores": {},
    }


def rubrics(verdicts):
    error = {"metadata": {"graderError": True}}
    return [
        component("llm-rubric", bool(value), value="is right", provider=who)
        | (error if value is None else {})
        for who, value in zip(JUDGES, verdicts, strict=True)
    ]


def promptfoo_results(given):
    return {
        "evalId": "eval-x-2026-11-01T10:00:00",
        "results": {
            "version": 3,
            "timestamp": "2026-11-01T10:00:00.000Z",
            "prompts": [{"raw": "plain", "label": "plain", "provider": SYSTEM}],
            "results": given,
            "stats": {"successes": 2, "failures": 1, "errors": 0},
        },
        "config": {},
        "shareableUrl": None,
    }


def promptfoo(folder):
    given = [result(n, rubrics(each)) for n, each in VERDICTS.items()]
    return as_json(folder / "results.json", promptfoo_results(given))


def promptfoo_lines(folder):
    given = [result(n, rubrics(each)) for n, each in VERDICTS.items()]
    return as_lines(folder / "results.jsonl", given)


def metric(name, verdict, model, *, score=None):
    """Return what a metric of DeepEval says of a test case."""
    data = {"name": name, "threshold": 0.5, "strictMode": False}
    data["evaluationModel"] = model
    if verdict is None:
        return data | {"success": False, "error": "no JSON came back"}
    score = float(verdict) if score is None else score
    return data | {"success": verdict, "score": score, "reason": "It is."}


def case(number, metrics):
    return {
        "name": f"test_case_{number}",
        "input": f"Name capital {number}.",
        "actualOutput": "Paris",
        "success": True,
        "metricsData": metrics,
        "order": int(number) - 1,
    }


def run(cases, **more):
    return {
        "testCases": cases,
        "conversationalTestCases": [],
        "metricsScores": [],
        "hyperparameters": {"model": SYSTEM},
        "testPassed": 2,
        "runDuration": 1.5,
        **more,
    }


def deepeval(folder):
    cases = [
        case(n, [metric("Right", v, j) for j, v in zip(JUDGES, each, strict=True)])
        for n, each in VERDICTS.items()
    ]
    return as_json(folder / "test_run_20261101_100000.json", run(cases))


def line(number, through, value, *, metrics=("exact_match",)):
    """Return a sample of the harness, by the filter of its answer."""
    return {
        "doc_id": int(number),
        "doc": {"question": f"Name capital {number}."},
        "target": "Paris",
        "arguments": {"gen_args_0": {"arg_0": "Name it.", "arg_1": {}}},
        "resps": [["Paris"]],
        "filtered_resps": ["Paris"],
        "filter": through,
        "metrics": list(metrics),
        "doc_hash": "a",
        **dict.fromkeys(metrics, float("nan") if value is None else float(value)),
    }


def lm_eval(folder):
    lines = [
        line(n, through, value)
        for n, each in VERDICTS.items()
        for through, value in zip(("strict", "flexible"), each, strict=True)
    ]
    folder = folder / "mistral__small"
    folder.mkdir(exist_ok=True)
    return as_lines(folder / "samples_capitals_2026-11-01T10-00-00.123.jsonl", lines)


LOGS = {
    each.__name__: each
    for each in (
        inspect,
        inspect_archive,
        promptfoo,
        promptfoo_lines,
        deepeval,
        lm_eval,
    )
}
READER = {name: name.partition("_")[0] for name in LOGS} | {"lm_eval": "lm_eval"}
# What each calls an annotator, and the words for a verdict.
ANNOTATOR = {
    "inspect": [f"model_graded_qa ({each})" for each in JUDGES],
    "promptfoo": [f"llm-rubric ({each})" for each in JUDGES],
    "deepeval": [f"Right ({each})" for each in JUDGES],
    "lm_eval": ["exact_match (strict)", "exact_match (flexible)"],
}
WORDS = {"inspect": ("C", "I"), "lm_eval": ("1", "0")}
ITEM = {"deepeval": "test_case_{}"}
