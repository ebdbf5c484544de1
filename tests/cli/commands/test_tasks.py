"""The command `tasks`, from a table of candidates to the files of a tool."""

import pandas as pd
import pytest

import consilience as cs

PREFIX = "https://example.org/"


@pytest.fixture
def candidates(tmp_path):
    rows = [("a", "281", "tabby"), ("a", "282", "tiger cat"), ("b", "281", "tabby")]
    table = pd.DataFrame(rows, columns=["item", "label", "name"])
    table.to_csv(tmp_path / "candidates.csv", index=False)
    return "candidates.csv"


def test_the_command_writes_what_the_function_writes(run, candidates, tmp_path, capsys):
    options = ("--kind", "objects", "--image-prefix", PREFIX, "--seed", "3")
    for tool in ("label-studio", "mturk", "zooniverse"):
        out = tmp_path / tool
        assert (
            run("images", "tasks", candidates, "--for", tool, *options, "--out", out)
            == 0
        )
        other = cs.images.write_tasks(
            tmp_path / candidates,
            tmp_path / f"{tool}-function",
            tool=tool,
            kind="objects",
            image_prefix=PREFIX,
            seed=3,
        )
        for file in other.iterdir():
            if file.is_file():
                assert (out / file.name).read_bytes() == file.read_bytes()
    shown = capsys.readouterr().out
    assert "2 tasks, each with 2 to 3 answers to choose from" in shown
    assert "order is drawn for each item (seed 3)" in shown
    assert "README.txt" in shown
