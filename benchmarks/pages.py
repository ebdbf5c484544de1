"""The report: how large, how long to write, how soon it is seen in a browser.

Beside it stands the plain way to put the same tables on a page, pandas's `to_html`.

Feeds `docs/reference/benchmarks.md`.
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Case, Clock, Figures, Report, alone, measured

MODULE = "benchmarks.pages"
# Plain tables of more rows than this take the browser minutes to lay out.
MOST_ROWS = 100_000
PAINT = """new Promise((resolve) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName('first-contentful-paint')[0];
  if (found) resolve(found.startTime);
}).observe({ type: 'paint', buffered: true }))"""


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


def seen(path: str) -> Figures:
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
        return {
            "first paint, ms": page.run(PAINT),
            "usable, ms": page.run(usable),
            "browser": page.send("Browser.getVersion")["product"],
        }
