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
from benchmarks.__main__ import MODULES
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


@pytest.mark.study
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
    if name == "nuts":
        pytest.importorskip("nutpie", reason="a peer, of make benchmark")
    assert "| ---" in run(name, tmp_path)


def test_every_benchmark_named_is_there():
    for name, place in MODULES.items():
        module = importlib.import_module(f"benchmarks.{place}")
        assert callable(getattr(module, name))


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
