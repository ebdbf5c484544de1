import base64
import hashlib
import re
from pathlib import Path

import pytest

from consilience.errors import CannotWriteError, FolderExistsError, MissingExtraError
from consilience.report import check_installed, installed, page, write
from consilience.whole_folder import whole_file


@pytest.fixture(scope="module")
def text(report):
    return page(report)


def hashes(content, tag):
    result = re.findall(rf"<{tag}>(.*?)</{tag}>", content, flags=re.DOTALL)
    digests = [hashlib.sha256(each.encode()).digest() for each in result]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def test_the_policy_allows_the_files_own_scripts_and_style_and_no_request(text):
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', text)[1]
    policy = policy.replace("&#39;", "'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == hashes(text, "script")
    assert rules["style-src"].split() == hashes(text, "style")
    assert rules["img-src"] == "data:"
    assert "connect-src" not in rules
    assert "unsafe" not in policy


def test_no_label_is_markup(text, hostile):
    for label in hostile[:2]:
        assert label not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<b>annotator" not in text
    assert "<i>item" not in text
    assert "{{ 7 * 7 }}" in text  # no template of a label is filled in


def test_nothing_is_styled_inline_for_the_policy_would_drop_it(text):
    assert not re.search(r"<[^>]* style=", text)
    assert not re.search(r"<[^>]* on[a-z]+=", text)


def test_nothing_is_linked_but_sections(text):
    assert set(re.findall(r'href="(.)', text)) == {"#"}
    assert not re.search(r'<[^>]* src="', text)


def test_the_same_report_is_the_same_page(report, text):
    assert page(report) == text


def test_a_report_is_replaced_only_when_asked(report, tmp_path):
    out = tmp_path / "new" / "report.html"
    size = write(report, out)
    assert out.stat().st_size == size
    with pytest.raises(FolderExistsError, match="`overwrite=True`"):
        write(report, out)
    write(report, out, overwrite=True)
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]


def test_what_is_no_report_is_never_replaced(report, tmp_path):
    out = tmp_path / "thesis.html"
    out.write_text("<!doctype html>my thesis")
    with pytest.raises(FolderExistsError, match="not a report"):
        write(report, out, overwrite=True)
    assert out.read_text() == "<!doctype html>my thesis"


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path, monkeypatch):
    out = tmp_path / "file.html"
    out.write_text("before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with (
        pytest.raises(CannotWriteError, match="No space left"),
        whole_file(out) as partial,
    ):
        partial.write_bytes(b"after")
    assert out.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_extra_that_is_missing_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    assert not installed.can_draw()
    with pytest.raises(MissingExtraError, match=r"consilience\[report\]"):
        check_installed()
