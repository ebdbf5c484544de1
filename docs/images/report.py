"""The picture of a report: the browser of items, of the built-in study.

Run it as ``python -m docs.images.report`` where a Chromium is on the path; it writes
report.png beside itself.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.browser import browser, find_chromium

from consilience.demo import run, study


def main() -> None:
    """Write the picture."""
    chromium = find_chromium()
    if chromium is None:
        msg = "no Chromium on the path"
        raise SystemExit(msg)
    with TemporaryDirectory() as folder, browser(chromium) as page:
        place = Path(folder, "demo")
        run(study(0), place, engine="vb", seed=0)
        page.scheme("light")
        page.size(1120, 700)
        page.open(place / "report.html")
        page.run("document.documentElement.style.scrollBehavior = 'auto'")
        page.run("document.getElementById('items').scrollIntoView()")
        page.picture(Path(__file__).with_name("report.png"))


if __name__ == "__main__":
    main()
