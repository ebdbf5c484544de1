import numpy as np
import pytest
import xarray as xr

from consilience.checks import all_checks, as_dataset
from consilience.checks.verdict import at_least, at_most, cannot_tell
from consilience.posterior.trust import (
    CANNOT_TELL,
    FAILED,
    PASSED,
    counts,
    diagnostics,
    tally,
)


@pytest.mark.parametrize(
    ("judge", "value", "ok"),
    [
        *((at_most, 1.0, True), (at_most, 1.1, False), (at_most, np.nan, False)),
        *((at_least, 1.0, True), (at_least, 0.9, False), (at_least, np.nan, False)),
    ],
)
def test_a_limit_is_allowed_and_what_is_beyond_says_how_to_fix_it(judge, value, ok):
    verdict = judge("a", value, 1.0, "restart")
    expected = (True, PASSED, "nothing to fix") if ok else (False, FAILED, "restart")
    assert (verdict.ok, verdict.outcome, verdict.remedy) == expected


def table(*verdicts):
    return diagnostics(xr.DataTree.from_dict({"diagnostics": as_dataset(verdicts)}))


def test_the_table_of_a_run_has_the_outcome_of_each_verdict_and_counts_them():
    good, bad = at_most("a", 1.0, 2.0, "fix"), at_most("b", 1.0, 0.0, "fix")
    unknown = cannot_tell("c", 1.0, "ask more people", value=0.5)
    result = table(good, bad, good, unknown)
    assert result["outcome"].tolist() == [PASSED, FAILED, PASSED, CANNOT_TELL]
    assert list(counts(result).values()) == [2, 1, 0, 1]
    said = "2 passed, 1 failed (b), 1 cannot be told (c)"
    assert tally(result) == said
    assert tally(table(good, good)) == "all 2 passed"


def test_verdicts_are_laid_out_along_check(tree, skilled):
    verdicts = all_checks(
        tree(confusion=skilled, stats={"diverging": np.zeros((4, 500), dtype=bool)})
    )
    group = as_dataset(verdicts)
    assert group.sizes == {"check": len(verdicts)}
    assert group["name"].to_numpy().tolist() == [v.name for v in verdicts]
    assert group["ok"].dtype == bool
    assert as_dataset([]).sizes == {"check": 0}
