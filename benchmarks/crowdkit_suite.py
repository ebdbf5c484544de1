"""crowd-kit's own tests of classification, run with our estimators in its place.

    python -m benchmarks.crowdkit_suite --suite CHECKOUT

CHECKOUT is a clone of https://github.com/Toloka/crowd-kit (the package on PyPI has no
tests). The tests of aggregation of classification are run twice in processes of their
own: as they are, and with `benchmarks.crowdkit_plugin`, which puts our classes in the
place of crowd-kit's. A test that does not pass is listed with the reason; one without a
reason fails by interface.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.harness import Report, keep, markdown

FILES = (
    "test_classification_aggregation",
    "test_classification_aggregation_edge_cases",
    "test_majority_vote",
    "test_ds_aggregation",
    "test_glad_aggregation",
    "test_mace_aggregation",
    "test_kos_aggregation",
    "test_binary_relevance_aggregation",
)
PASSED, BY_NUMBER = "passed", "differs by number"
NOT_APPLICABLE, BY_INTERFACE = "not applicable", "fails by interface"
# The first pattern that a test's name matches.
NONE_OF_OURS = (
    (
        r"test_segmentation_",
        "segmentations, of which there is no counterpart: crowd-kit's class runs",
    ),
    (
        r"test_glad_(e_step|derivative)",
        "calls private methods of crowd-kit's class (`_init`, `_e_step`)",
    ),
)
MACE = (
    "crowd-kit sorts the counts of habits by name and reads them in the order of the "
    "data, so that a worker has another's habit"
)
DAWID_SKENE = (
    "ours is fitted by the engine em, which makes at least one step, from shares of "
    "the votes that are smoothed"
)
OTHER_NUMBERS = (
    (
        r"test_(addition|assign)_inner_state_on_toy_ysda",
        f"{DAWID_SKENE}; initial errors are a prior, not a start",
    ),
    (r"test_dawid_skene_step_by_step", DAWID_SKENE),
    (
        r"test_dawid_skene_overlap\[(3|30000)\]",
        f"{DAWID_SKENE}; crowd-kit stays at the symmetric point where it starts",
    ),
    (
        r"test_aggregate_mace_on_simple\[em\]",
        f"{MACE}; it labels 9 of 10 tasks right, as the test asks, and ours all 10",
    ),
    (r"test_thetas_on_simple", MACE),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test of the suite."""

    name: str
    passed: bool


def run(*, suite: Path, quick: bool = False, repeats: int = 1) -> Report:
    """Run the suite twice and compare.

    Parameters
    ----------
    suite
        A clone of crowd-kit's repository.
    quick
        Run it once, with our classes.
    repeats
        Ignored: nothing is timed with care.
    """
    del repeats
    rows, unpassed = [], []
    total: Counter[str] = Counter()
    theirs_total, seconds = 0, [0.0, 0.0]
    for file in FILES:
        ours, took = tests_of(suite, file, plugin=True)
        theirs, theirs_took = (
            ([], 0.0) if quick else tests_of(suite, file, plugin=False)
        )
        seconds = [seconds[0] + took, seconds[1] + theirs_took]
        outcomes = {test.name: outcome(test) for test in ours}
        count = Counter(kind for kind, _ in outcomes.values())
        total += count
        theirs_total += sum(test.passed for test in theirs)
        unpassed += [
            {"test": name, "outcome": kind, "reason": reason}
            for name, (kind, reason) in outcomes.items()
            if kind != PASSED
        ]
        rows.append(_row(file, count, sum(test.passed for test in theirs)))
    rows.append(_row("all", total, theirs_total))
    return Report(
        "crowd-kit's tests of classification, with our estimators in its place",
        rows,
        (
            f"Seconds in the tests: {seconds[0]:.1f}; crowd-kit's {seconds[1]:.1f}.",
            "Last column: crowd-kit itself, with today's pandas and scikit-learn.",
            "Not applicable: nothing of ours is tested, whether it passes or not.",
        ),
        {"Tests that do not pass, or are not applicable": unpassed} if unpassed else {},
    )


def outcome(test: Outcome) -> tuple[str, str]:
    """Return what became of a test with our classes, and why."""
    for pattern, reason in NONE_OF_OURS:
        if re.match(pattern, test.name):
            return NOT_APPLICABLE, reason
    if test.passed:
        return PASSED, ""
    for pattern, reason in OTHER_NUMBERS:
        if re.match(pattern, test.name):
            return BY_NUMBER, reason
    return BY_INTERFACE, ""


def tests_of(suite: Path, file: str, *, plugin: bool) -> tuple[list[Outcome], float]:
    """Run one file of the suite; return its tests, and how many seconds they took."""
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "junit.xml"
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-c", os.devnull),
                *("--rootdir", str(suite), "-p", "no:cacheprovider"),
                *(("-p", "benchmarks.crowdkit_plugin") if plugin else ()),
                *("--junitxml", str(written)),
                f"tests/aggregation/{file}.py",
            ],
            cwd=suite,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join((f"{root}/src", str(root)))},
            capture_output=True,
            check=False,
        )
        if not written.is_file():
            msg = f"{suite} has no tests/aggregation/{file}.py that pytest can run"
            raise SystemExit(msg)
        cases = ET.parse(written).getroot().iter("testcase")  # noqa: S314 (ours)
        kept = {
            each.get("name"): (
                each.find("failure") is None and each.find("error") is None,
                float(each.get("time", 0)),
            )
            for each in cases
        }
    tests = [Outcome(name, passed) for name, (passed, _) in kept.items()]
    return tests, sum(took for _, took in kept.values())


def _row(file, count, theirs):
    kinds = (PASSED, BY_NUMBER, NOT_APPLICABLE, BY_INTERFACE)
    return {
        "file": file,
        "tests": count.total(),
        **{kind: count[kind] for kind in kinds},
        "passed by crowd-kit itself": theirs,
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    report = run(suite=asked.suite.resolve(), quick=asked.quick)
    print(markdown(report), flush=True)
    if not asked.quick:
        keep(report, Path(__file__).parent / "results" / "crowdkit_suite")


if __name__ == "__main__":
    main()
