"""What is extreme is finite, and every command that is proposed next works on it."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import AUTO, QUICK, answers, probabilities, thinned

import consilience as cs
from consilience.cli import main
from consilience.spaces import space_of

WHOLE = {kind: answers(kind) for kind in ("choice", "contains")}


def unanimous(table):
    if "answer" in table:
        return table.assign(answer="yes")
    return table.assign(label="x")


EXTREMES = {
    "a label that nobody uses": lambda table: table,
    "unanimous answers": unanimous,
    "one item": lambda table: table[table["item"] == "i000"],
    "one annotator": lambda table: table[table["annotator"] == "a0"],
    "one answer an item": lambda table: table.drop_duplicates("item"),
}
UNUSED = {"choice": ["x", "y", "z", "nobody says so"], "contains": None}


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("each", thinned([*QUICK, *AUTO]))
def test_what_is_extreme_is_finite(each, extreme):
    table = EXTREMES[extreme](WHOLE[each.kind])
    fit = each.fit(table, labels=UNUSED[each.kind])
    assert np.isfinite(probabilities(fit)).all()
    annotators = fit.annotators()
    accuracy = annotators["accuracy"].dropna()  # none where all are taken as one
    assert each.model == "multinomial" or len(accuracy)
    assert accuracy.between(0, 1).all()
    for name in fit.tables:
        fit.table(name)


@pytest.mark.study
def test_a_thousand_labels_are_finite():
    generator = np.random.default_rng(0)
    rows = [
        (f"i{item}", f"a{who}", f"l{generator.integers(1000) if who == 2 else item}")
        for item in range(30)
        for who in range(3)
    ]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    labels = [f"l{number}" for number in range(1000)]
    for each in QUICK:
        if each.kind == "choice" and each.engine in ("em", "vb", "rule"):
            if each.model in ("community_bcc", "ebcc"):
                continue  # several tables of a million cells for each annotator
            fit = each.fit(table, labels=labels)
            assert np.isfinite(probabilities(fit)).all()
            # Two of three agree on each item.
            found = fit.items().set_index("item")["label"]
            hit = np.mean([label == f"l{item[1:]}" for item, label in found.items()])
            assert hit > 0.9, each


def commands(text: str) -> list[list[str]]:
    """Return the commands that a command proposes, as they would be typed."""
    line = r"^(?:next:)?\s*(consilience (?:[^\n\\]|\\\n)*)"
    lines = re.findall(line, text, re.MULTILINE)
    return [shlex.split(line.replace("\\\n", " "))[1:] for line in lines]


@pytest.mark.parametrize(
    ("kind", "extreme"),
    [(("choice", "contains")[place % 2], each) for place, each in enumerate(EXTREMES)],
)
def test_every_command_that_is_proposed_works(
    kind, extreme, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    table = EXTREMES[extreme](WHOLE[kind])
    table.to_csv("answers.csv", index=False)
    gold = table.drop_duplicates("item").drop(columns="annotator")
    gold = gold.replace({"answer": {"maybe": "yes"}})
    gold.to_csv("GOLD.csv", index=False)  # as proposals call what a user has
    labels = UNUSED[kind]
    offered = ["--labels", ",".join(labels)] if labels else []
    asked = ["--kind", kind, *offered]
    main(["fit", "answers.csv", *asked, "--out", "run"])
    proposed = commands("\n".join(capsys.readouterr()))
    assert proposed
    done = []
    while proposed:
        words = proposed.pop(0)
        if words in done or any("..." in word or "<" in word for word in words):
            continue
        done.append(words)
        main(words)
        proposed += commands("\n".join(capsys.readouterr()))
        assert len(done) < 20
    for what in ("labels", "annotators", "check"):
        main(["export", "run", "--what", what, "--out", f"{what}.csv", "--overwrite"])
    main(["score", "run", "--gold", "GOLD.csv"])
    assert {"report", "annotators"} <= {words[0] for words in done}


def test_the_same_test_catches_a_proposal_that_does_not_exist():
    assert commands("next: \n  consilience no-such-command run\n") == [
        ["no-such-command", "run"]
    ]
    with pytest.raises(SystemExit):
        main(["no-such-command", "run"])


def test_ten_thousand_labels_take_no_table_of_all_pairs():
    """Of 10,000 labels the votes are a view of as many numbers, not of a square."""
    table = pd.DataFrame({"item": ["i", "j"], "annotator": "a", "label": ["l1", "l2"]})
    labels = [f"l{number}" for number in range(10_000)]
    votes = space_of(cs.read(table, labels=labels)).votes
    base = votes.base
    while base.base is not None:
        base = base.base
    assert base.nbytes < 1e6
    assert (votes[17, 17], votes[17, 16], votes[3].sum()) == (1, 0, 1)
