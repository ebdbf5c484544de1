"""Seconds and memory of whole fits, commands and tables, beside other programs.

Each function is a benchmark: it makes data, and gives cases that are taken in turn.

Feeds `docs/reference/benchmarks-contains.md`, `docs/reference/benchmarks.md`.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import (
    NO_CACHE,
    Call,
    Case,
    Report,
    alone,
    has_peer,
    measured,
    not_run,
    public_data,
)

PROGRAMS = "benchmarks.programs"
COMMAND = (sys.executable, "-m", "consilience")
EM, VB = ("dawid_skene", "em"), ("bayesian_dawid_skene", "vb")
PEER = "crowd-kit DawidSkene"
TOLERANCE = 1e-5  # crowd-kit's default; ours is 1e-7
MILLION = {"items": 200_000, "annotators": 1000, "classes": 10, "per_item": 5}
TINY = {"items": 200, "annotators": 20, "classes": 3, "per_item": 5}
FEW = 1_000_000  # responses, up to which fits are repeated

WHOLE_FIT = (
    "A complete fit: from a pandas frame of text in memory to a label for each item, "
    "without imports and without reading the frame from disk, including compilation. "
    "Each in a separate process, alternating; medians. peak MiB is of the process, "
    "more MiB the part allocated after the fit had begun. Log-loss is of the truth, "
    "clipped at 1e-12. times: the peer's figure over this one's."
)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _program(function: str, **arguments: Any) -> Call:
    return PROGRAMS, function, arguments


def _ours(path: str, which: tuple[str, str], **options: Any) -> Call:
    model, engine = which
    return _program("consilience", path=path, model=model, engine=engine, **options)


def _crowd_kit(path: str, tolerance: float) -> Call:
    options = {"n_iter": 1000, "tol": tolerance}
    return _program("crowd_kit", path=path, method="DawidSkene", options=options)


def _cache(folder: Path) -> dict[str, str]:
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def speed(*, quick: bool, repeats: int) -> Report:
    """A whole fit of a million responses, beside crowd-kit's on the same frame."""
    rows = []
    fits: Mapping[str, tuple[tuple[str, str], dict[str, int]]] = {
        "em dawid_skene": (EM, {}),
        "vb bayesian_dawid_skene, no draws": (VB, {"draws": 0}),
        "vb bayesian_dawid_skene": (VB, {}),
    }
    with _folder() as folder:
        path = str(folder / "responses.parquet")
        made = alone(_program("make", path=path, **(TINY if quick else MILLION)))
        kept = _cache(folder / "cache")
        for tolerance in (TOLERANCE,) if quick else (TOLERANCE, 1e-7):
            about = {"tolerance": f"{tolerance:g}"}
            cases = []
            if has_peer():
                named = {**about, "program": PEER, "compiling": ""}
                cases.append(Case(named, _crowd_kit(path, tolerance), peer=True))
            for name, (which, options) in list(fits.items())[: 1 if quick else None]:
                call = _ours(path, which, tolerance=tolerance, **options)
                named = {**about, "program": name}
                cases.append(Case({**named, "compiling": "new"}, call, NO_CACHE))
                if not quick:
                    alone(call, kept)
                    cases.append(Case({**named, "compiling": "kept"}, call, kept))
            rows += measured(cases, repeats)
    title = f"A whole fit of {made['responses']:,} responses"
    notes = (
        WHOLE_FIT,
        (
            "Compiling: `new` compiles everything, as in a first fit of a size; `kept` "
            "uses JAX's compilation cache, which the command line keeps."
        ),
        (
            "The same tolerance: crowd-kit stops when its bound, divided by the number "
            "of responses, improves by less than `tol` nats in an iteration; "
            "consilience when its objective (em: penalized log-likelihood, vb: ELBO) "
            "per answer does. 1e-5 is crowd-kit's default, 1e-7 ours; the number of "
            "iterations is not limited in practice. crowd-kit counts an item's log "
            "prior once per response, so its bound is not an exact likelihood: the "
            "rule is the same, the number of iterations may differ."
        ),
        (
            "vb by default also draws from the posterior for intervals, which "
            "crowd-kit does not have; `vb, no draws` is the optimization and the point "
            "estimates alone."
        ),
    )
    return Report(title, rows, notes)


def first_fit(*, quick: bool, repeats: int) -> Report:
    """The first fit in a process, imports included, beside crowd-kit's.

    What a person waits for who starts Python, has a frame of answers, and wants labels.
    """
    rows = []
    for answers in (100,) if quick else (100, 1_000, 10_000, 100_000, 1_000_000):
        with _folder() as folder:
            paths = [str(folder / f"{seed}.parquet") for seed in (0, 1)]
            size = {"annotators": max(answers // 100, 10), "classes": 4, "per_item": 5}
            for seed, path in enumerate(paths):  # of like size, not the same
                size["items"] = answers // 5 + seed
                alone(_program("make", path=path, seed=seed, **size))
            cases = _first_fits(answers, paths, folder)
            rows += measured(cases, repeats if answers <= 10_000 else 1)
    notes = (
        (
            "seconds: a complete process that starts Python, reads a Parquet file of "
            "text columns, loads the library, fits, and computes a label for each "
            "item; second fit: of another data set of similar size afterwards in the "
            "same process. Four classes, five answers per item, 100 answers per "
            "annotator (at least ten annotators)."
        ),
        (
            "Each library uses its default tolerance and as many iterations as it "
            "needs; `em, 1e-5` has crowd-kit's tolerance. em: dawid_skene, the same "
            "model as crowd-kit's; vb: bayesian_dawid_skene with draws for intervals; "
            "auto: five models compared and stacked, with draws. crowd-kit has no "
            "intervals and stops after 100 iterations."
        ),
        (
            "empty cache: the folder of compiled programs is empty; filled: another "
            "process fitted another data set of similar size before."
        ),
        (
            "CPU seconds: of both cores, first fit. Medians of alternating processes; "
            "one run each for more than 10,000 answers, and none of auto for a million."
        ),
    )
    return Report("The first fit of a process, and the second", rows, notes)


def _first_fits(answers: int, paths: list[str], folder: Path) -> list[Case]:
    about = {"answers": answers}
    cases = []
    if has_peer():
        call = _program("two_fits", paths=paths, model="crowd-kit", engine="")
        cases.append(Case({**about, "fit": PEER, "cache": ""}, call, peer=True))
    fits: dict[str, tuple[str, str]] = {"em": EM, "vb": VB, "auto": ("auto", "auto")}
    if answers > 100_000:  # auto takes minutes
        del fits["auto"]
    for name, (model, engine) in fits.items():
        how = {"model": model, "engine": engine}
        filled = _cache(folder / f"filled-{name}")
        alone(_program("two_fits", paths=paths[::-1], **how), filled)
        call = _program("two_fits", paths=paths, **how)
        caches = {"empty": _cache(folder / f"empty-{name}"), "filled": filled}
        cases += [
            Case({**about, "fit": name, "cache": cache}, call, environment)
            for cache, environment in caches.items()
        ]
    model, engine = EM
    how = {"model": model, "engine": engine, "tolerance": TOLERANCE}
    call = _program("two_fits", paths=paths, **how)
    named = {**about, "fit": "em, 1e-5", "cache": "empty"}
    return [*cases, Case(named, call, _cache(folder / "same"))]


def growth(*, quick: bool, repeats: int) -> Report:
    """How seconds and memory of a fit grow with the responses, from 1e4 to 1e7."""
    rows = []
    # Responses, and annotators: a thousand responses of each.
    sizes = [(10**power, 10 ** (power - 3)) for power in range(4, 8)]
    with _folder() as folder:
        for responses, annotators in [(500, 10)] if quick else sizes:
            path = str(folder / f"{responses}.parquet")
            size = {"items": responses // 5, "annotators": annotators}
            size |= {"classes": 3 if quick else 10, "per_item": 5}
            alone(_program("make", path=path, **size))
            calls = {
                f"{engine} {model}": _ours(path, (model, engine), tolerance=TOLERANCE)
                for model, engine in (EM, VB)
            }
            if has_peer() and responses <= FEW:
                calls[PEER] = _crowd_kit(path, TOLERANCE)
            cases = [
                Case({"responses": responses, "program": name}, call, NO_CACHE)
                for name, call in calls.items()
            ]
            rows += measured(cases, repeats if responses <= FEW else 1)
            Path(path).unlink()
    notes = (
        WHOLE_FIT,
        (
            "Ten classes, five answers per item, a thousand answers per annotator; to "
            "the same tolerance. Fits of ten million are measured once, and crowd-kit "
            "up to a million. vb uses its default number of draws for the size."
        ),
    )
    return Report("How the cost of a fit grows", rows, notes)


def models(*, quick: bool, repeats: int) -> Report:
    """Every closed form on a million responses, beside crowd-kit's of the same name."""
    del repeats  # a run of all models is long enough
    limit = 300.0
    peers = {
        "majority": "MajorityVote",
        "dawid_skene": "DawidSkene",
        "one_coin_dawid_skene": "OneCoinDawidSkene",
        "mace": "MACE",
        "glad": "GLAD",
    }
    rows = []
    with _folder() as folder:
        path = str(folder / "responses.parquet")
        made = alone(_program("make", path=path, **(TINY if quick else MILLION)))
        for which in closed_forms():
            model, engine = which
            if quick and model not in ("majority", "dawid_skene"):
                continue
            named = {"model": model, "program": f"consilience {engine}"}
            cases = [Case(named, _ours(path, which), NO_CACHE, limit)]
            if model in peers and has_peer():
                call = _program("crowd_kit", path=path, method=peers[model])
                named = {"model": model, "program": f"crowd-kit {peers[model]}"}
                cases.append(Case(named, call, limit=limit, peer=True))
            rows += measured(cases, 1)
    title = f"Every closed form on {made['responses']:,} responses"
    notes = (
        WHOLE_FIT,
        (
            "The default settings of both programs. crowd-kit's MACE restarts 10 times "
            "with 50 iterations each, and its GLAD uses up to 100 iterations; ours "
            "stop at convergence."
        ),
        (
            "The data are simulated with a confusion matrix per annotator, so models "
            "with confusion matrices are more accurate."
        ),
    )
    return Report(title, rows, notes)


def closed_forms() -> Iterator[tuple[str, str]]:
    """Give each model of choice that has a closed form, with its engine.

    Structured is of data of another sort, and has its own benchmark.
    """
    from consilience import annotators
    from consilience.cli.commands.models import entries

    for entry in entries():
        closed = [each for each in entry.engines if each in ("vb", "em", "rule")]
        choice = "choice" in annotators.load(entry.name).kinds
        if closed and choice and entry.name != "structured":
            yield entry.name, closed[0]


def many_labels(*, quick: bool, repeats: int) -> Report:
    """A thousand labels on short lists: how a fit grows with responses."""
    rows = []
    fits: dict[str, tuple[tuple[str, str], dict[str, float]]] = {
        "majority": (("majority", "rule"), {}),
        "em structured": (("structured", "em"), {}),
        "vb structured": (("structured", "vb"), {}),
        "em structured, popularity": (("structured", "em"), {"popularity": 1.0}),
    }
    sizes = ((600, 20),) if quick else ((10**5, 1000), (3 * 10**5, 1000), (10**6, 1000))
    with _folder() as folder:
        path, lists = (str(folder / f"{name}.parquet") for name in ("answers", "lists"))
        for responses, annotators in sizes:
            size = {"items": responses // 5, "annotators": annotators}
            size |= {"labels": 50 if quick else 1000}
            alone(_program("make_listed", path=path, lists=lists, **size))
            calls = {
                name: _ours(path, which, lists=lists, prior=prior)
                for name, (which, prior) in list(fits.items())[: 2 if quick else None]
            }
            if has_peer() and responses <= 300_000:
                call = _program("crowd_kit", path=path, method="MajorityVote")
                calls["crowd-kit MajorityVote"] = call
            cases = [
                Case({"responses": responses, "program": name}, call, NO_CACHE)
                for name, call in calls.items()
            ]
            rows += measured(cases, repeats)
    notes = (
        WHOLE_FIT,
        (
            "Five answers per item, five of a thousand labels as candidates, all of "
            "one family of ten; accuracies are Beta(8, 4), and errors fall on the "
            "candidates, with a popularity of each label (standard deviation 1 of the "
            "logarithm)."
        ),
        (
            "crowd-kit does not use candidates and treats every label as possible; "
            "beyond 300,000 responses its table of items by labels takes gigabytes. "
            "Its OneCoinDawidSkene is omitted: on 600 responses of 50 labels it took "
            "22 seconds of CPU time, growing with annotators x iterations."
        ),
        (
            "popularity: `structured` with popularity=1. vb uses its default number of "
            "draws for the size."
        ),
    )
    return Report("A fit of a thousand labels", rows, notes)


def many_fits(*, quick: bool, repeats: int) -> Report:
    """A thousand fits in one process, of different sizes and of all models.

    Every size compiles programs of its own, each of which maps memory in some forty
    places; a process may map 65,530.
    """
    del repeats
    number = {"number": 6 if quick else 1000, "every": 100}
    rows = alone(_program("many_fits", **number))["rows"]
    notes = (
        (
            "Simulated studies of 20 to 400 answers, each of a new size; every model "
            "of choice in turn, with models of contains and of objects in between."
        ),
        (
            "places: memory mappings of the process after the last fit; most: the "
            "maximum after any fit. Linux allows a process 65,530."
        ),
    )
    return Report("A thousand fits in one process", rows, notes)


def nuts(*, quick: bool, repeats: int) -> Report:
    """Hierarchical Dawid-Skene by NUTS: smallest effective sample size per second."""
    folder = public_data("crowd/rte", quick=quick)
    path = str(folder / "crowd" / "rte") if folder else ""
    full = {"tune": 1000, "draws": 1000, "chains": 4}
    fewer = full | {"tune": 500, "draws": 300}  # effective draws a second are compared
    programs = {
        "consilience nuts": ("ours", full),
        "nutpie, on the density of consilience": ("by_nutpie", full),
        "NumPyro, enumerated and padded": ("enumerated", fewer),
    }
    rows, first = [], []
    for name, (function, usual) in programs.items():
        effort = {"tune": 50, "draws": 50, "chains": 2} if quick else usual
        call = ("benchmarks.sampling", function, {"path": path, **effort})
        rows += measured([Case({"program": name, **effort}, call)], min(repeats, 2))
        one = {"tune": 1, "draws": 1, "chains": 1}
        call = ("benchmarks.sampling", function, {"path": path, **one})
        (taken,) = measured([Case({"program": name}, call, NO_CACHE)], repeats)
        first.append({"program": name, "seconds": taken["seconds"]})
    notes = (
        (
            "Data: crowd/rte (8,000 answers, 800 items, 164 annotators). Four chains, "
            "double precision, from prior medians, at which the labels are "
            "identified; target acceptance 0.9 of consilience, 0.8 of the others, "
            "their defaults."
        ),
        (
            "Smallest bulk ESS over every scalar of prevalence, population, scale and "
            "all confusion matrices. Sampling: warm-up and draws, without compilation. "
            "Whole: the total waiting time; that of consilience includes the posterior "
            "of every item's truth, log-likelihoods and checks, which the others do "
            "not compute."
        ),
        (
            "To the first draw: one chain, one step of warm-up and one draw, in a "
            "fresh process that compiles everything, without imports. Stan is not "
            "compared: its compiler is in no package registry."
        ),
    )
    title = "Hierarchical Dawid-Skene by NUTS on crowd/rte"
    return Report(title, rows, notes, {"Seconds to the first draw": first})


def start(*, quick: bool, repeats: int) -> Report:
    """How soon the command line answers: `--help`, and a small fit as a process."""
    size = {**TINY, "items": 20} if quick else {**MILLION, "items": 2000, "classes": 5}
    bare = (
        "from cyclopts import App\nAPP = App(name='bare')\n\n@APP.command\n"
        "def fit(responses: str, /, *, out: str, model: str = 'auto') -> None:\n"
        "    '''Do nothing.'''\n\nAPP()\n"
    )
    with _folder() as folder:
        (folder / "bare.py").write_text(bare)
        words = [sys.executable, str(folder / "bare.py"), "--help"]
        cases = [
            Case({"process": "bare cyclopts --help"}, words, peer=True),
            Case({"process": "consilience --help"}, [*COMMAND, "--help"]),
        ]
        rows = measured(cases, 1 if quick else 10)  # of tenths of a second
        heavy = alone(_program("imported_by_help"))["heavy"]
        table = str(folder / "responses.csv")
        alone(_program("make", path=table, **{**size, "annotators": 50}))
        how = ("--model", VB[0], "--engine", VB[1], "--overwrite", "--out")
        words = [*COMMAND, "fit", table, *how, str(folder / "run")]
        rows += _empty_and_filled("fit by vb", words, folder, repeats)
    notes = (
        (
            "Complete processes, including Python's own start; medians, alternating. "
            "`bare cyclopts` is a program with one command written with the same "
            "library."
        ),
        (
            "`fit` reads a CSV of 10,000 responses, fits by vb with its default "
            "restarts and draws, runs the checks and writes the run folder; with an "
            "empty compilation cache, and with a filled one."
        ),
        f"Heavy packages that --help imports: {', '.join(heavy) or 'none'}.",
    )
    return Report("Start-up time of the command line", rows, notes)


def _empty_and_filled(
    name: str, words: Sequence[str], folder: Path, repeats: int
) -> list[dict[str, Any]]:
    """Measure a command with an empty cache of programs, then with a filled one."""
    rows: list[list[dict[str, Any]]] = []
    for number in range(repeats):
        cache = _cache(folder / f"programs-{number}")
        cases = [
            Case({"process": name, "cache": state}, words, cache)
            for state in ("empty", "filled")
        ]
        rows.append(measured(cases, 1))
    return [
        sorted(each, key=lambda row: row["CPU seconds"])[len(each) // 2]
        for each in zip(*rows, strict=True)
    ]


def agreement(*, quick: bool, repeats: int) -> Report:
    """Agreement of a million answers, beside krippendorff and statsmodels."""
    rows = []
    sizes = [MILLION, {**MILLION, "classes": 1000}]
    with _folder() as folder:
        for number, size in enumerate([TINY] if quick else sizes):
            path = str(folder / f"{number}.parquet")
            made = alone(_program("make", path=path, right=0.7, **size))
            calls = {
                f"consilience: all, {name}": _program(
                    "agreement", path=path, resamples=resamples
                )
                for name, resamples in (
                    ("without resamples", 0),
                    ("1,000 resamples", 1000),
                )
            }
            if size["items"] * size["classes"] ** 2 <= 10**8:
                calls["krippendorff: alpha"] = _program(
                    "alpha_by_krippendorff", path=path
                )
                calls["statsmodels: Fleiss's kappa"] = _program(
                    "kappa_by_statsmodels", path=path
                )
            about = {"answers": made["responses"], "labels": size["classes"]}
            cases = [
                Case({**about, "program": name}, call) for name, call in calls.items()
            ]
            rows += measured(cases, repeats)
    notes = (
        (
            "Seconds from answers in memory to the coefficient, and peak memory in "
            "addition to that before, each in a separate process; medians. `all, "
            "without resamples`: all coefficients with intervals from the published "
            "variance. `all, 1,000 resamples`: also with intervals from the bootstrap "
            "over items. The others take a table of counts, items x labels, made with "
            "NumPy as part of what is timed, and give one coefficient."
        ),
        (
            "Seven answers in ten name the truth, the others a random label. Of a "
            "thousand labels, the tables of the other programs would not fit in memory "
            "(krippendorff's is items x labels x labels)."
        ),
    )
    return Report("Agreement of many answers", rows, notes)


def whole_contains(*, quick: bool, repeats: int) -> Report:
    """All 924,810 answers of the reassessed ImageNet labels, golden and main part."""
    del repeats  # a run of all is long enough
    title = "Contains: every answer in one fit"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    fits = {
        "contains": "em",
        "contains_states": "vb",
        "contains_counts": "em",
        "hierarchical_dawid_skene": "vb",
    }
    limit = 1200.0
    with _folder() as folder:
        words = [*COMMAND, "fit", str(data.resolve() / "reassessed-imagenet")]
        words += ["--model", "contains_states", "--engine", "vb", "--states", "3"]
        words += ["--out", str(folder / "run")]
        named = {"method": "command: contains_states, vb, three states"}
        cases = [Case(named, words, _cache(folder / "cache"))]
        for model, engine in fits.items():
            call = _program("contains", data=str(data), model=model, engine=engine)
            cases.append(Case({"method": f"{model}, {engine}"}, call, NO_CACHE, limit))
        call = _program("contains_by_crowd_kit", data=str(data))
        cases.append(Case({"method": PEER}, call, limit=limit, peer=True))
        rows = measured(cases, 1)
    notes = (
        (
            "A complete fit with the default settings, from answers in memory to a "
            "probability for each pair, without imports and reading, including "
            "compilation; then the run folder is written. Peak memory is that of the "
            "process, including files. `command`: one process from the original files "
            "of the main part to the run folder, with an empty cache."
        ),
        (
            "contains_counts does not use annotator ids. crowd-kit's Dawid-Skene runs "
            "at most 100 iterations on pairs as tasks, with its three answers as "
            "classes."
        ),
    )
    return Report(title, rows, notes)


def study_cost(*, quick: bool, repeats: int) -> Report:
    """What a whole study of objects costs: from its answers to all tables."""
    title = "What a whole study of objects costs"
    data = public_data("imagenet-multilabel", quick=quick)
    if data is None:
        return not_run(title)
    with _folder() as folder:
        words = [*COMMAND, "fit", str(data.resolve() / "imagenet-multilabel")]
        words += ["--model", "objects", "--overwrite", "--out", str(folder / "run")]
        rows = _empty_and_filled("fit", words, folder, repeats)
    notes = (
        (
            "`consilience fit imagenet-multilabel --model objects --out FOLDER` in a "
            "new process: Python starts, 59,580 answers about 6,761 images are read, "
            "the model is fitted by em, 500 draws of every image are summed up, and "
            "all tables are written. CPU seconds of all cores, and peak memory of the "
            "process; medians. empty: the folder of compiled programs is empty, so "
            "that compilation is included; filled: the same command was run before."
        ),
        "bar: 40 CPU seconds and 2 GiB with the folder empty.",
    )
    return Report(title, rows, notes)
