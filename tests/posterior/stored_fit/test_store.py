import json
import tomllib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

from consilience.errors import CannotWriteError, FolderExistsError, SourceError
from consilience.posterior import load, store

STRANGE = ("=1+1", "007", "<script>", "../../x", "", "nan", "猫", "a\nb", "%s{0}")


def test_a_run_comes_back_as_it_was(choice_fit, tmp_path):
    fit = choice_fit(probability=np.full((9, 9), 1 / 9), classes=STRANGE, items=STRANGE)
    fit.save(tmp_path / "run")
    back = load(tmp_path / "run")
    xr.testing.assert_identical(back.data, fit.data)
    for name in ("labels", "items", "annotators", "confusion", "diagnostics"):
        pd.testing.assert_frame_equal(getattr(back, name)(), getattr(fit, name)())


def test_a_run_says_how_it_was_made(choice_fit, tmp_path):
    choice_fit().save(tmp_path / "run")
    record = tomllib.loads((tmp_path / "run" / "run.toml").read_text("utf-8"))
    assert record["model"] == "dawid_skene"
    assert record["seed"] == 7
    assert record["prob"] == 0.9
    assert record["settings"] == {"restarts": 3}
    assert record["sources"] == {"answers.csv": "0" * 64}
    assert record["versions"]["numpy"] == np.__version__
    assert record["assumptions"] == ["Annotators answer independently given the truth."]


def test_every_table_names_its_probability_and_holds_each_text_once(
    choice_fit, tmp_path
):
    fit = choice_fit()
    fit.save(tmp_path / "run")
    tables = tmp_path / "run" / "tables"
    names = sorted(path.stem for path in tables.iterdir())
    assert names == sorted({*fit.tables} - {"check"})  # which is made when asked for
    for path in tables.iterdir():
        schema = pq.read_schema(path)
        note = json.loads(schema.metadata[b"consilience"])
        assert (note["table"], note["prob"]) == (path.stem, 0.9)
        written = pq.read_table(path).to_pandas()
        table = pd.DataFrame(getattr(fit, path.stem)())
        pd.testing.assert_frame_equal(written, table)
    labels = pq.read_schema(tables / "labels.parquet")
    assert pa.types.is_dictionary(labels.field("item").type)
    assert pa.types.is_dictionary(labels.field("label").type)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_is_stopped_on_the_way_leaves_what_was_there(
    choice_fit, tmp_path, monkeypatch, stop, there
):
    if there:
        choice_fit().save(tmp_path / "run")

    def broken(*_):
        raise stop

    monkeypatch.setattr(store, "write_parquet", broken)
    with pytest.raises(CannotWriteError if stop is OSError else stop):
        choice_fit(classes=("fox", "owl")).save(tmp_path / "run", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"] * there
    if there:
        assert load(tmp_path / "run").labels()["label"].iloc[0] == "cat"


def test_a_run_that_is_there_is_left_alone(choice_fit, tmp_path):
    choice_fit().save(tmp_path / "run")
    before = (tmp_path / "run" / "run.toml").stat().st_mtime_ns
    with pytest.raises(FolderExistsError, match="already exists"):
        choice_fit().save(tmp_path / "run")
    assert (tmp_path / "run" / "run.toml").stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_no_run_is_never_replaced(choice_fit, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(FolderExistsError, match="not written by this program"):
        choice_fit().save(tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "one.jpg").exists()


def test_what_is_no_run_is_said_to_be_none(tmp_path):
    with pytest.raises(SourceError, match="not found"):
        load(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"no run\.toml and no fit\.nc"):
        load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="a file, not the folder"):
        load(tmp_path / "file")


@pytest.fixture
def run(choice_fit, tmp_path):
    choice_fit().save(tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_fit_that_was_cut_off_is_an_error(run, kept):
    whole = (run / "fit.nc").read_bytes()
    (run / "fit.nc").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(SourceError, match=rf"fit\.nc: .* {len(whole)} were written"):
        load(run)


def test_a_fit_overwritten_with_noise_is_damaged(run):
    size = (run / "fit.nc").stat().st_size
    (run / "fit.nc").write_bytes(np.random.default_rng(0).bytes(size))
    with pytest.raises(SourceError, match="damaged"):
        load(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: text.index("]") - 2], r"run\.toml"),
        (lambda text: text.replace("layout = 2", "layout = 3"), "layout is 3"),
    ],
)
def test_a_record_that_was_cut_off_or_is_of_a_later_layout_is_refused(
    run, change, message
):
    text = (run / "run.toml").read_text("utf-8")
    (run / "run.toml").write_text(change(text), "utf-8")
    with pytest.raises(SourceError, match=message):
        load(run)
