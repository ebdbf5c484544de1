"""Types and shapes are checked at every call: of most modules in all tests.

The busiest modules are checked here, in a pytest of its own over tests that call them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CALLING = (
    "tests/analysis/reliability/test_published_values.py",
    "tests/annotators/test_structured.py::test_uniform_errors_on_whole_lists_are_one_coin",
    "tests/annotators/test_tsipras2020.py::test_the_tables_say_what_the_rule_says",
    "tests/checks/test_independence.py::test_without_two_answers_to_an_item_there_is_no_correlation",
    "tests/inference/test_augmentation.py::test_chains_are_drawn_apart",
    "tests/inference/test_dirichlet.py",
    "tests/inference/test_prevalence.py::test_steps_end_at_the_top",
    "tests/inference/engines/test_gibbs.py::test_draws_are_as_many_as_are_asked_for",
    "tests/imagenet/test_pickles.py",
    "tests/truth/arrays/test_incidence.py::test_the_gradient_is_the_transposed_product",
    "tests/truth/test_truth.py",
)


def test_calls_of_the_busiest_modules_are_checked(busy, tmp_path):
    called = tmp_path / "called"
    changed = {
        "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
        "CONSILIENCE_CHECK_CALLS": "checked_calls.typechecked",
        "CHECKED_CALLS": str(called),
    }
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "checked_calls", *CALLING),
        ],
        env=os.environ | changed,
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert busy <= set(called.read_text().split())


PROGRAM = """
from jaxtyping import install_import_hook

HOOK
import numpy as np
from consilience.inference.dirichlet import log_normaliser

log_normaliser(np.ones(3, dtype=complex))
"""


@pytest.mark.parametrize("checked", [True, False])
def test_an_array_of_the_wrong_type_is_caught_where_calls_are_checked(checked):
    hook = 'install_import_hook("consilience", "beartype.beartype")' if checked else ""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM.replace("HOOK", hook)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("TypeCheckError" in ran.stderr) == checked
