import pandas as pd
import pytest

import consilience as cs
from consilience import reports
from consilience.errors import KindError, OptionError
from consilience.posterior.loading import check_responses

ROWS = "item,annotator,label\n1,a,x\n1,b,x\n2,a,y\n2,b,x\n"


@pytest.fixture
def two(tmp_path):
    (tmp_path / "mine.csv").write_text(ROWS)
    (tmp_path / "other.csv").write_text(ROWS.replace("2,b,x", "2,b,y"))
    return [cs.read(tmp_path / name) for name in ("mine.csv", "other.csv")]


def test_responses_of_another_file_than_the_fit_records_are_refused(two):
    mine, other = two
    fit = cs.fit(mine, model="majority")
    check_responses(fit, mine)
    for use in (
        lambda: reports.gather({"run": fit}, responses=other),
        lambda: cs.study(fit, other),
    ):
        with pytest.raises(OptionError, match=r"other\.csv \(SHA-256 .*mine\.csv"):
            use()


def test_a_copy_of_the_file_and_tables_without_a_file_are_taken(two, tmp_path):
    mine, _ = two
    (tmp_path / "copy.csv").write_text(ROWS)
    check_responses(cs.fit(mine, model="majority"), cs.read(tmp_path / "copy.csv"))
    frame = pd.read_csv(tmp_path / "copy.csv")
    check_responses(cs.fit(mine, model="majority"), cs.read(frame))
    check_responses(cs.fit(frame, model="majority"), mine)


def test_another_reading_of_the_same_file_is_refused(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("item,annotator,label,code\n1,a,x,7\n1,b,x,7\n2,a,y,8\n2,b,x,7\n")
    fit = cs.fit(cs.read(path, label="label"), model="majority")
    check_responses(fit, cs.read(path, label="label"))
    with pytest.raises(OptionError, match="does not know '7', '8', labels of the resp"):
        check_responses(fit, cs.read(path, label="code"))


def test_responses_of_another_kind_or_of_other_items_are_refused(two):
    fit = cs.fit(two[0], model="majority")
    frame = pd.DataFrame({"item": ["1"], "annotator": ["a"], "label": ["x"]})
    with pytest.raises(OptionError, match="1 of the 2 items of the fit are not among"):
        check_responses(fit, cs.read(frame))
    with pytest.raises(KindError, match="give the responses that it was fitted to"):
        check_responses(fit, cs.read(frame, kind="objects"))
