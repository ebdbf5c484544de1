import pandas as pd
import pytest

import consilience as cs
from consilience.demo import is_demo, run, study
from consilience.errors import FolderExistsError
from consilience.inference.engines import gibbs


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gibbs, "MAX_VISITS", 4 * gibbs.MAX_VISITS)  # as users have it
        return run(study(0), out, engine="vb", seed=0)


def test_the_models_probabilities_are_nearer_the_truth_than_votes(outcome):
    scores = outcome.scores
    ours, counted = scores["auto"], scores["majority"]
    for metric in ("log_loss", "brier"):
        assert ours.metrics[metric].value < 0.7 * counted.metrics[metric].value
    # Two labels are much alike, and the best of them varies with the draws: of 200
    # items, two standard errors of an accuracy are .05.
    assert ours.metrics["accuracy"].value > counted.metrics["accuracy"].value - 0.05


def test_the_annotator_who_does_not_look_is_found(outcome):
    worst = outcome.accuracy.sort_values("accuracy")["annotator"].iloc[0]
    assert worst == "Sven"


def test_intervals_that_hold_are_counted(outcome):
    table = outcome.accuracy
    covered = (table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])
    assert outcome.covered == covered.sum()
    assert outcome.covered > len(table) / 2


def test_what_was_read_is_named_where_it_lies(outcome):
    (source,) = outcome.responses.sources
    assert source == str(outcome.folder / "answers.csv")
    assert (outcome.folder / "answers.csv").is_file()


def test_every_step_leaves_its_files(outcome):
    assert is_demo(outcome.folder)
    read = cs.read(outcome.folder / "responses")
    assert read.num_responses == outcome.responses.num_responses
    kept = cs.load(outcome.folder / "run")
    pd.testing.assert_frame_equal(kept.items(), outcome.fit.items())
    assert (outcome.folder / "tables" / "soft_labels.csv").is_file()


def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(FolderExistsError):
        run(study(0), tmp_path, engine="vb", seed=0, overwrite=True)
    assert (tmp_path / "letter.txt").read_text() == "dear"
