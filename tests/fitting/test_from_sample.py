"""Fits of all items that go on from a fit of some."""

import consilience as cs
from consilience.fitting import comparing


def test_auto_of_many_answers_says_what_was_learned_from_a_sample(monkeypatch):
    made = cs.simulate(items=500, annotators=20, classes=3, per_item=5, seed=4)
    crowd = made.responses
    effort = cs.EngineOptions(draws=200, tune=150, chains=2)
    whole = cs.fit(crowd, effort=effort)
    monkeypatch.setattr(comparing, "MAX_COMPARED", 900)
    fit = cs.fit(crowd)
    assert "on 180 items drawn at random" in fit.data.attrs["engine_reason"]
    assert "learned from a sample of the items" in fit.data.attrs["assumptions"]
    assert "r_hat" not in set(fit.diagnostics()["name"])
    keys = ["item", "label"]
    one, other = (each.labels().set_index(keys)["probability"] for each in (fit, whole))
    assert (one - other).abs().mean() < 0.03
    bounds = fit.annotators().set_index("annotator")
    accuracy = whole.annotators().set_index("annotator")["accuracy"]
    inside = (bounds["lower"] < accuracy) & (accuracy < bounds["upper"])
    assert inside.mean() > 0.8
