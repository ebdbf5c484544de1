"""Shards on workers of Dask: the same results, whatever befalls a worker."""

import filecmp
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import consilience as cs
from consilience import executors
from consilience.annotators import load
from consilience.cli import main
from consilience.errors import ClusterError, OptionError, UnavailableError
from consilience.executors import (
    FAN,
    Sum,
    Threads,
    add,
    addresses_of,
    check_workers,
    client_of,
)
from consilience.fitting.sharded_study import ShardedStudy
from consilience.inference.engines import gibbs
from consilience.inference.given_population import draw_given_population
from consilience.inference.sharded import ShardedModel
from consilience.posterior import ITEMS, LABELS
from consilience.progress import silent
from consilience.shards import MARKER, Shards


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    made = cs.simulate(items=300, annotators=30, classes=3, per_item=5, seed=3)
    path = tmp_path_factory.mktemp("source") / "a.parquet"
    made.responses.table[["item", "annotator", "label"]].to_parquet(path)
    return path


@pytest.fixture(scope="module")
def shards(source, tmp_path_factory):
    return cs.write_shards(source, tmp_path_factory.mktemp("s") / "s", rows=130)


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def same_files(one, other):
    names = [file.name for file in one.glob("*.parquet")]
    assert len(names) > 1
    return filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


@pytest.mark.parametrize(
    ("model", "engine", "draws"),
    [("dawid_skene", "em", 0), ("hierarchical_dawid_skene", "vb", 5)],
)
def test_workers_give_the_same_to_the_last_digit(
    shards, client, tmp_path, model, engine, draws
):
    how = {"model": model, "engine": engine, "effort": cs.EngineOptions(draws=draws)}
    here = cs.fit_shards(shards, **how)
    there = cs.fit_shards(shards, on=client, **how)
    pd.testing.assert_frame_equal(
        here.annotators(), there.annotators(), check_exact=True
    )
    here.save(tmp_path / "here")
    there.save(tmp_path / "there")
    for name in (ITEMS, LABELS):
        assert same_files(tmp_path / "here" / name, tmp_path / "there" / name)


def test_workers_draw_given_a_population_to_the_last_digit(shards, client):
    study = ShardedStudy.read(shards)
    model, effort = load("correlated_dawid_skene"), gibbs.Options(tune=10, draws=12)
    learned = gibbs.fit(model, study.space(0), 0, effort).parameters
    args = model, study.space, len(shards), learned, 1, silent
    here, there = draw_given_population(*args), draw_given_population(*args, client)
    for name, value in here.items():
        assert np.array_equal(value, there[name]), name


def test_workers_climb_along_the_gradient_to_the_same(client, tmp_path):
    made = cs.simulate(items=80, annotators=9, classes=2, per_item=4, seed=1)
    table = made.responses.table[["item", "annotator", "label"]].astype("str")
    asked = table.assign(answer=np.where(table["label"] == "class1", "yes", "no"))
    asked.assign(label="bird").to_parquet(tmp_path / "a.parquet")
    shards = cs.write_shards(tmp_path / "a.parquet", tmp_path / "s", rows=170)
    how = {"model": "contains", "effort": cs.EngineOptions(sweeps=5)}
    here, there = cs.fit_shards(shards, **how), cs.fit_shards(shards, on=client, **how)
    assert len(shards) == 2
    pd.testing.assert_frame_equal(here.annotators(), there.annotators())
    there.save(tmp_path / "run")
    assert cs.all_items(tmp_path / "run").items.count_rows() == 80


def test_workers_read_the_same_shards(source, shards, client, tmp_path):
    made = cs.write_shards(source, tmp_path / "s", rows=130, on=client)
    names = [file.name for file in shards.folder.iterdir()]
    same, _, _ = filecmp.cmpfiles(shards.folder, made.folder, names, shallow=False)
    assert sorted(same) == sorted(names)


@pytest.mark.parametrize("number", [1, 2, FAN, FAN + 1, FAN**2, FAN**2 + FAN + 3])
def test_sums_are_added_up_in_one_order_only(number):
    generator = np.random.default_rng(number)
    values = generator.lognormal(0, 9, number)
    level = [Sum(float(value), {"a": np.full(2, value)}) for value in values]
    before = [each.arrays["a"].copy() for each in level]
    calls = Threads(level.__getitem__, number)
    total = calls.added(lambda part, _: part)
    np.testing.assert_array_equal(before, [each.arrays["a"] for each in level])
    while len(level) > 1:
        level = [add(level[first : first + FAN]) for first in range(0, len(level), FAN)]
    assert total.value == level[0].value
    np.testing.assert_array_equal(total.arrays["a"], level[0].arrays["a"])


def test_another_order_gives_other_digits():
    # The twin of the test above.
    values = np.random.default_rng(0).lognormal(0, 9, FAN**2 + FAN + 3)
    parts = [Sum(float(value), {}) for value in values]
    calls = Threads(parts.__getitem__, len(parts))
    assert calls.added(lambda part, _: part).value != add(parts).value


def losing(monkeypatch, at, harm):
    """Do harm before one of the sweeps."""
    sweep, done = ShardedModel.sweep, []

    def harmed(self, logs):
        done.append(1)
        if len(done) == at:
            harm()
        return sweep(self, logs)

    monkeypatch.setattr(ShardedModel, "sweep", harmed)


@pytest.mark.parametrize("at", [1, 4])
def test_a_worker_that_is_killed_changes_nothing(shards, client, monkeypatch, at):
    here = cs.fit_shards(shards, model="dawid_skene", engine="em").annotators()
    client.wait_for_workers(2)
    before = set(client.run(os.getpid).values())

    def kill():
        os.kill(min(before), signal.SIGKILL)

    losing(monkeypatch, at, kill)
    there = cs.fit_shards(shards, model="dawid_skene", engine="em", on=client)
    pd.testing.assert_frame_equal(here, there.annotators(), check_exact=True)
    client.wait_for_workers(2)
    assert set(client.run(os.getpid).values()) != before


def test_a_fit_goes_on_after_its_scheduler_is_lost(shards, monkeypatch, tmp_path):
    monkeypatch.setattr("consilience.continuing.SECONDS", -1.0)
    how = {"model": "dawid_skene", "engine": "em", "checkpoint": tmp_path / "c"}
    counted, sweep = [], ShardedModel.sweep
    monkeypatch.setattr(
        ShardedModel, "sweep", lambda self, logs: counted.append(1) or sweep(self, logs)
    )
    whole = cs.fit_shards(shards, model="dawid_skene", engine="em").annotators()
    number = len(counted)
    with monkeypatch.context() as patched, client_of(None, 1) as mine:
        losing(patched, 5, mine.cluster.close)
        with pytest.raises(ClusterError, match="scheduler of Dask is lost"):
            cs.fit_shards(shards, on=mine, **how)
    counted.clear()
    again = cs.fit_shards(shards, **how).annotators()
    assert len(counted) < number
    pd.testing.assert_frame_equal(whole, again, check_exact=True)


def test_workers_of_other_versions_are_named(client, shards, monkeypatch):
    there = version("numpy")
    monkeypatch.setattr(executors, "version", lambda _: "1.0")
    with pytest.raises(ClusterError, match=rf"numpy {there} \(here 1.0\)"):
        cs.fit_shards(shards, model="dawid_skene", engine="em", on=client)


def test_workers_without_this_package_are_named(client, shards, monkeypatch):
    lacking = ModuleNotFoundError("No module named 'consilience'")
    monkeypatch.setattr(client, "run", lambda *_, **__: {"tcp://a": lacking})
    with pytest.raises(ClusterError, match=r"tcp://a: ModuleNotFoundError.*install"):
        check_workers(client, shards.folder / MARKER)


def test_a_worker_that_is_lost_while_all_are_asked_is_no_error(
    client, shards, monkeypatch
):
    there = {
        "tcp://a": OSError("lost"),
        "tcp://b": executors._about(str(shards.folder)),
    }
    monkeypatch.setattr(client, "run", lambda *_, **__: there)
    with pytest.raises(ClusterError, match="tcp://b does not find"):
        check_workers(client, shards.folder)
    there["tcp://b"] = executors._about(str(shards.folder / MARKER))
    check_workers(client, shards.folder / MARKER)


def test_a_scheduler_that_is_lost_before_any_work_is_named():
    with client_of(None, 1) as mine:
        assert len(addresses_of(mine)) == 1
        mine.cluster.close()
        with pytest.raises(ClusterError, match="scheduler of Dask is lost"):
            addresses_of(mine)


def test_workers_that_do_not_see_the_shards_are_named(client, tmp_path):
    with pytest.raises(ClusterError, match=r"does not find .*nowhere"):
        check_workers(client, tmp_path / "nowhere")


def test_a_cluster_without_workers_is_named(monkeypatch, shards):
    monkeypatch.setattr(executors, "CONNECT", 0.2)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
        pytest.raises(ClusterError, match="no workers"),
    ):
        cs.fit_shards(shards, model="dawid_skene", engine="em", on=client)


def test_a_scheduler_that_does_not_answer_is_named(
    shards, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(executors, "CONNECT", 0.3)
    words = ["--on", "tcp://127.0.0.1:9", "--out", str(tmp_path / "run")]
    with pytest.raises(SystemExit):
        main(["fit", str(shards.folder), *words])
    assert "no scheduler of Dask answers there" in capsys.readouterr().err


def test_commands_start_workers_and_say_where_they_are_seen(
    source, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    rows = ["--shards", "--shard-rows", "400", "--workers", "2"]
    main(["read", str(source), *rows, "--out", "s"])
    model = ["--model", "hierarchical_dawid_skene"]
    main(["fit", "s", *model, "--workers", "2", "--out", "run"])
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("2 workers of Dask; dashboard http://127.0.0.1:") == 2
    assert len(Shards.load(tmp_path / "s")) > 2
    assert (tmp_path / "run" / ITEMS).is_dir()


@pytest.mark.parametrize(
    ("on", "workers", "why"),
    [("tcp://a:1", 2, "give one of them"), (None, 0, "workers is 0")],
)
def test_workers_that_make_no_sense_are_refused(on, workers, why):
    with pytest.raises(OptionError, match=why), client_of(on, workers):
        pass


def test_workers_without_shards_are_refused(source, tmp_path, capsys):
    for words in (["fit", str(source)], ["read", str(source)]):
        with pytest.raises(SystemExit):
            main([*words, "--workers", "2", "--out", str(tmp_path / "run")])
        assert "workers of Dask read and fit shards" in " ".join(
            capsys.readouterr().err.split()
        )


def test_without_dask_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UnavailableError, match=r"consilience\[dask\]"),
        client_of(None, 2),
    ):
        pass


def test_dask_is_not_imported_without_a_cluster(shards):
    code = (
        "import sys, consilience as cs\n"
        "from consilience.shards import Shards\n"
        f"shards = Shards.load({str(shards.folder)!r})\n"
        "cs.fit_shards(shards, model='hierarchical_dawid_skene').annotators()\n"
        "print('distributed' in sys.modules, 'fsspec' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "False"]


def test_a_run_is_saved_beside_an_open_client(client, source, tmp_path):
    # xarray would ask the cluster for a lock that it does not know.
    del client
    fit = cs.fit(source, model="dawid_skene", engine="em")
    fit.save(tmp_path / "run")
    assert len(cs.load(tmp_path / "run").items()) == 300


def test_an_interrupt_ends_the_workers_without_a_word_of_theirs(shards, tmp_path):
    how = ["--model", "hierarchical_dawid_skene", "--draws", "100000"]
    how += ["--workers", "2", "--out", str(tmp_path / "run")]
    command = [sys.executable, "-m", "consilience", "fit", str(shards.folder), *how]
    # Where tests run in the background, interrupts are ignored, and by what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    signal.signal(signal.SIGINT, before)
    printed = (
        process.stdout.readline() + process.stdout.readline()
    )  # the workers are there
    time.sleep(0.3)  # they import what a fit needs
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    rest, error = process.communicate(timeout=60)
    assert b"2 workers of Dask" in printed + rest
    assert process.returncode == 130
    assert b"Traceback" not in error
    assert not (tmp_path / "run").exists()
