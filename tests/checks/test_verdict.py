import numpy as np

from consilience.checks import all_checks, as_dataset
from consilience.checks.verdict import at_least, at_most, not_assessed


def test_a_limit_itself_is_allowed():
    assert at_most("a", 1.0, 1.0, "mend").ok
    assert at_least("a", 1.0, 1.0, "mend").ok


def test_a_figure_beyond_its_limit_says_how_to_mend():
    assert at_most("a", 1.1, 1.0, "mend").remedy == "mend"
    assert at_least("a", 0.9, 1.0, "mend").remedy == "mend"


def test_a_figure_that_is_no_number_fails():
    assert not at_most("a", np.nan, 1.0, "mend").ok
    assert not at_least("a", np.nan, 1.0, "mend").ok


def test_what_could_not_be_assessed_passes_and_says_so():
    verdict = not_assessed("a", 1.0, "run more chains")
    assert (verdict.ok, verdict.remedy) == (True, "run more chains")
    assert np.isnan(verdict.value)


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
