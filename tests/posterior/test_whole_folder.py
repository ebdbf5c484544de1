import shutil

import pytest

from consilience.errors import CannotWriteError, FolderExistsError
from consilience.whole_folder import whole_folder


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
    with pytest.raises(CannotWriteError), whole_folder(tmp_path / "run"):
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


def test_a_file_in_the_place_is_refused(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(FolderExistsError), whole_folder(tmp_path / "run"):
        pass
    assert content(tmp_path) == ["run"]
