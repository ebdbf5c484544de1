import json

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from consilience.errors import OptionError, SourceError
from consilience.posterior._export import export

NAMES = ("labels", "items", "annotators")


def tasks(path, *, items=("image 0", "image 1", "image 2"), kind="choices"):
    """Write an export of a project in which somebody has answered the first task."""
    value = {
        "choices": {"choices": ["cat"]},
        "taxonomy": {"taxonomy": [["animal", "cat"], ["animal", "dog"]]},
        "pairwise": {"selected": "cat"},
    }[kind]
    result = {"from_name": "what", "to_name": "img", "type": kind, "value": value}
    other = {**result, "from_name": "mood", "value": {"choices": ["happy"]}}
    given = [
        {"id": number, "data": {"image": item, "weight": 1.50}, "annotations": []}
        for number, item in enumerate(items)
    ]
    work = {"id": 1, "completed_by": 3, "result": [other, result]}
    given[0]["annotations"].append(work)
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def test_a_workbook_holds_the_tables_as_they_are(choice_fit, tmp_path):
    fit = choice_fit()
    files = export(fit, NAMES, "xlsx", tmp_path / "all.xlsx")
    assert files == [tmp_path / "all.xlsx"]
    sheets = pd.read_excel(files[0], sheet_name=None)
    assert list(sheets) == [*NAMES, "about"]
    for name in NAMES:
        expected = getattr(fit, name)()
        for column in expected.columns:
            values = expected[column].astype("object").replace("", np.nan)
            pd.testing.assert_series_equal(
                sheets[name][column].astype("object"), values, check_dtype=False
            )
    about = sheets["about"].set_index("name")["value"]
    assert float(about["prob"]) == 0.9


@pytest.mark.parametrize("text", ["=1+1", "\x1b[31mred"])
def test_no_cell_of_a_workbook_is_a_formula(choice_fit, tmp_path, text):
    fit = choice_fit(classes=(text, "dog"))
    export(fit, ("labels",), "xlsx", tmp_path / "labels.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "labels.xlsx")["labels"]
    cells = [row[1] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert text.replace("\x1b", "") in cells[0].value.replace("\\x1b", "")


def test_one_json_file_holds_several_tables(choice_fit, tmp_path):
    fit = choice_fit()
    export(fit, NAMES, "json", tmp_path / "all.json")
    tables = json.loads((tmp_path / "all.json").read_text())
    assert list(tables) == ["about", *NAMES]
    assert tables["about"]["prob"] == 0.9
    for name in NAMES:
        assert tables[name] == json.loads(
            fit.table(name).to_json(orient="records", double_precision=15)
        )


def features(path):
    metadata = pq.read_schema(path).metadata
    return json.loads(metadata[b"huggingface"])["info"]["features"]


def test_a_data_set_to_train_on_has_coded_labels_and_probabilities(
    choice_fit, tmp_path
):
    fit = choice_fit()
    export(fit, ("soft_labels", "labels"), "huggingface", tmp_path / "set")
    labels = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    soft = pq.read_table(tmp_path / "set" / "soft_labels.parquet").to_pydict()
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.25, 0.75]])
    assert soft["label"] == probabilities.argmax(axis=1).tolist()
    np.testing.assert_allclose(soft["probabilities"], probabilities)
    assert features(tmp_path / "set" / "soft_labels.parquet")["label"] == labels
    table = pq.read_table(tmp_path / "set" / "labels.parquet").to_pydict()
    assert [labels["names"][code] for code in table["label"]] == list(
        fit.labels()["label"]
    )
    assert features(tmp_path / "set" / "labels.parquet")["label"] == labels
    card = (tmp_path / "set" / "README.md").read_text()
    assert "- config_name: soft_labels\n  data_files: soft_labels.parquet" in card
    assert card.count("default: true") == 1


def predictions(path):
    return [task.get("predictions") for task in json.loads(path.read_text())]


def test_a_project_gets_its_labels_back_as_predictions(choice_fit, tmp_path):
    source = tasks(tmp_path / "project.json", items=("image 0", "image 2", "other"))
    out = tmp_path / "predictions.json"
    export(choice_fit(), (), "label_studio", out, tasks=source)
    first, second, other = predictions(out)
    assert other is None
    assert first[0]["score"] == 0.9
    assert first[0]["result"][0] == {
        "from_name": "what",
        "to_name": "img",
        "type": "choices",
        "value": {"choices": ["cat"]},
        "score": 0.9,
    }
    assert second[0]["result"][0]["value"] == {"choices": ["dog"]}
    written = json.loads(out.read_text())
    given = json.loads(source.read_text())
    assert [task["data"] for task in written] == [task["data"] for task in given]
    assert "annotations" not in written[0]


VALUES = {"taxonomy": [["animal", "dog"]], "selected": "dog"}


@pytest.mark.parametrize("kind", ["taxonomy", "pairwise"])
def test_a_label_is_written_as_its_control_has_it(choice_fit, tmp_path, kind):
    source = tasks(tmp_path / "project.json", kind=kind)
    out = tmp_path / "predictions.json"
    export(choice_fit(), (), "label_studio", out, tasks=source)
    value = predictions(out)[2][0]["result"][0]["value"]
    assert value
    assert value.items() <= VALUES.items()


def test_tasks_of_another_project_are_refused(choice_fit, tmp_path):
    source = tasks(tmp_path / "project.json", items=("x", "y"))
    with pytest.raises(OptionError, match="the first task is 'x'"):
        export(choice_fit(), (), "label_studio", tmp_path / "p.json", tasks=source)
    assert not (tmp_path / "p.json").exists()
    source.write_text('{"data": []}')
    with pytest.raises(SourceError, match="not a list of tasks"):
        export(choice_fit(), (), "label_studio", tmp_path / "p.json", tasks=source)
