"""The report: how large, how long to write, how soon it is seen in a browser.

Beside it stands the plain way to put the same tables on a page, pandas's `to_html`.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone, in_turn
from benchmarks.report import Report

SIZES = (
    {"items": 10_000, "annotators": 100, "classes": 10, "per_item": 5},
    {"items": 10_000, "annotators": 200, "classes": 100, "per_item": 9},
    {"items": 100_000, "annotators": 1000, "classes": 10, "per_item": 5},
)
QUICK = ({"items": 50, "annotators": 8, "classes": 3, "per_item": 4},)
# Plain tables of more rows than this take the browser minutes to lay out.
MOST_ROWS = 100_000
PAINT = """new Promise((resolve) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName('first-contentful-paint')[0];
  if (found) resolve(found.startTime);
}).observe({ type: 'paint', buffered: true }))"""

NOTES = (
    (
        "Simulated choices, fitted by vb, so that every label has an interval. To "
        "write: from a fit and its responses in memory to a file on disk, with "
        "agreement by 1,000 resamples, the charts, and the import of the plotting "
        "library; in a separate process. Medians."
    ),
    (
        "First paint: `first-contentful-paint` of a PerformanceObserver, from the "
        "start of the navigation to the file. Usable: until the items can be "
        "searched (pandas: until everything is laid out). Each time in a new browser "
        "with an empty profile."
    ),
    (
        "`pandas: to_html` writes the best label of each item and the raw answers as "
        "plain HTML tables, without search, sorting or interaction, and without the "
        "posterior of the other labels, which the browser takes minutes to lay out; "
        "empty where the answers alone would."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(QUICK if quick else SIZES):
            place = str(Path(folder, str(number)))
            made = alone(("benchmarks.report_page", "make", {"folder": place, **size}))
            written = in_turn(_writers(place, made["rows"]), repeats)
            seen = in_turn(_readers(place, written), repeats)
            rows += [
                {
                    "items": size["items"],
                    "answers": size["items"] * size["per_item"],
                    "labels": size["classes"],
                    "program": program,
                    "MB": figures.get("megabytes"),
                    "seconds to write": figures.get("seconds"),
                    "CPU seconds": figures.get("cpu_seconds"),
                    "peak MiB": figures.get("peak_mib"),
                    "first paint, ms": seen[program].get("paint"),
                    "usable, ms": seen[program].get("usable"),
                }
                for program, figures in written.items()
            ]
            browser = next((each["browser"] for each in seen.values() if each), "none")
    return Report("The report", rows, (*NOTES, f"Browser: {browser}."))


def make(
    *, folder: str, items: int, annotators: int, classes: int, per_item: int
) -> dict[str, int]:
    """Simulate a study, fit it and keep both."""
    import consilience as cs

    made = cs.simulate(
        items=items, annotators=annotators, classes=classes, per_item=per_item, seed=0
    )
    cs.write(made.responses, f"{folder}/responses")
    model = "bayesian_dawid_skene" if classes < 50 else "one_coin_dawid_skene"
    fitted = cs.fit(made.responses, model=model, engine="vb", seed=0)
    fitted.save(f"{folder}/run")
    return {"rows": items * (1 + per_item)}


def ours(folder: str) -> Figures:
    """Write the report."""
    import consilience as cs

    fitted, responses = cs.load(f"{folder}/run"), cs.read(f"{folder}/responses")
    clock = Clock()
    with clock.timed():
        from consilience.reports import gather, write

        found = gather({"run": fitted}, responses=responses)
        size = write(found, f"{folder}/ours.html", overwrite=True)
    return {**clock.figures, "megabytes": size / 1e6}


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
    return {**clock.figures, "megabytes": out.stat().st_size / 1e6}


def seen(path: str) -> Figures:
    """Open a file in a browser; milliseconds to the first paint and until usable."""
    from benchmarks.browser import browser, find_chromium

    chromium = find_chromium()
    if chromium is None:
        return {}
    with browser(chromium) as page:
        page.size(1280, 900)
        page.send("Page.navigate", url=Path(path).resolve().as_uri())
        page.wait("document.readyState === 'complete'")
        ours_ = page.run("document.documentElement.dataset.madeBy !== undefined")
        if ours_:
            page.wait("performance.getEntriesByName('ready').length > 0")
            usable = page.run("performance.getEntriesByName('ready')[0].startTime")
        else:
            timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
            usable = page.run(timing)
        product = page.send("Browser.getVersion")["product"]
        return {"paint": page.run(PAINT), "usable": usable, "browser": product}


def _writers(folder, rows):
    module = "benchmarks.report_page"
    return {
        "consilience: report": lambda: alone((module, "ours", {"folder": folder})),
        "pandas: to_html": lambda: (
            alone((module, "plain", {"folder": folder})) if rows <= MOST_ROWS else {}
        ),
    }


def _readers(folder, written):
    files = {"consilience: report": "ours.html", "pandas: to_html": "plain.html"}

    def reader(name):
        path = str(Path(folder, files[name]))
        there = bool(written[name])
        return lambda: (
            alone(("benchmarks.report_page", "seen", {"path": path})) if there else {}
        )

    return {name: reader(name) for name in files}
