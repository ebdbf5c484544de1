import json
import shutil

import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.annotators import RENAMED_SETTINGS
from consilience.posterior import Fit
from consilience.posterior.results.tables import TABLES, names_of
from consilience.posterior.stored_fit import store, upgrade
from consilience.posterior.stored_fit.tree import with_groups
from consilience.posterior.stored_fit.upgrade import (
    ATTRIBUTES,
    GROUPS,
    VALUES,
    VARIABLES,
    upgraded,
)


def inverse(renamed):
    return {new: old for old, new in renamed.items()}


def as_before(data):
    """Return a fit under the names that earlier releases stored it by."""
    groups, settings = {}, json.loads(data.attrs["settings"])
    names = inverse(RENAMED_SETTINGS.get(data.attrs["model"], {}))
    settings["prior"] = {
        names.get(name, name): value for name, value in settings["prior"].items()
    }
    for node in data.subtree:
        group = node.to_dataset(inherit=False)
        if "duplicate_name" in group:
            rivals = group["duplicate_name"].isel(names=0)
            group = group.drop_vars(["synonyms", "synonym_pairs"])
            group["duplicate_name"] = rivals
        for name, renamed in VALUES.get(node.path, {}).items():
            if name in group:
                old = inverse(renamed)
                values = [old.get(value, value) for value in group[name].to_numpy()]
                group[name] = group[name].copy(data=values)
        names = inverse(VARIABLES.get(node.path, {}))
        stored = {*group.variables, *group.dims}
        group = group.rename({new: names[new] for new in names.keys() & stored})
        old = inverse(ATTRIBUTES.get(node.path, {}))
        group.attrs = {old.get(name, name): each for name, each in group.attrs.items()}
        groups[inverse(GROUPS).get(node.path, node.path)] = group
    groups["/"].attrs["settings"] = json.dumps(settings)
    return xr.DataTree.from_dict(groups)


def saved_before(fit, folder):
    """Save a fit as an earlier release did, layout 1."""
    fit.save(folder)
    size = store._write_netcdf(as_before(fit.data), folder / "fit.nc")
    record = folder / "run.toml"
    lines = record.read_text("utf-8").splitlines()
    new = {"layout": "layout = 1", "fit_bytes": f"fit_bytes = {size}"}
    lines = [new.get(line.split(" ")[0], line) for line in lines]
    record.write_text("\n".join(lines), "utf-8")
    return folder


SHORT = cs.EngineOptions(restarts=1, sweeps=5, draws=0)  # any fit will do


@pytest.fixture(scope="module")
def study():
    settings = {"most": 2.0, "contains_answers": 4.0, "leading": 1.0}
    return cs.simulate(
        kind="objects", items=16, annotators=6, classes=3, per_item=4,
        prior=settings, seed=1,
    )  # fmt: skip


def with_columns(study):
    answers = study.contains.table[["item", "label"]].drop_duplicates()
    scores = answers.assign(score=[(3 * i) % 7 / 7 for i in range(len(answers))])
    return scores.reset_index(drop=True)


def choice(study):
    main = study.responses.table.query("main")[["item", "annotator", "label"]]
    candidates = pd.MultiIndex.from_product(
        [main["item"].unique(), main["label"].unique()], names=["item", "label"]
    )
    scores = candidates.to_frame(index=False)
    scores["score"] = [(3 * i) % 7 / 7 for i in range(len(scores))]
    return cs.fit(main, model="dawid_skene", candidates=scores)


def contains(study):
    similar = pd.DataFrame({"label_a": ["class0"], "label_b": ["class1"]})
    return cs.fit(
        study.contains, model="contains", engine="em", similarity=similar,
        candidates=with_columns(study), effort=SHORT,
    )  # fmt: skip


def objects(study):
    fit = cs.fit(
        study.responses, model="objects_by_annotator", engine="em",
        contains=study.contains, effort=SHORT,
    )  # fmt: skip
    # As earlier releases had it: names of one object are named further alike.
    posterior = fit.data["posterior"].to_dataset()
    posterior["duplicate_name"][:, :, 1] = posterior["duplicate_name"][:, :, 0]
    for name in ("synonyms", "synonym_pairs"):
        posterior[name][:] = 0.0
    return Fit(with_groups(fit.data, posterior=posterior))


@pytest.fixture(scope="module", params=[choice, contains, objects])
def fit(request, study):
    return request.param(study)


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    return saved_before(fit, tmp_path_factory.mktemp("runs") / "run")


def assert_same_tables(one, other):
    assert names_of(one.data) == names_of(other.data)
    for name in names_of(other.data):
        expected = TABLES[name](other.data)
        pd.testing.assert_frame_equal(TABLES[name](one.data), expected, obj=name)


def test_a_run_with_the_names_of_earlier_releases_is_read(fit, folder):
    back = cs.load(folder)
    xr.testing.assert_identical(back.data, fit.data)
    assert_same_tables(back, fit)


def predicted(fit, study, **changed):
    """Return what is predicted with some parameters changed."""
    posterior = fit.data["posterior"].to_dataset().assign(changed)
    fit = Fit(with_groups(fit.data, posterior=posterior))
    return cs.predict(fit, study.responses, contains=study.contains).data["truth"]


@pytest.mark.parametrize("fit", [objects], indirect=True)
def test_a_fit_without_synonyms_predicts_as_with_rivals_alone(study, folder):
    back = cs.load(folder)
    posterior = back.data["posterior"]
    result = predicted(back, study)
    rivals = {"synonyms": posterior["synonyms"] - 50.0}
    xr.testing.assert_allclose(result, predicted(back, study, **rivals), rtol=1e-6)
    # Synonyms that are given otherwise are another model.
    more = xr.DataArray([0.0, 3.0], dims="names") + posterior["duplicate_name"]
    other = {"duplicate_name": more.transpose(*posterior["duplicate_name"].dims)}
    with pytest.raises(AssertionError):
        xr.testing.assert_allclose(result, predicted(back, study, **other), rtol=1e-3)


@pytest.mark.parametrize("left_out", ["ATTRIBUTES", "VARIABLES"])
def test_without_its_current_names_the_tables_differ(
    fit, folder, monkeypatch, left_out
):
    monkeypatch.setattr(upgrade, left_out, {})
    back = cs.load(folder)
    with pytest.raises((KeyError, AssertionError)):
        assert_same_tables(back, fit)


def test_a_run_that_was_read_is_saved_with_the_current_names(folder, tmp_path):
    back = cs.load(folder)
    back.save(tmp_path / "run")
    xr.testing.assert_identical(cs.load(tmp_path / "run").data, back.data)
    shutil.copy(tmp_path / "run" / "fit.nc", tmp_path / "fit.nc")
    with xr.open_datatree(tmp_path / "fit.nc", engine="h5netcdf") as tree:
        assert "prob" in tree.attrs
        assert "mass" not in tree.attrs


def test_a_fit_with_current_names_is_left_as_it_is(fit):
    xr.testing.assert_identical(upgraded(fit.data), fit.data)


def test_names_are_not_given_twice():
    """One name has one place: mappings can be inverted, and no name is both."""
    for mapping in (ATTRIBUTES, VARIABLES):
        for renamed in mapping.values():
            assert len(set(renamed.values())) == len(renamed)
            assert not renamed.keys() & set(renamed.values())
