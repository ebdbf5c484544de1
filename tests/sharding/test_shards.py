"""Answers in shards: read by the same rules, fitted to the same result, or refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.dataset
import pytest

import consilience as cs
from consilience.cli import main
from consilience.errors import OptionError, SourceError
from consilience.fitting.sharded import LEAST
from consilience.posterior import ITEMS, LABELS
from consilience.progress import Progress
from consilience.sharding import MARKER, Shards

LABELS_OF = ["fox", "wolf", "dog"]


@pytest.fixture(scope="module")
def answers():
    """Three hundred items with blanks, empty cells, repeats and skilled annotators."""
    generator = np.random.default_rng(4)
    item = np.arange(300).repeat(5)
    who = generator.integers(0, 40, item.size)
    truth = generator.integers(0, 3, 300)[item]
    right = generator.random(item.size) < np.linspace(0.5, 0.95, 40)[who]
    label = np.where(right, truth, generator.integers(0, 3, item.size))
    frame = pd.DataFrame(
        {
            "item": [f"photo {number}" for number in item],
            "annotator": [f"a{number}" for number in who],
            "label": np.array(LABELS_OF)[label],
            "second": np.arange(item.size) % 400,
        }
    )
    frame.loc[::97, "label"] = " fox "
    frame.loc[::89, "label"] = None
    frame.loc[::71, "annotator"] = ""
    again = frame.iloc[::50]
    return pd.concat([frame, again], ignore_index=True)


@pytest.fixture(scope="module", params=["parquet", "csv", "arrow", "folder"])
def source(request, answers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    match request.param:
        case "parquet":
            answers.to_parquet(folder / "a.parquet")
            return folder / "a.parquet"
        case "csv":
            answers.to_csv(folder / "a.csv", index=False)
            return folder / "a.csv"
        case "arrow":
            answers.to_feather(folder / "a.arrow", compression="uncompressed")
            return folder / "a.arrow"
    (folder / "parts").mkdir()
    for place, part in enumerate(np.array_split(np.arange(len(answers)), 3)):
        answers.iloc[part].to_parquet(folder / "parts" / f"{place}.parquet")
    return folder / "parts"


@pytest.fixture(scope="module")
def parquet(answers, tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "a.parquet"
    answers.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def shards(parquet, tmp_path_factory):
    return cs.shards.write(parquet, tmp_path_factory.mktemp("two") / "s", rows=250)


@pytest.fixture(scope="module")
def fitted(shards):
    return cs.shards.fit(shards, model="hierarchical_dawid_skene")


@pytest.fixture(scope="module")
def run(fitted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "run"
    fitted.save(folder)
    return folder


def of_all(fit, table):
    parts = [getattr(part, table)() for part in fit.parts()]
    keys = ["item", "label"] if table == "labels" else ["item"]
    whole = pd.concat(parts, ignore_index=True)
    return whole.astype(dict.fromkeys(keys, "str")).sort_values(keys)


def test_shards_hold_what_reading_in_memory_keeps(source, answers, tmp_path):
    made = cs.shards.write(source, tmp_path / "s", rows=250)
    whole = cs.read(answers)
    assert len(made) > 3
    assert made.num_items == whole.num_items
    assert list(made.labels) == whole.labels["label"].tolist()
    assert [*made.annotators] == [*whole.table["annotator"].cat.categories]
    one, other = made.cleaning, whole.cleaning
    assert (one.read, one.kept, one.answers) == (other.read, other.kept, other.answers)
    counts = {part.reason: part.count for part in one.dropped}
    assert counts == {part.reason: part.count for part in other.dropped}
    assert one.columns == other.columns
    kept = [note for note in other.notes if "in the order" not in note]
    assert sorted(one.notes) == sorted(kept)
    assert [each.partition(" ")[0] for each in made.assumptions] == [
        each.partition(" ")[0] for each in whole.assumptions
    ]
    keys = ["item", "annotator", "label"]
    rows = pd.concat([made.responses(at).table[keys] for at in range(len(made))])
    there = rows.astype("str").value_counts()
    given = whole.table.dropna(subset="label")[keys].astype("str").value_counts()
    pd.testing.assert_series_equal(there.sort_index(), given.sort_index())


# Sums of each kind: of tables by em and with a learned prior, of a mixture, of lists.
@pytest.mark.parametrize(
    ("model", "engine"),
    [
        ("dawid_skene", "em"),
        ("hierarchical_dawid_skene", "vb"),
        ("community_bcc", "vb"),
        ("structured", "vb"),
    ],
)
def test_a_fit_of_shards_is_that_in_memory(
    shards, parquet, probabilities, model, engine
):
    effort = cs.EngineOptions(restarts=1, draws=0)
    whole = cs.fit(parquet, model=model, engine=engine, effort=effort)
    fit = cs.shards.fit(shards, model=model, engine=engine)
    people = fit.annotators()
    expected = whole.annotators()[people.columns]
    pd.testing.assert_frame_equal(people, expected, rtol=1e-6)
    one, other = probabilities(fit.parts()), probabilities([whole])
    pd.testing.assert_series_equal(one, other, atol=1e-6)


def test_without_a_shard_the_result_is_another(shards, answers, monkeypatch):
    # The twin of the test above: it sees what is not summed.
    monkeypatch.setattr(Shards, "__len__", lambda self: len(self._shards) - 1)
    fit = cs.shards.fit(shards, model="dawid_skene", engine="em")
    effort = cs.EngineOptions(restarts=1)
    whole = cs.fit(answers, model="dawid_skene", engine="em", effort=effort)
    one, other = fit.annotators()["accuracy"], whole.annotators()["accuracy"]
    assert np.abs(one.to_numpy() - other.to_numpy()).max() > 1e-3


def test_shards_that_do_not_fit_in_memory_are_laid_out_each_time(shards, monkeypatch):
    kept = cs.shards.fit(shards, model="dawid_skene", engine="em").annotators()
    monkeypatch.setattr("consilience.inference.sharded.KEPT", 0)
    again = cs.shards.fit(shards, model="dawid_skene", engine="em").annotators()
    pd.testing.assert_frame_equal(kept, again, check_exact=True)


def test_a_run_has_all_items_and_labels_and_shows_the_first_shard(
    shards, fitted, tmp_path
):
    fit, reports = fitted, []
    fit.save(tmp_path / "run", progress=reports.append)
    assert reports[-1] == Progress("writing", len(shards), len(shards))
    read = {
        name: pyarrow.dataset.dataset(tmp_path / "run" / name).to_table().to_pandas()
        for name in (ITEMS, LABELS)
    }
    assert sorted(read[ITEMS]["item"].astype("str")) == sorted(
        of_all(fit, "items")["item"]
    )
    assert (read[LABELS]["probability"] >= LEAST).all()
    sums = read[LABELS].groupby("item", observed=True)["probability"].sum()
    assert sums.between(1 - 3 * LEAST, 1 + 1e-9).all()
    first = cs.load(tmp_path / "run")
    assert len(first.items()) == len(shards.items(0))
    named = [fit.study.space(at) for at in range(len(shards))]
    known = sum(space.n[space.identified[space.annotator]].sum() for space in named)
    assert first.annotators()["responses"].sum() == known
    assert "learned from all 300 items" in first.data.attrs["assumptions"]
    with pytest.raises(cs.errors.FolderExistsError):
        fit.save(tmp_path / "run")


def test_auto_mixes_models_that_are_compared_on_items_of_the_first_shard(tmp_path):
    made = cs.simulate(items=200, annotators=15, classes=3, per_item=5, seed=2)
    table = made.responses.table[["item", "annotator", "label"]].astype("str")
    table.to_parquet(tmp_path / "a.parquet")
    # One shard, so that the same items are compared as in memory.
    shards = cs.shards.write(tmp_path / "a.parquet", tmp_path / "s")
    effort = cs.EngineOptions(draws=200, tune=150, chains=2)
    fit = cs.shards.fit(shards)
    whole = cs.fit(table, effort=effort)
    first = fit.part(0)
    compared = first.comparison().set_index("model")
    expected = whole.comparison().set_index("model")
    assert set(compared.index) == set(expected.index)
    gap = compared["elpd"] - expected["elpd"].reindex(compared.index)
    assert gap.abs().max() < 0.01
    reason = first.data.attrs["engine_reason"]
    assert "on 200 items of the first shard; the truth is a mixture" in reason
    assert first.data.attrs["engine"] == "gibbs"
    assert "learned from a sample of the items" in first.data.attrs["assumptions"]
    bounds = first.annotators()[["lower", "accuracy", "upper"]].to_numpy()
    assert (np.diff(bounds, axis=1) > 0).all()
    one = first.labels().set_index(["item", "label"])["probability"]
    two = whole.labels().set_index(["item", "label"])["probability"]
    right = one.groupby("item", observed=True).idxmax()
    other = two.groupby("item", observed=True).idxmax()
    assert (right == other.reindex(right.index)).mean() > 0.95
    assert (one - two.reindex(one.index)).abs().mean() < 0.03
    with pytest.raises(OptionError, match="auto fits several models by vb"):
        cs.shards.fit(shards, engine="em")


def test_commands_read_fit_and_write(parquet, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["read", str(parquet), "--shards", "--shard-rows", "250", "--out", "s"])
    main(["fit", "s", "--model", "dawid_skene", "--engine", "em", "--out", "run"])
    said = " ".join(capsys.readouterr().out.split())
    assert "300 items" in said
    assert "all_items" in said
    assert (tmp_path / "run" / ITEMS).is_dir()
    assert not (tmp_path / "run.unfinished").exists()


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_damaged_shard_is_named(shards, tmp_path, harm):
    shutil.copytree(shards.folder, tmp_path / "s")
    file = sorted((tmp_path / "s").glob("0*.arrow"))[1]
    if harm == "missing":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(bytes(content))
    with pytest.raises(SourceError, match=rf"{file.name}: the shard is missing or"):
        cs.shards.fit(tmp_path / "s", model="dawid_skene", engine="em")


@pytest.mark.parametrize("text", ["", "labels = 3", "labels = ['a']"])
def test_a_damaged_account_is_named(shards, tmp_path, text):
    shutil.copytree(shards.folder, tmp_path / "s")
    (tmp_path / "s" / MARKER).write_text(text)
    with pytest.raises(SourceError, match="damaged"):
        Shards.load(tmp_path / "s")


def test_what_is_no_shard_or_no_source_is_refused(tmp_path, parquet):
    with pytest.raises(SourceError, match="holds no"):
        Shards.load(tmp_path)
    with pytest.raises(SourceError, match="expected files of one format"):
        cs.shards.write(tmp_path / "nowhere", tmp_path / "s")
    with pytest.raises(OptionError, match="rows is 0"):
        cs.shards.write(parquet, tmp_path / "s", rows=0)
    with pytest.raises(OptionError, match="split"):
        cs.shards.write(parquet, tmp_path / "s", split=",")
    assert not (tmp_path / "s").exists()


def test_a_fit_of_shards_that_is_cut_short_says_so(shards):
    fit = cs.shards.fit(shards, model="hierarchical_dawid_skene", max_seconds=1e-6)
    checks = fit.part(0).diagnostics().set_index("name")
    assert checks.loc["max_seconds", "outcome"] == "failed"


def test_a_fit_of_shards_goes_on_where_it_was_stopped(shards, tmp_path, monkeypatch):
    monkeypatch.setattr("consilience.continuing.SECONDS", -1.0)
    whole = cs.shards.fit(shards, model="dawid_skene", engine="em").annotators()
    ended = cs.shards.fit(
        shards, model="dawid_skene", engine="em", checkpoint=tmp_path / "c"
    )
    assert list((tmp_path / "c").rglob("*.npz"))
    again = cs.shards.fit(
        shards, model="dawid_skene", engine="em", checkpoint=tmp_path / "c"
    )
    for fit in (ended, again):
        pd.testing.assert_frame_equal(fit.annotators(), whole, check_exact=True)


def test_tables_of_all_items_are_read_as_far_as_asked(shards, fitted, run, tmp_path):
    tables = cs.shards.all_items(run)
    assert tables.items.count_rows() == 300
    assert tables.labels.schema.names == ["item", "label", "probability"]
    labels = of_all(fitted, "labels").set_index(["item", "label"])["probability"]
    names = ["photo 3", "photo 120", "nobody"]
    some = tables.labels_of(names, among=shards.labels)
    assert len(some) == 2 * len(shards.labels)
    there = labels.loc[pd.MultiIndex.from_frame(some[["item", "label"]])]
    assert np.abs(there.to_numpy() - some["probability"].to_numpy()).max() < LEAST
    assert len(tables.labels_of(["nobody"])) == 0
    with pytest.raises(SourceError, match="has no all_items"):
        cs.shards.all_items(tmp_path)


def test_tables_of_all_items_are_exported_to_one_file(fitted, run, tmp_path):
    out = tmp_path / "items.csv"
    main(["export", str(run), "--what", "all_items", "--out", str(out)])
    read = pd.read_csv(out)
    assert sorted(read["item"]) == sorted(of_all(fitted, "items")["item"])
    assert list(read.columns) == fitted.part(0).items().columns.tolist()


def test_gold_labels_of_all_shards_are_scored(shards, tmp_path, capsys):
    fit = cs.shards.fit(shards, model="dawid_skene", engine="em")
    fit.save(tmp_path / "run")
    names = [name for place in range(len(shards)) for name in shards.items(place)[:9]]
    pd.DataFrame({"item": names, "label": "fox"}).to_csv(tmp_path / "g.csv")
    words = ["score", str(tmp_path / "run"), "--gold", str(tmp_path / "g.csv")]
    main([*words, "--json"])
    scored = json.loads(capsys.readouterr().out)
    whole = pd.concat([part.labels() for part in fit.parts()], ignore_index=True)
    gold = pd.DataFrame({"item": names, "label": "fox"})
    other = cs.score(whole, gold, kind="choice").to_dict()
    assert scored["items"] == len(names) == other["items"]
    for name in ("accuracy", "log_loss", "brier"):
        one, two = scored["metrics"][name], other["metrics"][name]
        assert one["value"] == pytest.approx(two["value"], rel=0.02)


def test_shards_are_not_read_again(shards, capsys):
    with pytest.raises(SourceError, match="a folder of shards"):
        cs.read(shards.folder)
    with pytest.raises(OptionError, match=r"fitted by `shards\.fit`"):
        cs.fit(shards)
    with pytest.raises(SystemExit):
        main(["describe", str(shards.folder)])
    assert "a folder of shards" in " ".join(capsys.readouterr().err.split())
    fit = cs.shards.fit(str(shards.folder), model="dawid_skene", engine="em")
    assert fit.shards.num_items == shards.num_items
