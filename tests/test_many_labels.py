"""Three hundred labels, from a table of responses to a run folder."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.annotators import load
from consilience.errors import FitError
from consilience.inference import EngineOptions
from consilience.model import fits_in_memory
from consilience.spaces import space_of
from consilience.truth import space as space_module


@pytest.fixture(scope="module")
def study():
    """Six hundred items, four of three hundred labels listed, three answers each."""
    generator = np.random.default_rng(5)
    labels = np.array([f"l{code:03d}" for code in range(300)])
    lists = generator.random((600, 300)).argsort(1)[:, :4]
    slot = np.where(
        generator.random((600, 3)) < 0.7, 0, generator.integers(1, 4, (600, 3))
    )
    items = [f"i{number:03d}" for number in range(600)]
    frame = pd.DataFrame(
        {
            "item": np.repeat(items, 3),
            "annotator": [f"a{code}" for code in generator.integers(0, 30, 1800)],
            "label": labels[np.take_along_axis(lists, slot, 1).ravel()],
        }
    )
    candidates = pd.DataFrame(
        {"item": np.repeat(items, 4), "label": labels[lists.ravel()]}
    )
    parents = [f"p{code // 100}" for code in range(300)]
    responses = cs.read(
        frame, labels=pd.DataFrame({"label": labels, "parent": parents}), repeats="all"
    )
    return responses, candidates, labels[lists[:, 0]]


@pytest.fixture(scope="module")
def fitted(study):
    responses, candidates, _ = study
    return cs.fit(
        responses,
        model="structured",
        engine="vb",
        candidates=candidates,
        prior={"popularity": 0.5},
        effort=EngineOptions(draws=30, restarts=1),
    )


def test_tables_list_candidates_and_pairs_that_occur_alone(study, fitted):
    responses, _, truth = study
    assert len(fitted.labels()) == 4 * 600
    assert (fitted.items()["label"].astype(str) == truth).mean() > 0.7
    people = fitted.annotators()
    assert people["accuracy"].between(people["lower"], people["upper"]).all()
    confusion = fitted.confusion()
    assert confusion["annotator"].isna().all()
    assert len(confusion) <= 2 * responses.num_responses
    named = confusion.set_index(["true_label", "given_label"])["probability"]
    assert named.groupby("true_label", observed=True).sum().max() < 1 + 1e-9


def test_a_run_is_small_and_read_again_as_it_was(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert again.confusion().equals(fitted.confusion())
    size = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*.*"))
    # A table of votes, 300 x 300, and draws of 2 x 300 + 3 x 30 numbers.
    assert size < 4_000_000


def test_auto_takes_the_model_of_many_labels_where_tables_do_not_fit(
    study, monkeypatch
):
    responses, candidates, _ = study
    monkeypatch.setattr(space_module, "MAX_NUMBERS", 1_000_000)
    fit = cs.fit(responses, engine="vb", candidates=candidates)
    assert fit.data.attrs["model"] == "structured"
    space = space_of(responses, lists=candidates)
    assert not fits_in_memory(load("bayesian_dawid_skene"), space)
    with pytest.raises(FitError, match="take the model `structured`"):
        cs.fit(responses, model="one_coin_dawid_skene", candidates=candidates)
