import base64
import hashlib
import re
from dataclasses import replace

import pytest

import consilience as cs
from consilience import reports
from consilience.demo import study
from consilience.errors import CannotWriteError, FolderExistsError, OptionError
from consilience.reports import page, write
from consilience.reports.pictures import check_folder


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


def test_nothing_is_styled_inline_or_linked_but_sections(report, text):
    assert not re.search(r"<[^>]* style=", text)  # the policy would drop it
    assert not re.search(r"<[^>]* on[a-z]+=", text)
    assert set(re.findall(r'href="(.)', text)) == {"#"}
    assert not re.search(r'<[^>]* src="', text)
    assert page(report) == text


def test_a_report_is_replaced_only_when_asked(report, tmp_path):
    out = tmp_path / "new" / "report.html"
    size = write(report, out)
    assert out.stat().st_size == size
    with pytest.raises(FolderExistsError, match="`overwrite=True`"):
        write(report, out)
    write(report, out, overwrite=True)
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    out.write_text("<!doctype html>my thesis")
    with pytest.raises(FolderExistsError, match="not a report"):
        write(report, out, overwrite=True)
    assert out.read_text() == "<!doctype html>my thesis"


@pytest.fixture(scope="module")
def pictured(report):
    """A report whose second and fourth item have what stands for a picture."""
    items = report.runs[0].table("items")["item"].astype(str)
    return replace(report, pictures={items[1]: b"second", items[3]: b"fourth"})


def test_embedded_pictures_stand_at_the_end_by_the_place_of_their_item(pictured):
    content = page(pictured)
    result = re.findall(r'id="picture-(\d+)">(.*?)</script>', content)
    assert {int(at): base64.b64decode(text) for at, text in result} == {
        1: b"second",
        3: b"fourth",
    }
    assert content.index("picture-1") > content.rindex("<script>")


def test_linked_pictures_are_files_whose_names_are_not_data(pictured, tmp_path):
    out = tmp_path / "new" / "report.html"
    size = write(pictured, out, pictures="linked")
    assert size == out.stat().st_size
    content = out.read_text()
    assert "img-src &#39;self&#39;;" in content
    assert "data:" not in re.search(r'Policy" content="(.*?)"', content)[1]
    assert 'id="picture-' not in content
    folder = out.with_name("report_files")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["000001.jpg", "000003.jpg", "consilience-report.txt"]
    assert (folder / "000003.jpg").read_bytes() == b"fourth"
    written = sorted(path.name for path in out.parent.iterdir())
    assert written == ["report.html", "report_files"]


def test_a_folder_of_pictures_is_replaced_only_when_asked_and_ours(pictured, tmp_path):
    out, folder = tmp_path / "report.html", tmp_path / "report_files"
    write(pictured, out, pictures="linked")
    out.unlink()
    with pytest.raises(FolderExistsError, match="`overwrite=True`"):
        write(pictured, out, pictures="linked")
    (folder / "000009.jpg").write_bytes(b"of an earlier report")
    write(pictured, out, pictures="linked", overwrite=True)
    assert not (folder / "000009.jpg").exists()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(FolderExistsError, match="more than pictures"):
        write(pictured, out, pictures="linked", overwrite=True)
    assert (folder / "thesis.txt").read_text() == "mine"
    write(pictured, out, overwrite=True)  # embedded: the folder does not matter
    other = tmp_path / "other_files"
    other.mkdir()
    with pytest.raises(FolderExistsError, match="more than pictures"):
        write(pictured, tmp_path / "other.html", pictures="linked", overwrite=True)


def test_linked_pictures_are_written_whole_or_not_at_all(report, pictured, tmp_path):
    out = tmp_path / "report.html"
    write(pictured, out, pictures="linked")

    def there():
        files = tmp_path.rglob("*.*")
        return {path: path.read_bytes() for path in files if path.is_file()}

    before = there()

    class Broken(dict):
        """Pictures of which the last cannot be read."""

        def __getitem__(self, item):
            if item == list(self)[-1]:
                raise OSError(28, "No space left on device")
            return super().__getitem__(item)

    broken = replace(report, pictures=Broken(pictured.pictures))
    for placing in ("linked", "embedded"):
        with pytest.raises(CannotWriteError, match="No space left"):
            write(broken, out, pictures=placing, overwrite=True)
        assert there() == before
    with pytest.raises(CannotWriteError):
        write(broken, tmp_path / "new.html", pictures="linked")
    assert there() == before
    with pytest.raises(OptionError, match="'embedded' or 'linked'"):
        check_folder(out, "beside", overwrite=True)


@pytest.fixture(scope="module")
def fitted():
    responses = cs.read(study(0, num_photos=12).answers, item="photo", label="animal")
    return responses, cs.fit(responses, model="bayesian_dawid_skene", engine="vb")


def test_a_report_is_what_gather_and_write_make(fitted, tmp_path):
    _, fit = fitted
    file = cs.report(fit, tmp_path / "one.html", resamples=0)
    contents = reports.gather({"bayesian_dawid_skene": fit}, resamples=0)
    reports.write(contents, tmp_path / "two.html")
    assert file.read_bytes() == (tmp_path / "two.html").read_bytes()
    other = cs.report(fit, tmp_path / "three.html", resamples=0, title="Another")
    assert other.read_bytes() != file.read_bytes()
    with pytest.raises(FolderExistsError):
        cs.report(fit, file)


def test_intervals_have_the_probability_asked_for_and_progress_is_reported(
    fitted, tmp_path
):
    responses, fit = fitted
    steps = []
    how = {"responses": responses, "resamples": 0, "prob": 0.5}
    out = cs.report({"mine": fit}, tmp_path / "a.html", progress=steps.append, **how)
    text = out.read_text("utf-8")
    assert "50%, equal-tailed" in text
    assert "90%, equal-tailed" not in text
    assert {step.phase for step in steps} == {"working out"}


def test_sentences_of_a_page_have_no_marks_of_code(mixture, tmp_path):
    remedies = " ".join(mixture.diagnostics()["remedy"])
    assert "`restarts=" in remedies
    out = cs.report(mixture, tmp_path / "page.html", resamples=0)
    shown = re.sub(
        r"<(script|style).*?</\1>", "", out.read_text("utf-8"), flags=re.DOTALL
    )
    assert shown.count("restarts=") >= 2  # of the table of checks, and of the cautions
    assert "`" not in shown


def test_the_page_of_a_mixture_has_the_probability_asked_for(mixture, tmp_path):
    out = tmp_path / "page.html"
    content = cs.report(mixture, out, prob=0.8, resamples=0).read_text("utf-8")
    assert "80%, equal-tailed" in content
    assert "80% intervals" in content
    of_answers = r'<section[^>]* id="agreement".*?</section>'
    rest, removed = re.subn(of_answers, "", content, flags=re.DOTALL)
    assert removed == 1
    assert "90%" not in rest
