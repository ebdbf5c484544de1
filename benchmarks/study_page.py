"""Every figure of the public study with twelve models, and the page as it is opened.

The command is run in a new process, as a person would run it; the figures are made
again in another, to time each alone. The page is then opened in a new browser, and
every interaction is tried by keyboard.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TITLE = "The figures of the ImageNet multi-label study"
NEEDS = ("imagenet-multilabel", "imagenetv2", "reassessed-imagenet")
MODULE = "benchmarks.study_page"

# Key that is pressed, where, and an expression that is true if it did its work.
INTERACTIONS = (
    ("read the marks of a chart", "#figure-main-label .chart", ("ArrowRight",),
     "document.querySelector('#figure-main-label .read-out').textContent !== ''"),
    ("choose the threshold of valid labels", "#figure-valid-labels input",
     ("ArrowRight",),
     "document.querySelector('#figure-valid-labels output').textContent === '0.6'"),
    ("show one model in all figures", ".models button", ("Enter",),
     "document.querySelectorAll('.faint').length > 50"),
    ("zoom into the confusion of a superclass", "#heat canvas", ("Enter",),
     "document.querySelector('#heat-place').textContent.includes('called')"),
    ("go from a cell of two classes to its images", "#heat canvas", ("Enter",),
     "location.hash.startsWith('#items?class=')"),
    ("inspect an image: answers and partition", "#items-list", ("End", "Enter"),
     "document.querySelectorAll('#items-detail table').length > 0"),
    ("open images of a pair that people confuse",
     "#figure-confused-labels td a", ("Enter",),
     "location.hash.includes('pair=') && location.hash.includes('with=')"),
    ("sort a table", "#figure-disagreement th button", ("Enter",),
     "document.querySelector('#figure-disagreement [aria-sort=ascending]') !== null"),
)  # fmt: skip

NOTES = (
    (
        "ours: the finding of each figure, as the page says it; intervals of 90 %. "
        "published: values of the study, stated by its authors or counted in their "
        "released aggregates, beside ours of the same row. Seconds: CPU seconds of "
        "the figure alone, what several of them need with the first; drawing: as SVG "
        "and PNG, all frames."
    ),
    (
        "Command: `consilience study run --responses imagenet-multilabel "
        "--predictions imagenetv2 --contains reassessed-imagenet --out study`, in a "
        "new process, the fit of `objects` and the responses being there."
    ),
    (
        "The study's own yes-or-no answers and predictions are not public: others "
        "stand in for them (see the study, reproduced)."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Make the study and open it."""
    del repeats
    data = public_data(*NEEDS, quick=quick)
    if data is None:
        return not_run(TITLE)
    with tempfile.TemporaryDirectory() as folder:
        place = {"data": str(data), "folder": folder}
        alone((MODULE, "fitted", place))
        command = _command(data, Path(folder))
        each = alone((MODULE, "figures", place))
        page = alone((MODULE, "opened", {"path": f"{folder}/study/index.html"}))
    rows = [{"figure": name, **figure} for name, figure in each["figures"].items()]
    whole = {
        "seconds of the command": command["seconds"],
        "CPU seconds": command["cpu_seconds"],
        "peak MiB": command["peak_mib"],
        "MB of the page": command["megabytes"],
        "MB of tables and pictures": command["rest"],
        "first paint, ms": page.get("paint"),
        "usable, ms": page.get("usable"),
    }
    tried = [
        {"interaction, by keyboard": name, "worked": worked, "ms": ms}
        for name, worked, ms in page.get("tried", [])
    ]
    more = {"The command and its page": [whole]}
    if tried:
        more["Interactions"] = tried
    browser = page.get("browser", "none")
    return Report(TITLE, rows, (*NOTES, f"Browser: {browser}."), more=more)


def fitted(*, data: str, folder: str) -> Figures:
    """Fit the study and keep what the command needs."""
    import consilience as cs

    responses = cs.read(f"{data}/imagenet-multilabel")
    cs.write(responses, f"{folder}/responses")
    cs.fit(responses, model="objects", seed=0).save(f"{folder}/run")
    return {}


def _command(data: Path, folder: Path) -> Figures:
    import resource

    words = [sys.executable, "-m", "consilience", "study", str(folder / "run")]
    words += ["--responses", str(folder / "responses")]
    words += ["--predictions", str(data / "imagenetv2")]
    words += ["--contains", str(data / "reassessed-imagenet")]
    words += ["--out", str(folder / "study")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(words, check=True, capture_output=True)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = (folder / "study" / "index.html").stat().st_size
    files = [file for file in (folder / "study").rglob("*") if file.is_file()]
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime
        - before.ru_utime
        + after.ru_stime
        - before.ru_stime,
        "peak_mib": after.ru_maxrss / 1024,
        "megabytes": size / 1e6,
        "rest": (sum(file.stat().st_size for file in files) - size) / 1e6,
    }


def figures(*, data: str, folder: str) -> dict:
    """Make and draw each figure alone."""
    from pathlib import Path

    import consilience as cs
    from consilience.cli.commands.study import StudyOptions, make_study
    from consilience.tables.vega import alone as by_itself
    from consilience.tables.vega import png

    options = StudyOptions(
        predictions=(Path(data, "imagenetv2"),),
        contains=Path(data, "reassessed-imagenet"),
    )
    responses = cs.read(f"{folder}/responses")
    study = make_study(cs.load(f"{folder}/run"), responses, options, None)
    made: dict[str, dict] = {}
    clock = time.process_time()
    names = study.make()
    name = next(names, None)
    while name is not None:
        following = next(names, None)
        made[name] = {"seconds": round(time.process_time() - clock, 2)}
        clock, name = time.process_time(), following
    result = {}
    for name, figure in study.figures.items():
        drawing = Clock()
        with drawing.timed():
            for one in study.drawings(name).values():
                png(by_itself(one))
        result[name] = {
            "seconds": made[name]["seconds"],
            "drawing, seconds": round(drawing.figures["cpu_seconds"], 2),
            "ours": figure.finding,
            "published": _published(figure.table),
        }
    for name, why in study.left_out.items():
        result[name] = {"ours": f"not drawn: {why}"}
    return {"figures": result}


def _published(table) -> str:
    if "published" not in table:
        return ""
    known = table.dropna(subset="published")
    keys = [
        c for c in table if table[c].dtype == object or str(table[c].dtype) == "str"
    ]
    keys = [c for c in keys if c != "source"]
    return "; ".join(
        f"{' '.join(str(row[key]) for key in keys)} {row['published']:g} "
        f"(ours {row['value']:.3f})"
        for _, row in known.iterrows()
    )


def opened(path: str) -> Figures:
    """Open the page and try everything by keyboard."""
    from benchmarks.browser import browser, find_chromium
    from benchmarks.report_page import PAINT

    chromium = find_chromium()
    if chromium is None:
        return {}
    tried = []
    with browser(chromium) as page:
        page.size(1280, 900)
        page.send("Page.navigate", url=Path(path).resolve().as_uri())
        page.wait("performance.getEntriesByName('ready').length > 0")
        usable = page.run("performance.getEntriesByName('ready')[0].startTime")
        paint = page.run(PAINT)
        page.run(
            "for (const each of document.querySelectorAll('details')) each.open = true"
        )
        for name, place, keys, done in INTERACTIONS:
            page.run(f"document.querySelector({json.dumps(place)}).focus()")
            start = time.monotonic()
            page.press(*keys)
            worked = _within(page, done)
            tried.append((name, worked, round(1000 * (time.monotonic() - start))))
        product = page.send("Browser.getVersion")["product"]
    return {"paint": paint, "usable": usable, "browser": product, "tried": tried}


def _within(page, expression: str, seconds: float = 5.0) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if page.run(expression):
            return "yes"
        time.sleep(0.01)
    return "no"
