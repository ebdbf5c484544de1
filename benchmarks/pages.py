"""The pages: how large, how long to write, how soon they are seen in a browser.

Beside the report stands the plain way to put the same tables on a page, pandas's
`to_html`. The page of the public study with twelve models is made by the command, as a
person would run it, and every interaction is tried by keyboard in a new browser.
"""

import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.harness import (
    Case,
    Clock,
    Figures,
    Report,
    alone,
    command,
    measured,
    not_run,
    public_data,
)

MODULE = "benchmarks.pages"
# Plain tables of more rows than this take the browser minutes to lay out.
MOST_ROWS = 100_000
PAINT = """new Promise((resolve) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName('first-contentful-paint')[0];
  if (found) resolve(found.startTime);
}).observe({ type: 'paint', buffered: true }))"""

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


def report_page(*, quick: bool, repeats: int) -> Report:
    """Write the report of fits of several sizes, and open it."""
    sizes = (
        {"items": 10_000, "annotators": 100, "classes": 10, "per_item": 5},
        {"items": 10_000, "annotators": 200, "classes": 100, "per_item": 9},
        {"items": 100_000, "annotators": 1000, "classes": 10, "per_item": 5},
    )
    tiny = {"items": 50, "annotators": 8, "classes": 3, "per_item": 4}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate((tiny,) if quick else sizes):
            place = str(Path(folder, str(number)))
            alone((MODULE, "make", {"folder": place, **size}))
            answers = size["items"] * size["per_item"]
            about = {"items": size["items"], "answers": answers}
            about |= {"labels": size["classes"]}
            programs = {"consilience: report": "ours", "pandas: to_html": "plain"}
            if size["items"] + answers > MOST_ROWS:
                del programs["pandas: to_html"]
            named = [{**about, "program": name} for name in programs]
            of_files = list(zip(named, programs.values(), strict=True))
            written = measured(
                [
                    Case(each, (MODULE, way, {"folder": place}))
                    for each, way in of_files
                ],
                repeats,
            )
            opened = measured(
                [
                    Case(each, (MODULE, "seen", {"path": f"{place}/{way}.html"}))
                    for each, way in of_files
                ],
                repeats,
            )
            rows += [one | other for one, other in zip(written, opened, strict=True)]
    notes = (
        (
            "Simulated choices, fitted by vb, so that every label has an interval. "
            "seconds: to write, from a fit and its responses in memory to a file on "
            "disk, with agreement by 1,000 resamples, the charts, and the import of "
            "the plotting library; in a separate process. Medians."
        ),
        (
            "First paint: `first-contentful-paint` of a PerformanceObserver, from the "
            "start of the navigation to the file. Usable: until the items can be "
            "searched (pandas: until everything is laid out). Each time in a new "
            "browser with an empty profile."
        ),
        (
            "`pandas: to_html` writes the best label of each item and the raw answers "
            "as plain HTML tables, without search, sorting or interaction, and without "
            "the posterior of the other labels; left out where the answers alone would "
            "take the browser minutes to lay out."
        ),
    )
    return Report("The report", rows, notes)


def make(
    *, folder: str, items: int, annotators: int, classes: int, per_item: int
) -> Figures:
    """Simulate a study, fit it and keep both."""
    import consilience as cs

    made = cs.simulate(
        items=items, annotators=annotators, classes=classes, per_item=per_item, seed=0
    )
    cs.write(made.responses, f"{folder}/responses")
    model = "bayesian_dawid_skene" if classes < 50 else "one_coin_dawid_skene"
    cs.fit(made.responses, model=model, engine="vb", seed=0).save(f"{folder}/run")
    return {}


def ours(folder: str) -> Figures:
    """Write the report."""
    import consilience as cs

    fitted, responses = cs.load(f"{folder}/run"), cs.read(f"{folder}/responses")
    clock = Clock()
    with clock.timed():
        from consilience.reports import gather, write

        gathered = gather({"run": fitted}, responses=responses)
        size = write(gathered, f"{folder}/ours.html", overwrite=True)
    return {**clock.figures, "MB": size / 1e6}


def plain(folder: str) -> Figures:
    """Write the same tables by pandas."""
    import consilience as cs

    fitted, responses = cs.load(f"{folder}/run"), cs.read(f"{folder}/responses")
    out = Path(folder, "plain.html")
    clock = Clock()
    with clock.timed():
        answers = responses.table[["item", "annotator", "label"]]
        tables = (fitted.items(), answers)
        out.write_text("\n".join(table.to_html() for table in tables))
    return {**clock.figures, "MB": out.stat().st_size / 1e6}


def seen(path: str, *, interactions: bool = False) -> Figures:
    """Open a file in a browser; milliseconds to the first paint and until usable."""
    from benchmarks.browser import browser, find_chromium

    chromium = find_chromium()
    if chromium is None:
        return {"browser": "none"}
    with browser(chromium) as page:
        page.size(1280, 900)
        page.send("Page.navigate", url=Path(path).resolve().as_uri())
        page.wait("document.readyState === 'complete'")
        usable = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        if page.run("document.documentElement.dataset.madeBy !== undefined"):
            page.wait("performance.getEntriesByName('ready').length > 0")
            usable = "performance.getEntriesByName('ready')[0].startTime"
        figures = {
            "first paint, ms": page.run(PAINT),
            "usable, ms": page.run(usable),
            "browser": page.send("Browser.getVersion")["product"],
        }
        return figures | ({"tried": _tried(page)} if interactions else {})


def _tried(page) -> list[dict]:
    """Try every interaction of the study's page by keyboard."""
    page.run(
        "for (const each of document.querySelectorAll('details')) each.open = true"
    )
    rows = []
    for name, place, keys, done in INTERACTIONS:
        page.run(f"document.querySelector({json.dumps(place)}).focus()")
        start = time.monotonic()
        page.press(*keys)
        worked = False
        while not worked and time.monotonic() < start + 5:
            time.sleep(0.01)
            worked = page.run(done)
        took = round(1000 * (time.monotonic() - start))
        row = {"interaction, by keyboard": name, "worked": "yes" if worked else "no"}
        rows.append({**row, "ms": took})
    return rows


def study_page(*, quick: bool, repeats: int) -> Report:
    """Make the study, each figure alone, and open its page."""
    del repeats
    title = "The figures of the ImageNet multi-label study"
    needs = ("imagenet-multilabel", "imagenetv2", "reassessed-imagenet")
    data = public_data(*needs, quick=quick)
    if data is None:
        return not_run(title)
    data = data.resolve()
    with tempfile.TemporaryDirectory() as folder:
        place = {"data": str(data), "folder": folder}
        alone((MODULE, "fitted", place))
        words = [sys.executable, "-m", "consilience", "study", f"{folder}/run"]
        words += ["--responses", f"{folder}/responses"]
        words += ["--predictions", str(data / "imagenetv2")]
        words += ["--contains", str(data / "reassessed-imagenet")]
        out = Path(folder, "study")
        spent = command([*words, "--out", str(out)])
        page = {"path": f"{out}/index.html", "interactions": True}
        opened = alone((MODULE, "seen", page))
        size = (out / "index.html").stat().st_size
        files = [file.stat().st_size for file in out.rglob("*") if file.is_file()]
        rows = alone((MODULE, "figures", place))["rows"]
    whole = {
        "seconds of the command": spent["seconds"],
        "CPU seconds": spent["cpu_seconds"],
        "peak MiB": spent["peak_mib"],
        "MB of the page": size / 1e6,
        "MB of tables and pictures": (sum(files) - size) / 1e6,
        **{name: opened.get(name) for name in ("first paint, ms", "usable, ms")},
    }
    more = {"The command and its page": [whole]}
    if "tried" in opened:
        more["Interactions"] = opened["tried"]
    notes = (
        (
            "ours: the finding of each figure, as the page says it; intervals of 90 %. "
            "published: values of the study, stated by its authors or counted in their "
            "released aggregates, beside ours of the same row. Seconds: CPU seconds of "
            "the figure alone, what several of them need with the first; drawing: as "
            "SVG and PNG, all frames."
        ),
        (
            "Command: `consilience study run --responses imagenet-multilabel "
            "--predictions imagenetv2 --contains reassessed-imagenet --out study`, in "
            "a new process, the fit of `objects` and the responses being there."
        ),
        (
            "The study's own yes-or-no answers and predictions are not public: others "
            "stand in for them (see the study, reproduced)."
        ),
        f"Browser: {opened['browser']}.",
    )
    return Report(title, rows, notes, more=more)


def fitted(*, data: str, folder: str) -> Figures:
    """Fit the study and keep what the command needs."""
    import consilience as cs

    responses = cs.read(f"{data}/imagenet-multilabel")
    cs.write(responses, f"{folder}/responses")
    cs.fit(responses, model="objects", seed=0).save(f"{folder}/run")
    return {}


def figures(*, data: str, folder: str) -> dict:
    """Make and draw each figure alone."""
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
    # A step is given before its figure is made.
    moments = [time.process_time() for _ in study.make()] + [time.process_time()]
    spent = dict(
        zip((make.__name__ for make in study.makers), pairwise(moments), strict=True)
    )
    rows = []
    for name, figure in study.figures.items():
        started = time.process_time()
        for drawing in study.drawings(name).values():
            png(by_itself(drawing))
        begun, ended = spent[name]
        row = {"figure": name, "seconds": round(ended - begun, 2)}
        row |= {"drawing, seconds": round(time.process_time() - started, 2)}
        published = _published(figure.table)
        rows.append({**row, "ours": figure.finding, "published": published})
    rows += [
        {"figure": name, "ours": f"not drawn: {why}"}
        for name, why in study.left_out.items()
    ]
    return {"rows": rows}


def _published(table) -> str:
    if "published" not in table:
        return ""
    known = table.dropna(subset="published")
    keys = [name for name in table if str(table[name].dtype) in ("object", "str")]
    keys = [name for name in keys if name != "source"]
    return "; ".join(
        f"{' '.join(str(row[key]) for key in keys)} {row['published']:g} "
        f"(ours {row['value']:.3f})"
        for _, row in known.iterrows()
    )
