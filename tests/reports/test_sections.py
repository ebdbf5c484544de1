from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from defusedxml import ElementTree

import consilience as cs
from consilience.errors import ColumnError, SourceError
from consilience.posterior.trust import CANNOT_TELL, FAILED, PASSED
from consilience.reports import gather
from consilience.reports.content import Chart, Note, evaluation_tables
from consilience.reports.sections import overview, sections
from consilience.reports.sections.diagnostics import LIMIT, caution, predictive
from consilience.tables.html import Table

ALL = (
    "summary",
    *("overview", "data", "agreement", "annotators", "confusion", "check", "items"),
    *("pairs", "models", "predictive", "diagnostics", "caution"),
)


def table(section, start):
    parts = [part for part in section.parts if isinstance(part, Table)]
    return next(part for part in parts if part.caption.startswith(start))


def test_sections_stand_in_order_and_those_about_nothing_are_left_out(report):
    assert [each.id for each in sections(report)] == [n for n in ALL if n != "models"]
    given = replace(report, evaluation={"accuracy": pd.DataFrame({"model": ["a"]})})
    assert [each.id for each in sections(given)] == list(ALL)


def test_a_table_of_models_draws_its_intervals(report):
    bounded = {"accuracy": [0.7, 0.8], "accuracy_lower": 0.65, "accuracy_upper": 0.85}
    plain = {"top5": [0.9, 0.95], "lower": 0.8, "upper": [0.95, 0.99]}
    models = {"model": ["resnet", "<b>vit</b>"], **bounded, "images": 100}
    scores = pd.DataFrame({**models, **plain})
    made = sections(replace(report, evaluation={"by_model": scores}))
    models = next(each for each in made if each.id == "models")
    shown = table(models, "By model")
    titles = [column.title for column in shown.columns]
    assert titles == ["Model", "Accuracy", "Images", "Top5"]
    first = shown.columns[1].cells[0]
    assert (first.text, first.between) == ("0.700", "0.650 to 0.850")
    assert shown.columns[3].cells[1].between == "0.800 to 0.990"


def test_pairs_show_a_confusion_and_its_reverse(report):
    pairs = next(each for each in sections(report) if each.id == "pairs")
    shown = table(pairs, "Labels mistaken")
    cells = report.runs[0].table("confusion")
    cells = cells[cells["annotator"].isna()].astype(
        {"true_label": str, "given_label": str}
    )
    known = cells.set_index(["true_label", "given_label"])["probability"]
    for truth, answer, one, other, items in shown.rows:
        assert truth.text != answer.text
        assert one.text == f"{known[truth.text, answer.text]:.3f}"
        assert other.text == f"{known[answer.text, truth.text]:.3f}"
        assert items.link.startswith("#items?class=")
    each = [frozenset((row[0].text, row[1].text)) for row in shown.rows]
    assert len(each) == len(set(each))
    order = [row[2].order for row in shown.rows]
    assert order == sorted(order, reverse=True)


def test_runs_side_by_side_have_a_column_each(beside):
    made = {each.id: each for each in sections(beside)}
    titles = [column.title for column in table(made["annotators"], "Skill").columns]
    assert titles == ["Annotator", "Answers", "Accuracy, em", "Accuracy, votes"]
    assert len(table(made["overview"], "The runs").rows) == 2


def test_items_stand_in_the_order_of_those_to_check(report):
    items, check = (
        [row[0].text for row in section(report).parts[0].rows]
        for section in (overview.items, overview.check)
    )
    assert items[: len(check)] == check


@pytest.mark.parametrize(
    ("ok", "value", "name", "sort"),
    [
        (True, 1.0, "rhat", "good"),
        (False, 2.0, "rhat", "bad"),
        (True, np.nan, "rhat", "mind"),
    ],
)
def test_a_check_that_fails_is_the_first_thing_said(report, ok, value, name, sort):
    outcome = CANNOT_TELL if np.isnan(value) else PASSED if ok else FAILED
    row = {"name": name, "value": value, "limit": 1.01, "ok": ok, "remedy": "x"}
    result = pd.DataFrame([row | {"outcome": outcome}])
    run = report.runs[0]
    run = replace(run, tables={**run.tables, "diagnostics": result})
    assert overview.verdict(run, "").sort == sort
    reported = caution(replace(report, runs=(run,))).parts
    about = [each for each in reported if isinstance(each, Note) and name in each.text]
    assert bool(about) == (not ok or np.isnan(value))


def with_checks(report, p, adjusted_p):
    """Return a report whose checks have other p-values, from a row on of each."""
    run = report.runs[0]
    checks = run.table("predictive_checks")
    place = checks.groupby("check").cumcount()
    checks = checks.assign(
        p=np.where(place == 1, p, 0.4), adjusted_p=np.where(place == 1, adjusted_p, 1.0)
    )
    run = replace(run, tables={**run.tables, "predictive_checks": checks})
    return replace(report, runs=(run,))


def test_what_a_model_reproduces_is_said_and_what_it_does_not(report):
    def notes(p, adjusted_p):
        parts = predictive(with_checks(report, p, adjusted_p)).parts
        return [part for part in parts if isinstance(part, Note)]

    assert [note.sort for note in notes(0.001, 2 * LIMIT)] == ["good"]
    for p, side in ((0.001, "(1 above, 0 below)"), (0.999, "(0 above, 1 below)")):
        bad = notes(p, LIMIT / 2)
        assert [note.sort for note in bad] == ["mind"] * 3
        assert all(side in note.text for note in bad)


def test_predictive_checks_are_drawn_with_labels_as_text(report, hostile):
    made = predictive(with_checks(report, 0.001, LIMIT / 2))
    drawn = [part for part in made.parts if isinstance(part, Chart)]
    assert len(drawn) == 3
    assert all("Orange" in chart.caption for chart in drawn)
    shown = ElementTree.fromstring(drawn[2].drawn.wide)
    names = {element.text for element in shown.iter("{http://www.w3.org/2000/svg}text")}
    assert hostile[0] in names
    assert not list(shown.iter("{http://www.w3.org/2000/svg}script"))
    assert "<script" not in drawn[2].drawn.wide


def test_an_evaluation_is_a_file_or_a_folder_of_them(tmp_path):
    frame = pd.DataFrame({"model": ["a"], "accuracy": [0.5]})
    frame.to_csv(tmp_path / "one.csv", index=False)
    frame.to_parquet(tmp_path / "two.parquet")
    result = evaluation_tables(tmp_path)
    assert list(result) == ["one", "two"]
    for each in result.values():
        assert each["accuracy"].tolist() == [0.5]
    assert list(evaluation_tables(tmp_path / "one.csv")) == ["one"]


def test_an_evaluation_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        evaluation_tables(tmp_path / "none")
    with pytest.raises(SourceError, match="holds no"):
        evaluation_tables(tmp_path)
    for name, content, error, match in (
        ("a.xlsx", b"", SourceError, "expected a table"),
        ("a.parquet", b"no", SourceError, "cannot be read"),
        (
            "a.csv",
            b"model\ncaf\xe9\n",
            SourceError,
            r"a\.csv: column 'model' is not UTF",
        ),
        ("b.csv", b"m,accuracy,m\na,0.5,b\n", ColumnError, r"b\.csv: columns 1 and 3"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error, match=match):
            evaluation_tables(tmp_path / name)


def test_a_run_of_shards_says_of_how_many_items_it_is(tmp_path):
    made = cs.simulate(items=60, annotators=8, classes=3, per_item=4, seed=0)
    table = made.responses.table[["item", "annotator", "label"]]
    table.to_parquet(tmp_path / "a.parquet")
    shards = cs.shards.write(tmp_path / "a.parquet", tmp_path / "s", rows=60)
    cs.shards.fit(shards, model="dawid_skene", engine="em").save(tmp_path / "run")
    cs.report({"run": cs.load(tmp_path / "run")}, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert f"{len(shards.items(0))} of 60</bdi>" in page
    assert "of 240</bdi>" in page
    assert "what is said of items, answers and agreement" in page
    assert "dawid_<wbr>skene" in page  # where a long name may break
    assert "&lt;wbr" not in page


def test_of_few_answers_an_annotator_a_mixture_is_as_cautious_as_its_models(mixture):
    report = gather({"run": mixture}, resamples=0)
    assert "dawid_skene" not in report.runs[0].model
    notes = [part.text for part in caution(report).parts]
    assert any("the usual prior imagines" in note for note in notes)
