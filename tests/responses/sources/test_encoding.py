"""Text files of other encodings: read as asked, never guessed."""

import pytest

from consilience.cli import main
from consilience.errors import OptionError, UnreadableFileError
from consilience.responses import read

TABLE = "item,annotator,label\n1,a,Bär\n1,b,Füchsin\n2,a,Bär\n"


@pytest.fixture
def windows(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(TABLE.encode("cp1252"))
    return path


def test_another_encoding_is_refused_with_a_proposal(windows):
    with pytest.raises(UnreadableFileError, match=r'row 2.*`encoding="cp1252"`'):
        read(windows)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "Latin1", "utf-16", "utf-8"])
def test_a_file_is_read_in_the_encoding_asked_for(tmp_path, encoding):
    path = tmp_path / "answers.csv"
    path.write_bytes(TABLE.encode(encoding))
    assert list(read(path, encoding=encoding).labels["label"]) == ["Bär", "Füchsin"]


@pytest.mark.parametrize("encoding", ["klingon", "base64", "cp037", ""])
def test_what_is_no_encoding_of_text_is_refused(windows, encoding):
    with pytest.raises(OptionError, match="expected the name of an encoding"):
        read(windows, encoding=encoding)


def test_the_command_line_names_the_option(windows, capsys):
    with pytest.raises(SystemExit):
        main(["describe", str(windows)])
    assert "--encoding cp1252" in capsys.readouterr().err
    main(["describe", str(windows), "--encoding", "cp1252"])


def test_a_table_without_header_asks_for_its_columns(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("1,a,cat\n1,b,dog\n")
    with pytest.raises(OptionError, match='`item="column 1"`'):
        read(path, header=False)
    named = {"item": "column 1", "annotator": "column 2", "label": "column 3"}
    responses = read(path, header=False, **named)
    assert list(responses.labels["label"]) == ["cat", "dog"]
