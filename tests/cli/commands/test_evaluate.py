"""The command `evaluate`, from files to tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main

KINDS = np.array(["cat", "dog", "fox"])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A run whose annotators are always right, and predictions of three kinds."""
    place = tmp_path_factory.mktemp("study")
    code = np.arange(60) % 3
    items = [f"i{number:02d}" for number in range(60)]
    answers = pd.DataFrame(
        {
            "item": np.repeat(items, 3),
            "annotator": np.tile(["a", "b", "c"], 60),
            "label": KINDS[np.repeat(code, 3)],
        }
    )
    cs.fit(answers, model="majority").save(place / "run")
    off = np.where(np.arange(60) < 15, (code + 1) % 3, code)  # wrong on a quarter
    pd.DataFrame({"item": items, "label": KINDS[off]}).to_csv(
        place / "old.csv", index=False
    )
    twice = pd.DataFrame({"item": items * 2, "label": KINDS[[*off, *code]]})
    twice.to_csv(place / "twice.csv", index=False)
    pd.DataFrame({"item": items}).to_csv(place / "items.csv", index=False)
    pd.DataFrame({"label": KINDS}).to_csv(place / "labels.csv", index=False)
    files = place / "models"
    files.mkdir()
    pd.DataFrame({"item": items, "label": KINDS[off], "rank": 1}).to_csv(
        files / "follower.csv", index=False
    )
    np.save(files / "ranks.npy", np.stack([code, (code + 1) % 3], 1))
    np.save(files / "logits.npy", -np.abs(np.arange(3) - code[:, None] + 0.1))
    return place


def evaluated(study, capsys, *options):
    names = ("--items", str(study / "items.csv"), "--labels", str(study / "labels.csv"))
    given = ("--predictions", str(study / "models"), *names)
    main(("evaluate", str(study / "run"), *given, *options))
    return capsys.readouterr().out


def test_tables_arrays_and_scores_are_judged_side_by_side(study, capsys):
    old = ("--dataset-labels", str(study / "old.csv"))
    output = json.loads(evaluated(study, capsys, *old, "--top", "2", "--json"))
    rows = {
        (row["model"], row["metric"], row["subset"]): row for row in output["models"]
    }
    assert rows["follower", "accuracy", "all"]["value"] == pytest.approx(0.75)
    assert rows["follower", "dataset_accuracy", "all"]["value"] == 1
    for model in ("ranks", "logits"):
        assert rows[model, "accuracy", "all"]["value"] == pytest.approx(1)
        assert rows[model, "dataset_accuracy", "all"]["value"] == pytest.approx(0.75)
    # The next label, which the data set has where it is wrong, is second.
    assert rows["ranks", "dataset_top_2", "all"]["value"] == 1
    assert rows["follower", "accuracy", "label_wrong"]["value"] == pytest.approx(0)


def test_which_model_is_better_is_said_with_its_probability(study, capsys):
    shown = " ".join(evaluated(study, capsys).split())
    sentence = r"ranks is better than follower with probability (\S+) \(accuracy (\S+),"
    (probability, apart) = re.search(sentence, shown).groups()
    assert float(probability) > 0.99
    assert float(apart) == pytest.approx(0.25)


def test_tables_are_written_whole_and_said_in_words(study, capsys, tmp_path):
    out = tmp_path / "judged"
    said = evaluated(study, capsys, "--out", str(out))
    title = "accuracy: The model's label is true (of 60 items)"
    assert title in " ".join(said.split())
    assert sorted(path.name for path in out.iterdir()) == [
        "differences.parquet",
        "labels.parquet",
        "models.parquet",
    ]
    with pytest.raises(SystemExit):
        evaluated(study, capsys, "--out", str(out))
    evaluated(study, capsys, "--out", str(out), "--overwrite")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--predictions", "models/ranks.npy"], "name the item of each of its rows"),
        (["--predictions", "run"], "holds neither what classify writes nor a file"),
        (["--predictions", "twice.csv"], "add a column 'rank'"),
    ],
)
def test_what_is_wrong_with_predictions_is_said_in_one_sentence(
    study, capsys, monkeypatch, given, sentence
):
    monkeypatch.chdir(study)
    with pytest.raises(SystemExit):
        main(("evaluate", "run", *given))
    assert sentence in capsys.readouterr().err


def test_what_people_and_models_confuse_is_written_beside(study, capsys, tmp_path):
    parents = tmp_path / "parents.csv"
    parents.write_text("label,parent\ncat,pet\ndog,pet\nfox,wild\n")
    old = ("--dataset-labels", str(study / "old.csv"), "--parents", str(parents))
    evaluated(study, capsys, *old, "--out", str(tmp_path / "out"))
    within = pd.read_parquet(tmp_path / "out" / "within.parquet")
    value = within.set_index(["model", "statistic"])["value"]
    assert value["people", "called_otherwise"] == pytest.approx(0.25)
    assert value["follower", "called_otherwise"] == 0
    written = {path.stem for path in (tmp_path / "out").iterdir()}
    assert {"confusion", "superclass_confusion", "pairs", "within"} <= written
    parents.write_text("label,above\ncat,pet\n")
    with pytest.raises(SystemExit):
        evaluated(study, capsys, *old, "--out", str(tmp_path / "other"))
    assert "no column 'parent'" in capsys.readouterr().err
