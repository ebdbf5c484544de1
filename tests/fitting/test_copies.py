"""One annotator copies another: they count once, and experts are no copies."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import OptionError
from consilience.fitting.copies import find_copies
from consilience.fitting.request import Study
from consilience.posterior.flags import ALIKE, flags
from consilience.responses import read

PEOPLE, ITEMS, EACH, LABELS = 15, 150, 6, 4
QUICK = {"model": "hierarchical_dawid_skene"}


def crowd(seed, *, share=None, experts=0):
    """Answers, truth and accuracies; p00 copies a share of its answers from p14.

    The first people are experts, right .99 of the time, beside a weak crowd.
    """
    generator = np.random.default_rng([5, seed])
    truth = generator.choice(LABELS, ITEMS, p=generator.dirichlet(np.full(LABELS, 8)))
    right = 1 / (1 + np.exp(-generator.normal(0.9, 0.8, PEOPLE)))
    if experts:
        right = generator.uniform(0.45, 0.7, PEOPLE)
        right[:experts] = 0.99
    table = generator.dirichlet(np.ones(LABELS), (PEOPLE, LABELS))
    table[:, range(LABELS), range(LABELS)] = 0
    table *= ((1 - right) / table.sum(2).T).T[:, :, None]
    table[:, range(LABELS), range(LABELS)] = right[:, None]
    first = int(share is not None)
    who = generator.random((ITEMS, PEOPLE - first)).argsort(1)[:, :EACH] + first
    rows = []
    for item, people in enumerate(who):
        said = {
            int(p): generator.choice(LABELS, p=table[p, truth[item]]) for p in people
        }
        if share is not None and PEOPLE - 1 in said:
            own = generator.choice(LABELS, p=table[0, truth[item]])
            said[0] = said[PEOPLE - 1] if generator.random() < share else own
        rows += [(f"i{item:03d}", f"p{p:02d}", f"{label}") for p, label in said.items()]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    accuracy = (
        table[:, range(LABELS), range(LABELS)]
        @ np.bincount(truth, minlength=LABELS)
        / ITEMS
    )
    if share is not None:
        accuracy[0] = share * accuracy[-1] + (1 - share) * accuracy[0]
    of_item = {f"i{item:03d}": str(label) for item, label in enumerate(truth)}
    return frame, of_item, {f"p{p:02d}": each for p, each in enumerate(accuracy)}


DECLARED = pd.DataFrame({"annotator": ["p00"], "repeat_of": ["p14"]})


def found(frame):
    """Return who copies whom, before a fit."""
    return find_copies(Study.read(read(frame)).space(), keep=False).of


def pairs(fit):
    """Return who copies whom, by the fit."""
    return json.loads(fit.data.attrs["copies"])


def log_loss(fit, truth):
    table = fit.labels().astype({"item": str, "label": str})
    table = table[table["label"] == table["item"].map(truth)]
    return -np.log(np.maximum(table["probability"], 1e-3)).mean()


@pytest.fixture(scope="module")
def copied():
    frame, truth, accuracy = crowd(0, share=0.95)
    return frame, truth, accuracy, cs.fit(frame, **QUICK)


def test_a_copier_is_found_and_its_share_learned():
    copies = [copy for seed in range(8) for copy in found(crowd(seed, share=0.9)[0])]
    named = [{copy.annotator, copy.copy_of} for copy in copies]
    assert all(two == {"p00", "p14"} for two in named)
    # Of such studies .85 are found: 8 times that, less three standard errors.
    assert len(named) >= 8 * 0.85 - 3 * np.sqrt(8 * 0.85 * 0.15)
    share = np.mean([copy.share for copy in copies])
    # Of 60 answers, a share of .9 has an error of .04, and the prior draws it in.
    assert share == pytest.approx(0.9, abs=0.08)


@pytest.mark.parametrize("experts", [0, 5])
def test_nobody_is_found_where_nobody_copies(experts):
    for seed in range(4):
        assert found(crowd(seed, experts=experts)[0]) == ()


@pytest.mark.study
def test_the_default_is_about_as_good_as_a_copy_that_is_declared():
    """Kept, a copy confirms its source, who is then taken for too accurate."""
    losses, excess = [], []
    for seed in range(8):
        frame, truth, accuracy = crowd(seed, share=0.95)
        fits = [
            cs.fit(frame, **QUICK, **how)
            for how in ({"copies": "keep"}, {}, {"annotators": DECLARED})
        ]
        losses.append([log_loss(fit, truth) for fit in fits])
        estimated = [
            fit.annotators().set_index("annotator")["accuracy"] for fit in fits
        ]
        excess.append([each["p14"] - accuracy["p14"] for each in estimated])
    for figures in np.transpose(losses), np.transpose(excess):
        worse = figures[0] - figures[1]
        assert worse.mean() > 2 * worse.std(ddof=1) / np.sqrt(len(worse))
        assert abs((figures[1] - figures[2]).mean()) < worse.mean() / 3


@pytest.mark.parametrize("source", ["p00", "p14"])
def test_who_answered_later_copied(copied, source):
    frame = copied[0]
    hours = np.where(frame["annotator"] == source, 0, 5) + np.arange(len(frame)) / 1e4
    start = pd.Timestamp("2026-03-01T08:00:00Z")
    when = (start + pd.to_timedelta(hours, "h")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    responses = read(frame.assign(created_at=when))
    ((pair,),) = [Study.read(responses).with_copies("merge").copies.of]
    assert pair.copy_of == source
    assert (
        f"{pair.annotator} answers like {source}, later (probability" in pair.sentence()
    )
    at_once = read(frame.assign(created_at="2026-03-01T08:00:00Z"))
    ((same,),) = [Study.read(at_once).with_copies("merge").copies.of]
    assert ", later" not in same.sentence()


def test_a_fit_says_first_who_copies_and_what_to_do(copied):
    frame, *_, fit = copied
    (pair,) = pairs(fit)
    name, source = pair["annotator"], pair["copy_of"]
    first = json.loads(fit.data.attrs["assumptions"])[0]
    assert first.startswith(f"{name} answers like {source} (probability ")
    assert 'copies="keep"' in first
    assert first.endswith(f"annotator,repeat_of and {name},{source}")
    assert pair["left_out"] <= pair["same"] <= pair["common"]
    left = len(frame) - int(fit.data["observed_data"]["n"].sum())
    assert left == pair["left_out"] > 0.9 * pair["same"]
    noticed = flags(fit.data)
    assert all(ALIKE in {flag.name for flag in noticed[who]} for who in (name, source))
    checks = fit.diagnostics().set_index("name")["outcome"]
    assert checks["annotators_alike"] == "passed"


def test_who_copies_has_a_row_of_all_its_answers(copied):
    frame, *_, fit = copied
    (pair,) = pairs(fit)
    people = fit.annotators().set_index("annotator")
    assert (
        people["responses"] == frame["annotator"].value_counts()[people.index]
    ).all()
    row = people.loc[pair["annotator"]]
    assert row["copy_of"] == pair["copy_of"]
    assert set(people["copy_of"].drop(pair["annotator"])) == {""}
    assert row["accuracy"] == pytest.approx(
        people["accuracy"][pair["copy_of"]], abs=0.05
    )


def test_answers_that_are_kept_count_and_fail_a_check(copied):
    frame, *_ = copied
    fit = cs.fit(frame, **QUICK, copies="keep")
    (pair,) = pairs(fit)
    assert pair["left_out"] == 0
    assert int(fit.data["observed_data"]["n"].sum()) == len(frame)
    check = fit.diagnostics().set_index("name").loc["annotators_alike"]
    assert check["outcome"] == "failed"
    assert 'copies="merge"' in check["remedy"]
    with pytest.raises(OptionError, match="no rule for copies 'drop'"):
        cs.fit(frame, copies="drop")


def test_predictions_count_the_two_as_one(copied):
    frame, *_, fit = copied
    new = frame.assign(item="new " + frame["item"])
    predicted = cs.predict(fit, new)
    assert pairs(fit)[0]["annotator"] not in set(predicted.annotators()["annotator"])
    assert predicted.data["observed_data"].sizes["response"] < len(new)


def test_the_command_says_who_copies_and_how_to_keep_them(copied, tmp_path, capsys):
    frame, *_ = copied
    frame.to_csv(tmp_path / "answers.csv", index=False)
    words = ["fit", str(tmp_path / "answers.csv"), "--model", QUICK["model"]]
    main([*words, "--out", str(tmp_path / "run")])
    printed = " ".join(capsys.readouterr().out.split())
    assert "answers are the same" in printed.replace("common ", "")
    assert "(--copies keep counts them)" in printed
    assert "fit with --annotators people.csv" in printed


def test_of_contains_who_copies_is_found():
    study = cs.simulate(kind="contains", items=120, annotators=12, per_item=5, seed=3)
    frame = study.responses.table[["item", "annotator", "label", "answer"]].astype(str)
    again = frame[frame["annotator"] == "annotator3"].assign(annotator="again")
    (pair,) = pairs(cs.fit(pd.concat([frame, again]), **QUICK))
    assert {pair["annotator"], pair["copy_of"]} == {"again", "annotator3"}
    assert found(frame) == ()
