"""The benchmarks still run: in sizes that say nothing, through the same code."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(name, tmp_path):
    command = [sys.executable, "-m", "benchmarks", name, "--quick"]
    done = subprocess.run(
        [*command, "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_products_are_timed_beside_their_peers_and_agree(tmp_path):
    said = run("products", tmp_path)
    assert "consilience" in said
    assert "segment_sum" in said
    assert not list(tmp_path.iterdir())  # a quick run keeps no figures


def test_a_benchmark_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="no benchmark 'nonsense'"):
        run("nonsense", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("speed", "growth", "models", "nuts", "start", "agreement", "reproduce"),
        "report_page",
    ],
)
def test_the_benchmark_runs(name, tmp_path):
    assert "| ---" in run(name, tmp_path)


def test_a_report_is_kept_as_markdown_and_json(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    report = importlib.import_module("benchmarks.report")
    made = report.Report("Title", [{"program": "ours", "seconds": 1.5}], ["A note."])
    report.keep(made, tmp_path / "title")
    assert "| ours | 1.5 |" in (tmp_path / "title.md").read_text()
    kept = json.loads((tmp_path / "title.json").read_text())
    assert kept["rows"] == [{"program": "ours", "seconds": 1.5}]


def test_every_benchmark_named_is_there(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    names = importlib.import_module("benchmarks.__main__").NAMES
    assert all(importlib.util.find_spec(f"benchmarks.{name}") for name in names)
