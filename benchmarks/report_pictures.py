"""Pictures in the report, inside the page or linked: size, seconds, how soon seen.

The photographs are made here: crops of coloured noise whose spectrum falls as that of
photographs does, so that they have about the bytes of those.
"""

import os
import tempfile
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone, in_turn
from benchmarks.report import Report

ITEMS, QUICK = (1000, 10_000), (30,)
PLACINGS = ("none", "embedded", "linked")
WIDTH, HEIGHT = 500, 375
SHOWN = """new Promise((resolve) => {
  const look = () => {
    const images = [...document.querySelectorAll('#items-list img')];
    const all = images.length && images.every((i) => i.complete && i.naturalWidth);
    if (all) resolve(performance.now()); else setTimeout(look, 5);
  };
  look();
})"""

NOTES = (
    (
        "Simulated choices, five answers for each item, fitted by em. Photographs of "
        "500 x 375 pixels, of {photograph:.0f} kB on average; the pictures made of "
        "them have {picture:.1f} kB. To write: from a fit, its responses and a folder "
        "to the page on disk, without intervals of agreement, in a separate process. "
        "Medians."
    ),
    (
        "First paint: `first-contentful-paint`, from the start of the navigation. "
        "Usable: until the items can be searched. Pictures: until all pictures in "
        "sight of the gallery are decoded. Read: until the whole page has been read. "
        "End: from the key End in the gallery until the last pictures are decoded. "
        "Browser MiB: memory of all its processes (proportional set size) at the end. "
        "Each time in a new browser with an empty profile, from file://."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for items in QUICK if quick else ITEMS:
            place = str(Path(folder, str(items)))
            module = "benchmarks.report_pictures"
            made = alone((module, "make", {"folder": place, "items": items}))

            def call(function, placing, place=place):
                arguments = {"folder": place, "placing": placing}
                return lambda: alone(
                    ("benchmarks.report_pictures", function, arguments)
                )

            written = in_turn(
                {each: call("written", each) for each in PLACINGS}, repeats
            )
            seen = in_turn({each: call("seen", each) for each in PLACINGS}, repeats)
            rows += [
                {
                    "items": items,
                    "pictures": placing,
                    "MB of page": figures["megabytes"],
                    "MB of folder": figures["folder"],
                    "seconds to write": figures["seconds"],
                    "CPU seconds": figures["cpu_seconds"],
                    "peak MiB": figures["peak_mib"],
                    "first paint, ms": seen[placing].get("paint"),
                    "usable, ms": seen[placing].get("usable"),
                    "pictures, ms": seen[placing].get("shown"),
                    "read, ms": seen[placing].get("read"),
                    "End, ms": seen[placing].get("end"),
                    "browser MiB": seen[placing].get("mib"),
                }
                for placing, figures in written.items()
            ]
            picture = written["linked"]["folder"] / items * 1000
    notes = [note.format(**made, picture=picture) for note in NOTES]
    return Report("Pictures in the report", rows, notes)


def make(*, folder: str, items: int) -> Figures:
    """Simulate a study, fit it, and make a photograph of each item."""
    import numpy as np
    from PIL import Image

    import consilience as cs

    made = cs.simulate(items=items, annotators=100, classes=10, per_item=5, seed=0)
    cs.write(made.responses, f"{folder}/responses")
    cs.fit(made.responses, model="dawid_skene", seed=0).save(f"{folder}/run")
    generator = np.random.default_rng(0)
    scenes = [_scene(generator) for _ in range(12)]
    images = Path(folder, "images")
    images.mkdir()
    size = 0
    for item in made.responses.table["item"].cat.categories:
        scene = scenes[generator.integers(len(scenes))]
        top = generator.integers(scene.shape[0] - HEIGHT)
        left = generator.integers(scene.shape[1] - WIDTH)
        crop = scene[top : top + HEIGHT, left : left + WIDTH]
        if generator.random() < 0.5:
            crop = crop[:, ::-1]
        file = images / f"{item}.jpg"
        Image.fromarray(np.ascontiguousarray(crop)).save(file, quality=92)
        size += file.stat().st_size
    return {"photograph": size / items / 1000}


def written(folder: str, placing: str) -> Figures:
    """Write the report."""
    import consilience as cs

    fitted, responses = cs.load(f"{folder}/run"), cs.read(f"{folder}/responses")
    images = None if placing == "none" else f"{folder}/images"
    where = "linked" if placing == "linked" else "embedded"
    out = Path(folder, f"{placing}.html")
    clock = Clock()
    with clock.timed():
        from consilience.reports import gather, write

        made = gather({"run": fitted}, responses=responses, images=images, bootstrap=0)
        size = write(made, out, pictures=where, overwrite=True)
    beside = out.with_name(f"{placing}_files")
    linked = sum(file.stat().st_size for file in beside.glob("*.jpg")) / 1e6
    return {**clock.figures, "megabytes": size / 1e6, "folder": linked}


def seen(folder: str, placing: str) -> Figures:
    """Open the page in a browser."""
    from benchmarks.browser import browser, find_chromium
    from benchmarks.report_page import PAINT

    chromium = find_chromium()
    if chromium is None:
        return {}
    with browser(chromium) as page:
        page.size(1280, 900)
        address = "" if placing == "none" else "#items?view=gallery"
        url = Path(folder, f"{placing}.html").resolve().as_uri() + address
        page.send("Page.navigate", url=url)
        page.wait("performance.getEntriesByName('ready').length > 0")
        figures = {"paint": page.run(PAINT)}
        figures["usable"] = page.run(
            "performance.getEntriesByName('ready')[0].startTime"
        )
        if placing != "none":
            figures["shown"] = page.run(SHOWN)
        page.wait("document.readyState === 'complete'")
        timing = "performance.getEntriesByType('navigation')[0].domInteractive"
        figures["read"] = page.run(timing)
        if placing != "none":
            page.run("document.getElementById('items-list').focus()")
            started = page.run("performance.now()")
            page.press("End")
            figures["end"] = page.run(SHOWN) - started
        return {**figures, "mib": _memory(os.getpid()) / 2**10}


def _scene(generator):
    """Return coloured noise of about 1 / frequency, whose channels go together."""
    import numpy as np

    height, width = 900, 1200
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = 1 / np.maximum(np.hypot(x, y), 1 / width) ** 1.2
    channels = []
    for _ in range(3):
        white = np.fft.rfft2(generator.normal(size=(height, width)))
        channel = np.fft.irfft2(white * fall, (height, width))
        channels.append(channel / channel.std())
    light, warm, green = channels
    rgb = np.stack([light + 0.3 * warm, light + 0.2 * green, light - 0.3 * warm], -1)
    return np.clip(128 + 55 * rgb, 0, 255).astype(np.uint8)


def _memory(process: int) -> int:
    """Return the memory in KiB of all processes below one; shared parts in shares."""
    total = 0
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            rollup = Path(f"/proc/{child}/smaps_rollup")
            lines = rollup.read_text().splitlines() if rollup.exists() else []
            total += sum(int(line.split()[1]) for line in lines if line[:4] == "Pss:")
            total += _memory(child)
    return total
