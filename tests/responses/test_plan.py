"""A plan: how a source is read, shown, written, and used for the next export."""

import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import OptionError, SourceError

WORDS = ["cat", "dog", "cat", "dog", "dog", "cat"]


def table(*, items=30, names=("photo", "rater", "animal")):
    rows = [
        (f"p{k:02d}", f"r{j}", WORDS[(k + (k % 7 == j)) % 6])
        for k in range(items)
        for j in range(3)
    ]
    return pd.DataFrame(rows, columns=[*names])


def wide(frame):
    cells = frame.set_index(["photo", "rater"])["animal"]
    return cells.unstack().reset_index()  # noqa: PD010 (nothing to aggregate)


def counted(frame):
    return frame.groupby(["photo", "animal"]).size().reset_index(name="n")


def listed(frame):
    frame = pd.concat([frame, frame])
    one = frame["animal"] + ["", ";fox", ";owl"] * (len(frame) // 3)
    return frame.assign(animal=one.to_numpy(), rater=[*"abcdef"] * (len(frame) // 6))


SHAPES = {"long": table, "wide": lambda: wide(table()), "n": lambda: counted(table())}
SHAPES |= {"lists": lambda: listed(table())}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_that_is_written_and_loaded_reads_as_reading_does(shape, tmp_path):
    SHAPES[shape]().to_csv(tmp_path / "a.csv", index=False)
    direct = cs.read(tmp_path / "a.csv")
    plan = cs.plan(tmp_path / "a.csv")
    (tmp_path / "plan.toml").write_text(plan.toml())
    again = cs.read(tmp_path / "a.csv", plan=tmp_path / "plan.toml")
    pd.testing.assert_frame_equal(again.table, direct.table)
    pd.testing.assert_frame_equal(again.labels, direct.labels)
    assert {*plan.reasons} <= {*direct.assumptions}
    assert again.assumptions == direct.assumptions


def test_it_names_the_role_of_each_column_and_why():
    plan = cs.plan(table(names=("photo", "rater", "animal")).assign(place="x"))
    roles = {"photo": "item", "rater": "annotator", "animal": "label", "place": ""}
    assert plan.roles() == roles
    assert "'photo' holds the item" in str(plan)
    assert "place   -" in str(plan)


def test_responses_keep_it_and_the_next_export_is_read_so(tmp_path):
    table().to_csv(tmp_path / "may.csv", index=False)
    table(items=40).to_csv(tmp_path / "june.csv", index=False)
    options = {"item": "photo", "label": "animal"}
    cs.write(cs.read(tmp_path / "may.csv", **options), tmp_path / "may")
    assert cs.read(tmp_path / "june.csv", plan=tmp_path / "may").num_items == 40
    assert cs.read(tmp_path / "may").plan.options.columns.label == "animal"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (lambda frame: frame.assign(extra=1), "new are 'extra'"),
        (lambda frame: frame.drop(columns="rater"), "missing are 'rater'"),
        (
            lambda frame: frame.rename(columns={"animal": "label"}),
            "new are 'label' and",
        ),
    ],
)
def test_a_changed_column_is_an_error(changed, what):
    plan = cs.plan(table())
    with pytest.raises(SourceError, match=what):
        cs.read(changed(table()), plan=plan)
    assert cs.read(table()[["animal", "rater", "photo"]], plan=plan).num_items == 30


def test_other_options_beside_it_are_refused_and_so_are_unknown_ones():
    with pytest.raises(OptionError, match="leave out kind"):
        cs.read(table(), plan=cs.plan(table()), kind="choice")
    with pytest.raises(OptionError, match="'knid'"):
        cs.plan(table(), knid="choice")
    with pytest.raises(OptionError, match="labels: a plan names files"):
        cs.plan(table(), labels=pd.DataFrame({"label": ["cat", "dog"]})).toml()


def test_the_command_writes_a_plan_and_takes_it_back(tmp_path, capsys):
    source, plan = tmp_path / "a.csv", tmp_path / "plan.toml"
    table(names=("aa", "bb", "cc")).to_csv(source, index=False)
    named = ["--item", "aa", "--annotator", "bb", "--label", "cc"]
    main(["read", str(source), *named, "--plan"])
    plan.write_text(capsys.readouterr().out)
    out = ["--out", str(tmp_path / "study")]
    main(["read", str(source), "--with", str(plan), *out, "--json"])
    out.append("--overwrite")
    assert cs.read(tmp_path / "study").num_items == 30
    with pytest.raises(SystemExit):
        main(["read", str(source), "--with", str(plan), *named, *out])
    assert "leave out all other options" in capsys.readouterr().err
