import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading

import pandas as pd
import pytest

from consilience.classifiers.candidate_table import Candidates
from consilience.errors import CannotWriteError, FolderExistsError
from consilience.posterior._export import export, export_table
from consilience.responses import read, write
from consilience.whole_folder import (
    check_writable,
    clean_path,
    whole_file,
    whole_files,
    whole_folder,
)

posix = pytest.mark.skipif(os.name != "posix", reason="locks and limits are POSIX's")
FRAME = pd.DataFrame({"item": ["i", "i", "j"], "label": ["cat", "dog", "cat"]})


def always(_):
    return True


def content(folder):
    return sorted(path.name for path in folder.iterdir())


def test_until_it_is_whole_the_folder_is_absent(tmp_path):
    with whole_folder(tmp_path / "run") as partial:
        (partial / "one").touch()
        assert not (tmp_path / "run").exists()
        (partial / "two").touch()
    assert content(tmp_path) == ["run"]
    assert content(tmp_path / "run") == ["one", "two"]


def test_until_it_is_whole_the_former_folder_stands(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with whole_folder(tmp_path / "run", replaceable=always) as partial:
        (partial / "new").touch()
        assert content(tmp_path / "run") == ["old"]
    assert content(tmp_path / "run") == ["new"]
    assert content(tmp_path) == ["run"]


def test_a_replacement_that_cannot_be_moved_in_puts_the_former_back(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()
    with (
        pytest.raises(CannotWriteError),
        whole_folder(tmp_path / "run", replaceable=always) as partial,
    ):
        partial.rmdir()
    assert content(tmp_path / "run") == ["old"]
    assert content(tmp_path) == ["run"]


def test_a_folder_that_appears_meanwhile_is_left_alone(tmp_path):
    theirs = tmp_path / "elsewhere"
    theirs.mkdir()
    (theirs / "theirs").touch()
    with pytest.raises(FolderExistsError), whole_folder(tmp_path / "run"):
        shutil.copytree(theirs, tmp_path / "run")
    assert content(tmp_path / "run") == ["theirs"]
    assert content(tmp_path) == ["elsewhere", "run"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with whole_folder(tmp_path / "link", replaceable=always) as partial:
        (partial / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "run") == ["new"]
    assert content(tmp_path) == ["link", "run"]


def test_folders_above_are_made_and_removed_again_when_the_writing_fails(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        whole_folder(tmp_path / "a" / "b" / "run") as partial,
    ):
        (partial / "one").write_text(str(1 / 0))
    assert content(tmp_path) == []


def test_a_file_is_hidden_under_its_own_name_and_replaces_only_if_it_may(tmp_path):
    out = tmp_path / "table.csv"
    with whole_file(out, overwrite=False) as partial:
        assert partial.name == "table.csv"
        partial.write_text("first")
        assert not out.exists()
    with pytest.raises(FolderExistsError), whole_file(out, overwrite=False):
        pass
    with whole_file(out) as partial:
        partial.write_text("second")
    assert out.read_text() == "second"
    assert content(tmp_path) == ["table.csv"]


def test_of_two_that_write_one_file_the_slower_is_told(tmp_path):
    out = tmp_path / "table.csv"

    def write_slowly():
        with whole_file(out, overwrite=False) as partial:
            partial.write_text("slow")
            out.write_text("quick")

    with pytest.raises(FolderExistsError, match="already exists"):
        write_slowly()
    assert out.read_text() == "quick"


def test_files_join_others_when_all_have_been_written(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "other").write_text("stays")
    with whole_files(tmp_path) as partial:
        (partial / "one").write_text("new")
        (partial / "two").write_text("new")
        assert (tmp_path / "one").read_text() == "old"
    assert content(tmp_path) == ["one", "other", "two"]
    assert (tmp_path / "one").read_text() == "new"
    with pytest.raises(ZeroDivisionError), whole_files(tmp_path) as partial:
        (partial / "two").write_text(str(1 / 0))
    assert (tmp_path / "two").read_text() == "new"


@contextlib.contextmanager
def full_after(size):
    """Let no file grow beyond a size, as a disk would that has no more room."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def largest(place):
    files = [place] if place.is_file() else place.rglob("*")
    return max(file.stat().st_size for file in files)


def writers(fit):
    """Everything that writes, by name: each takes the place and whether to replace."""
    table = FRAME.assign(annotator=["a", "b", "a"])
    candidates = Candidates(FRAME, FRAME.assign(model="m", rank=1), {"policy": "union"})

    def exported(what, format):
        return lambda out, **more: export(fit, what, format, out, **more)

    return {
        "run": fit.save,
        "responses": lambda out, **more: write(read(table), out, **more),
        "candidates": candidates.save,
        "csv": exported(("labels", "items"), "csv"),
        "items.json": exported(("items",), "json"),
        "items.parquet": lambda out, **more: export_table(FRAME, out, **more),
    }


NAMES = tuple(writers(type("Fit", (), {"save": None})))


@posix
@pytest.mark.parametrize("name", NAMES)
def test_wherever_the_disk_is_full_one_error_says_so_and_all_is_as_before(
    choice_fit, tmp_path, name
):
    save, out = writers(choice_fit())[name], tmp_path / name
    save(out)
    size = largest(out)
    shutil.rmtree(out) if out.is_dir() else out.unlink()
    room = sorted({0, 1, size // 3, 2 * size // 3, size - 1})
    for bytes_free in room:
        with pytest.raises(CannotWriteError, match="free some"), full_after(bytes_free):
            save(out)
        assert content(tmp_path) == []
    save(out)
    before = largest(out)
    for bytes_free in room:
        with pytest.raises(CannotWriteError, match=f"{name}: "), full_after(bytes_free):
            save(out, overwrite=True)
    assert content(tmp_path) == [name]
    assert largest(out) == before


@posix
def test_a_file_is_written_whole_or_not_for_any_number_of_bytes_free(tmp_path):
    for bytes_free in range(50):
        with (
            contextlib.suppress(CannotWriteError),
            full_after(bytes_free),
            whole_file(tmp_path / "out") as partial,
        ):
            partial.write_bytes(bytes(40))
        assert (tmp_path / "out").exists() == (bytes_free >= 40)


@posix
def test_a_place_without_room_is_refused_before_any_work(tmp_path):
    with pytest.raises(CannotWriteError, match="free some space"), full_after(100):
        check_writable(tmp_path / "above" / "run")
    assert content(tmp_path) == []


@pytest.mark.parametrize("place", ["~nobody-of-this-name/run", "nul\0run"])
def test_a_path_that_cannot_be_is_refused(place, tmp_path):
    with pytest.raises(CannotWriteError, match="no path of this system"):
        check_writable(tmp_path / "x" if not place else type(tmp_path)(place))


# Replaces a folder in a process that is killed at its n-th call of the system about
# files, for every n; then says what was there, and what after the next tidying up.
KILLED = """
import json, os, shutil, sys
from pathlib import Path
from consilience.whole_folder import clean_path, whole_folder

place, how = Path(sys.argv[1]) / "run", sys.argv[2]
steps = 0

def replace():
    if how == "whole":
        with whole_folder(place, replaceable=lambda _: True) as partial:
            (partial / "one").write_text("new")
            (partial / "two").write_text("new")
        return
    shutil.rmtree(place)
    place.mkdir()
    (place / "one").write_text("new")
    (place / "two").write_text("new")

def state():
    files = sorted(place.glob("*")) if place.exists() else []
    return [file.name + " " + file.read_text() for file in files]

def count(event, _):
    global steps
    if event.startswith("os.") or event in ("open", "shutil.rmtree", "fcntl.flock"):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), 9)

found = []
for last in range(1, 200):
    shutil.rmtree(place.parent)
    place.mkdir(parents=True)
    (place / "one").write_text("old")
    (place / "two").write_text("old")
    child = os.fork()
    if not child:
        sys.addaudithook(count)
        replace()
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    at_once = state()
    clean_path(place)
    found.append((at_once, state(), sorted(os.listdir(place.parent))))
print(json.dumps(found))
"""
OLD, NEW = ["one old", "two old"], ["one new", "two new"]


def killed(folder, how):
    """What a replacement leaves that is killed at each of its steps."""
    command = [sys.executable, "-c", KILLED, str(folder), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@posix
def test_wherever_a_replacement_is_killed_the_old_or_the_new_is_whole(tmp_path):
    result = killed(tmp_path, "whole")
    assert 10 < len(result) < 199
    for at_once, afterwards, left in result:
        assert at_once in (OLD, NEW, [])
        assert afterwards in (OLD, NEW)
        assert left == ["run"]
    assert {tuple(state) for _, state, _ in result} == {tuple(OLD), tuple(NEW)}


@posix
def test_without_it_a_kill_loses_both(tmp_path):
    result = killed(tmp_path, "bare")
    assert any(state not in (OLD, NEW) for _, state, _ in result)


@posix
def test_what_a_living_process_writes_is_no_leftover(tmp_path):
    place = tmp_path / "run"
    with whole_folder(place) as partial:
        (partial / "one").touch()
        seen = []
        other = threading.Thread(target=lambda: seen.append(clean_path(place)))
        other.start()
        other.join()
        assert seen == [place]
        command = "import sys; from pathlib import Path; from consilience import"
        command += " whole_folder; whole_folder.clean_path(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", command, str(place)], check=True)
        assert (partial / "one").exists()
    assert content(tmp_path) == ["run"]


@posix
@pytest.mark.parametrize("there", [True, False])
def test_leftovers_of_a_dead_process_are_removed_and_what_was_there_put_back(
    tmp_path, there
):
    for name in (".run.0123abcd.partial", ".run.89abcdef.former", ".running.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
    if there:
        (tmp_path / "run").mkdir()
    with pytest.raises(FolderExistsError), whole_folder(tmp_path / "run"):
        pass
    assert content(tmp_path) == [".running.partial", "run"]
    assert content(tmp_path / "run") == ([] if there else ["old"])
