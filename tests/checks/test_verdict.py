import numpy as np
import xarray as xr

from consilience.checks import all_checks, as_dataset
from consilience.checks.verdict import at_least, at_most, too_little
from consilience.posterior.diagnostics import (
    FAILED,
    PASSED,
    TOO_LITTLE,
    counts,
    diagnostics,
    tally,
)


def test_a_limit_itself_is_allowed():
    assert at_most("a", 1.0, 1.0, "mend").ok
    assert at_least("a", 1.0, 1.0, "mend").ok


def test_a_figure_beyond_its_limit_says_how_to_mend():
    assert at_most("a", 1.1, 1.0, "mend").remedy == "mend"
    assert at_least("a", 0.9, 1.0, "mend").remedy == "mend"


def test_a_figure_that_is_no_number_fails():
    assert not at_most("a", np.nan, 1.0, "mend").ok
    assert not at_least("a", np.nan, 1.0, "mend").ok


def test_where_the_data_are_too_few_a_check_neither_passes_nor_fails():
    verdict = too_little("a", 1.0, "run more chains")
    assert (verdict.outcome, verdict.remedy) == (TOO_LITTLE, "run more chains")
    assert verdict.ok
    assert np.isnan(verdict.value)
    outcomes = [at_most("a", value, 1.0, "mend").outcome for value in (1.0, 2.0)]
    assert outcomes == [PASSED, FAILED]


def table(*verdicts):
    return diagnostics(xr.DataTree.from_dict({"diagnostics": as_dataset(verdicts)}))


def test_outcomes_are_counted_apart():
    good, bad = at_most("a", 1.0, 2.0, "mend"), at_most("b", 1.0, 0.0, "mend")
    unknown = too_little("c", 1.0, "ask more people", value=0.5)
    result = table(good, bad, good, unknown)
    assert list(counts(result).values()) == [2, 1, 1]
    said = "2 passed, 1 failed (b), 1 with too little data to tell (c)"
    assert tally(result) == said
    assert tally(table(good, good)) == "all 2 passed"


def test_the_table_of_a_run_has_the_outcome_of_each_verdict():
    verdicts = [
        at_most("a", 1.0, 1.0, "mend"),
        at_most("b", 2.0, 1.0, "mend"),
        too_little("c", 1.0, "ask"),
    ]
    group = as_dataset(verdicts)
    result = diagnostics(xr.DataTree.from_dict({"diagnostics": group}))
    assert result["outcome"].tolist() == [PASSED, FAILED, TOO_LITTLE]


def test_verdicts_are_laid_out_along_check(tree, skilled):
    verdicts = all_checks(
        tree(confusion=skilled, stats={"diverging": np.zeros((4, 500), dtype=bool)})
    )
    group = as_dataset(verdicts)
    assert group.sizes == {"check": len(verdicts)}
    assert group["name"].to_numpy().tolist() == [v.name for v in verdicts]
    assert group["ok"].dtype == bool


def test_no_verdicts_make_an_empty_group():
    assert as_dataset([]).sizes == {"check": 0}
