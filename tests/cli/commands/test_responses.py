import json

from consilience import read


def test_read_says_what_it_kept_and_writes_a_folder_that_is_replaced_on_request(
    run, export, columns, capsys
):
    arguments = ("read", export, *columns, "--out", "responses")
    assert run(*arguments) == 0
    assert capsys.readouterr().out.startswith("read 36 rows, kept 36")
    assert "001" in read("responses").table["item"].cat.categories
    assert run(*arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(*arguments, "--overwrite") == 0


def test_read_answers_in_json_with_the_account_on_standard_error(
    run, export, columns, truth, capsys
):
    options = ("--gold", truth, "--out", "responses", "--json")
    assert run("read", export, *columns, *options) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert (result["items"], result["annotators"], result["labels"]) == (12, 3, 2)
    assert result["cleaning"]["read"] == 36
    assert "read 36 rows" in said.err
    assert len(read("responses").gold) == 12


def test_a_place_that_is_taken_is_refused_before_any_work(run, capsys, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert run("read", "nowhere.csv", "--out", "mine", "--overwrite") == 2
    assert "mine: already exists" in capsys.readouterr().err
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_describe_counts_on_the_terminal_and_in_json(run, export, columns, capsys):
    assert run("describe", export, *columns) == 0
    assert "answers per annotator" in capsys.readouterr().out
    assert run("describe", export, *columns, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output["answers"] == 36
    assert output["answers_per_annotator"]["median"] == 12


def test_reading_ends_with_what_was_understood_and_what_looks_wrong(
    run, tmp_path, capsys
):
    path = tmp_path / "a.csv"
    path.write_text(
        "item,worker,label,Notes\n1,a,cat,u\n1,b,Cat,v\n2,a,dog,u\n", encoding="utf-8"
    )
    assert run("read", path, "--out", tmp_path / "out") == 0
    text = capsys.readouterr().out
    assert "labels            3: Cat, cat, dog" in text
    assert "columns not used  Notes" in text
    assert "warning: labels that differ only in case" in text
    assert "--fold-case" in text
    again = ("--out", tmp_path / "again", "--fold-case", "--json")
    assert run("read", path, *again) == 0
    output = json.loads(capsys.readouterr().out)["summary"]
    assert output["labels"] == 2
    assert output["unused"] == {"Notes": ""}
    assert output["warnings"] == []


def test_json_names_options_and_not_arguments(run, capsys, tmp_path):
    table = "item,annotator,label\n1,a,cat\n1,a,dog\n2,b,cat\n2,b,`n=1`\n"
    (tmp_path / "a.csv").write_text(table, encoding="utf-8")
    assert run("read", "a.csv", "--out", "r", "--json") == 0
    text = capsys.readouterr().out
    assert "--repeats keep" in text
    assert "`repeats=" not in text
    assert "`n=1`" in text
