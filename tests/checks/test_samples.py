"""Samples of one language model: found by their names and their answers together."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.checks.samples import pairs_by_name, sample_pairs
from consilience.posterior.trust import FAILED

LABELS = np.array(["cat", "dog", "fox"])


def study(seed, *, copied, items=200, people=8):
    """Draw people of accuracy .75, and a model of .65 and one that may be a copy."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=items)

    def said(accuracy):
        wrong = (truth + generator.integers(1, 3, size=items)) % 3
        return np.where(generator.random(items) < accuracy, truth, wrong)

    answers = {f"r{k}": said(0.75) for k in range(people)}
    answers["gpt-x"] = said(0.65)
    again = generator.random(items) < copied
    answers["gpt-x#2"] = np.where(again, answers["gpt-x"], said(0.65))
    table = pd.DataFrame(answers, index=[f"i{k}" for k in range(items)])
    long = table.rename_axis("item").reset_index().melt("item", var_name="annotator")
    return long.assign(label=LABELS[long["value"]]).drop(columns="value")


@pytest.mark.parametrize("model", ["dawid_skene", "majority"])
def test_two_samples_of_a_model_are_named_with_how_to_declare_them(model):
    fit = cs.fit(study(0, copied=0.8), model=model, copies="keep")
    checks = fit.diagnostics().set_index("name").loc["independence"]
    assert checks["outcome"] == FAILED
    assert "'gpt-x' and 'gpt-x#2' agree in 8" in checks["remedy"]
    assert "repeat_of: gpt-x#2 is a sample of gpt-x" in checks["remedy"]


def test_samples_that_count_as_one_by_default_are_not_named_again():
    fit = cs.fit(study(0, copied=0.8), model="dawid_skene")
    assert "gpt-x#2 answers like gpt-x " in fit.data.attrs["assumptions"]
    assert sample_pairs(fit.data) == []


def test_independent_annotators_of_one_name_are_named_hardly_ever():
    named = [
        bool(sample_pairs(cs.fit(study(seed, copied=0.0), model="dawid_skene").data))
        for seed in range(8)
    ]
    assert sum(named) <= 1  # at a level of 1 in 100, two have a chance of 1 in 400


def test_names_propose_pairs_unless_all_are_named_so_or_too_many_are():
    pairs = pairs_by_name(["ann", "gpt-4", "gpt-4#2", "llama run 1", "Llama (2)"])
    assert pairs == [("gpt-4", "gpt-4#2"), ("llama run 1", "Llama (2)")]
    assert pairs_by_name([f"r{k}" for k in range(9)]) == []
    assert pairs_by_name([f"r{k}" for k in range(30)] + ["ann"]) == []
    many = [f"a{k // 2} sample {k}" for k in range(2000)]
    assert len(pairs_by_name(many)) == 1000
    assert pairs_by_name([*many, "one more"]) == []
