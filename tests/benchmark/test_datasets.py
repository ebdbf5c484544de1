import pytest

from consilience.benchmark.datasets import find, load, load_all
from consilience.errors import DataError, KindError, OptionError
from consilience.responses import ReadOptions


def test_a_folder_of_sets_and_a_set_itself_are_found(crowd):
    assert [one.name for one in find([crowd])] == ["first", "second"]
    assert [one.name for one in find([crowd / "second", crowd])] == ["second", "first"]


def test_the_fingerprint_follows_the_answers(tmp_path, first, labels, write_set):
    changed = labels.replace("4,b,dog", "4,b,cat")
    other = write_set(tmp_path / "other", labels=changed)
    same = write_set(tmp_path / "same")
    assert load(other, ReadOptions()).fingerprint != first.fingerprint
    assert load(same, ReadOptions()).fingerprint == first.fingerprint


def test_a_set_without_gold_is_left_out_with_a_word(crowd):
    (crowd / "second" / "truth.csv").unlink()
    said = []
    sets = load_all(find([crowd]), ReadOptions(), None, said.append)
    assert [one.name for one in sets] == ["first"]
    (sentence,) = said
    assert "no gold" in sentence
    with pytest.raises(DataError, match="no gold to compare"):
        load_all([crowd / "second"], ReadOptions(), None, said.append)


def test_two_sets_of_one_name_are_refused(crowd, tmp_path, write_set):
    write_set(tmp_path / "more" / "first")
    with pytest.raises(OptionError, match="two data sets have the same name"):
        find([crowd, tmp_path / "more"])


def test_answers_of_another_kind_are_refused(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    rows = "task,worker,label,answer\n1,a,cat,yes\n1,b,cat,no\n"
    (folder / "labels.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(KindError, match="only choice"):
        load(folder, ReadOptions())
