"""Types and shapes of arguments are checked at the first calls of every function."""

import subprocess
import sys

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from tests.checked_calls import THEN

from consilience.inference.dirichlet import log_normaliser


def test_what_is_called_often_is_checked_now_and_then():
    def wrong():
        try:
            log_normaliser(np.ones(3, dtype=int))
        except TypeCheckError:
            return True
        return False

    for _ in range(THEN):
        log_normaliser(np.ones(3))
    assert 0 < sum(wrong() for _ in range(2 * THEN)) < THEN


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
