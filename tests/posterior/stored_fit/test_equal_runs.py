"""Runs that are equal are equal byte for byte, but for the seconds that they took."""

import numpy as np

import consilience as cs
from consilience.demo import study


def test_only_the_seconds_differ(tmp_path):
    answers = study(0, num_photos=40).answers
    responses = cs.read(answers, item="photo", label="animal")
    effort = cs.EngineOptions(draws=60, tune=60, chains=2)
    for name in ("first", "second"):
        fit = cs.fit(responses, seed=3, effort=effort)
        fit.save(tmp_path / name)
    files = sorted(path for path in (tmp_path / "first").rglob("*") if path.is_file())
    differ = [
        path.name
        for path in files
        if path.read_bytes()
        != (tmp_path / "second" / path.relative_to(tmp_path / "first")).read_bytes()
    ]
    assert differ == ["seconds.toml"]
    again = cs.load(tmp_path / "second")
    assert again.data.attrs["seconds"] == fit.data.attrs["seconds"]
    took = again.comparison()["seconds"].to_numpy()
    assert np.array_equal(took, fit.comparison()["seconds"].to_numpy())
    assert (took > 0).all()
    (tmp_path / "second" / "seconds.toml").unlink()
    assert cs.load(tmp_path / "second").items().equals(again.items())
