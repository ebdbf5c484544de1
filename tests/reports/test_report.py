"""The report as a function: the file of the command, from fits in memory."""

import pytest

import consilience as cs
from consilience import reports
from consilience.demo import study
from consilience.errors import FolderExistsError
from consilience.progress import Progress


@pytest.fixture(scope="module")
def fitted():
    responses = cs.read(study(0, num_photos=12).answers, item="photo", label="animal")
    return responses, cs.fit(responses, model="bayesian_dawid_skene", engine="vb")


def test_a_report_is_what_gather_and_write_make(fitted, tmp_path):
    _, fit = fitted
    file = cs.report(fit, tmp_path / "one.html", bootstrap=0)
    contents = reports.gather({"bayesian_dawid_skene": fit}, bootstrap=0)
    reports.write(contents, tmp_path / "two.html")
    assert file.read_bytes() == (tmp_path / "two.html").read_bytes()
    other = cs.report(fit, tmp_path / "three.html", bootstrap=0, title="Another")
    assert other.read_bytes() != file.read_bytes()
    with pytest.raises(FolderExistsError):
        cs.report(fit, file)


def test_intervals_have_the_probability_asked_for_and_progress_is_reported(
    fitted, tmp_path
):
    responses, fit = fitted
    steps: list[Progress] = []
    cs.report(
        {"mine": fit},
        tmp_path / "report.html",
        responses=responses,
        bootstrap=0,
        prob=0.5,
        progress=steps.append,
    )
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "50%, equal-tailed" in page
    assert "90%, equal-tailed" not in page
    assert {step.phase for step in steps} == {"working out"}
