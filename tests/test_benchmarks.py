"""The benchmarks still run: in sizes that say nothing, through the same code."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import contains_scores as scores
from benchmarks import harness
from benchmarks.__main__ import MODULES
from benchmarks.calibration import COLUMNS, calibration
from scipy.stats import binom

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


def test_a_quick_run_prints_its_table_and_keeps_none(tmp_path):
    assert "consilience" in run("start", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_benchmark_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="no benchmark 'nonsense'"):
        run("nonsense", tmp_path)


@pytest.mark.study
@pytest.mark.parametrize(
    "name", ["speed", "growth", "models", "nuts", "agreement", "report_page"]
)
def test_the_benchmark_runs(name, tmp_path):
    assert "| ---" in run(name, tmp_path)


def test_a_report_is_kept_as_markdown(tmp_path):
    made = harness.Report("Title", [{"program": "ours", "seconds": 1.5}], ["A note."])
    harness.keep(made, tmp_path / "title")
    assert "| ours | 1.5 |" in (tmp_path / "title.md").read_text()


def test_every_benchmark_named_is_there():
    for name, place in MODULES.items():
        module = importlib.import_module(f"benchmarks.{place}")
        assert callable(getattr(module, name))


def test_calibration_judges_every_engine_of_a_model_and_names_what_it_leaves_out():
    report = calibration(quick=True)
    assert [(row["model"], row["engine"]) for row in report.rows] == [
        ("dawid_skene", "em")
    ]
    assert list(report.rows[0]) == list(COLUMNS)
    assert report.rows[0]["prevalence"] == "**a point**"
    assert any("majority is left out: it has no par" in note for note in report.notes)


def test_a_report_may_have_further_tables():
    more = {"Another": [{"what": "gap", "size": 0.25}]}
    made = harness.Report("Title", [{"program": "ours"}], ["A note."], more=more)
    written = harness.markdown(made)
    assert "## Another\n\n| what | size |\n| --- | --- |\n| gap | 0.25 |" in written
    assert written.index("| ours |") < written.index("## Another")


def test_methods_are_compared_on_the_draws_that_both_have():
    one = np.arange(3.0)[:, None, None] + np.zeros((3, 3, 5))
    gap, error = scores.apart(one, one[:2] - 0.25)
    assert gap == pytest.approx(0.25)
    assert error == pytest.approx(0.0)
    # Of images left out, the jackknife: four gaps of -1, 1, -1, 1 vary by 1.
    moved = one[:1] + np.array([0.0, -1, 1, -1, 1])
    assert scores.apart(moved, one[:1])[1] == pytest.approx(np.sqrt(3))


def against_peers(generator):
    """Of methods that are as good as one another: the bound, and a naive one."""
    images, peers, studies = 60, 8, 300
    results = []
    for _ in range(studies):
        whole = generator.normal(size=(peers + 1, images))
        whole += generator.normal(size=images)  # images are harder and easier for all
        left = (whole.sum(1, keepdims=True) - whole) / (images - 1)
        said = np.concatenate([whole.mean(1, keepdims=True), left], 1)[:, None]
        best = max(said[1:], key=lambda each: each[0, 0])
        bounds = (scores.at_most(said[0], each, 1) for each in (said[1:], [best]))
        results.append([bound < 0 for bound in bounds])
    return np.mean(results, 0) * studies, studies


def test_a_method_as_good_as_all_is_seldom_called_worse_than_the_best():
    (worse, naive), studies = against_peers(np.random.default_rng(0))
    most = binom.ppf(0.999, studies, 1 - scores.SURE)
    assert worse <= most
    assert naive > most  # which peer is the best is not known beforehand


def fed(name):
    """Return the pages that include the results of a benchmark."""
    result = f"benchmarks/results/{name}.md"
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    pages = [page for page in pages if "_build" not in page.parts]
    return {
        str(page.relative_to(ROOT))
        for page in pages
        if result in page.read_text("utf-8")
    }


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_feeds_a_page_and_says_which(name):
    words = ast.get_docstring(
        ast.parse((ROOT / "benchmarks" / f"{MODULES[name]}.py").read_text("utf-8"))
    )
    assert fed(name)
    assert fed(name) <= {*re.findall(r"`([\w/.-]+\.md)`", words.partition("Feeds")[2])}
