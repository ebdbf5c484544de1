"""What the library gives, recorded before it is rebuilt and compared afterwards.

``python -m benchmarks.net record FOLDER [GROUP ...]`` runs the cases of each group and
keeps what they give as text; ``python -m benchmarks.net compare OLD NEW`` says which
cases differ, and where first. Numbers are equal if they agree to the digits that are
printed (1e-5 of their size); all else is equal letter by letter.

Groups: ``fits`` (every table of every model by every engine on four small data sets of
each kind), ``objects`` (labels and tables of 300 images), ``reading`` (whatever the
tests of responses and tasks read, damaged sources and their errors among it; sources
are known by their content, so that tests may move) and ``commands`` (the JSON of every
command on the built-in study, and the text of its report).
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDED = "BENCHMARKS_NET"  # where calls of `read` under the tests are recorded
MOST = 40_000  # characters of a text that are kept; of a longer one, its digest
# Engines that compile for seconds are run on the first data set of each kind alone.
COMPILED = ("nuts",)
EFFORT: dict[str, dict[str, int]] = {
    "em": {"draws": 20, "restarts": 2},
    "vb": {"draws": 20, "restarts": 2},
    "gibbs": {"draws": 60, "tune": 60, "chains": 2},
    "nuts": {"draws": 20, "tune": 30, "chains": 2},
    "rule": {},
}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
TOLERANCE, TINY = 1e-5, 1e-7
# What differs from run to run: seconds, temporary folders, sizes of files.
VOLATILE = (
    (re.compile(r"\S*pytest-of-[^\s'\"]*/"), "TMP/"),
    (re.compile(rf"{re.escape(tempfile.gettempdir())}/[^\s'\",:]*/"), "TMP/"),
    (re.compile(r"[\d.,]+ (?:CPU )?(?:s|ms|seconds|min)\b"), "SECONDS"),
    (re.compile(r'"?\b(?:seconds|(?:fit_)?bytes|version)"?\s*[=:]\s*[^,\n]*'), "SIZE"),
)


def record(folder: Path, groups: list[str]) -> None:
    """Run the cases of groups, and write a file of JSON lines for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in groups or (*GROUPS, "reading"):
        if name == "reading":
            _record_reading(folder / "reading.jsonl")
            continue
        with (folder / f"{name}.jsonl").open("w") as file:
            for number, (case, text) in enumerate(GROUPS[name](), 1):
                file.write(_line(case, text))
                file.flush()
                print(f"{name} {number}: {case}", flush=True)


def _line(case: str, text: str) -> str:
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    if len(text) > MOST:
        digest = hashlib.sha256(_rounded(text).encode()).hexdigest()
        text = f"{text[:2000]}\n... SHA-256 of {len(text)} characters: {digest}"
    return json.dumps({"case": case, "text": text}) + "\n"


def _rounded(text: str) -> str:
    return NUMBER.sub(lambda number: f"{float(number[0]):.4g}", text)


def compare(old: Path, new: Path) -> int:
    """Print which cases differ and where first; return how many do."""
    differ = 0
    for path in sorted(old.glob("*.jsonl")):
        if not (new / path.name).exists():
            print(f"{path.stem}: not recorded in {new}")
            continue
        before, after = _cases(path), _cases(new / path.name)
        changed = [
            case
            for case, text in before.items()
            if case in after and not _alike(text, after[case])
        ]
        gone, added = before.keys() - after.keys(), after.keys() - before.keys()
        equal = len(before) - len(changed) - len(gone)
        print(
            f"{path.stem}: {equal} equal, {len(changed)} changed, {len(gone)} gone, "
            f"{len(added)} new"
        )
        for case in changed:
            print(f"  changed: {case}\n{_first(before[case], after[case])}")
        for case in sorted(gone):
            print(f"  gone: {case}: {before[case][:150]!r}")
        differ += len(changed) + len(gone)
    return differ


def _cases(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return {each["case"]: each["text"] for each in map(json.loads, lines)}


def _alike(old: str, new: str) -> bool:
    if old == new:
        return True
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(_close(float(a), float(b)) for a, b in pairs)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= max(TINY, TOLERANCE * max(abs(a), abs(b)))


def _first(old: str, new: str) -> str:
    lines = old.splitlines(), new.splitlines()
    for a, b in zip(*lines, strict=False):
        if not _alike(a, b):
            return f"    - {a[:300]}\n    + {b[:300]}"
    return f"    - {len(lines[0])} lines\n    + {len(lines[1])} lines"


def _studies() -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Give kind, name, how to read, and answers of the small data sets."""
    import pandas as pd

    from benchmarks import contains_crowds, crowds
    from consilience.demo import study

    demo = study(0, num_photos=60).answers
    yield "choice", "demo", {"item": "photo", "label": "animal"}, demo
    for kind in ("ratings", "copied answers"):
        frame = crowds.KINDS[kind](0).frame
        yield "choice", kind, {}, frame[frame["item"].isin(frame["item"].unique()[:60])]
    data = os.environ.get("CONSILIENCE_DATA")
    if data:
        path = Path(data, "crowd", "rte", "labels.csv")
        frame = pd.read_csv(path, dtype=str)[["task", "worker", "label"]]
        some = frame["task"].isin(frame["task"].unique()[:60])
        yield "choice", "rte", {"item": "task", "annotator": "worker"}, frame[some]
    for kind in ("equal spreads", "many maybes", "no maybe", "lenient"):
        frame = contains_crowds.KINDS[kind](0).frame
        some = frame["item"].isin(frame["item"].unique()[:40])
        yield "contains", kind, {"kind": "contains"}, frame[some]
    for seed in range(4):
        yield "objects", f"seed {seed}", {"kind": "objects"}, _objects(seed)


def _objects(seed: int) -> Any:
    """Draw answers about one or two objects, each of a few names."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(seed)
    names = (("tabby", "tiger cat"), ("dog",), ("cup", "mug", "coffee mug"), ("ball",))
    rows: list[tuple[str, str, str, str, bool]] = []
    for item in range(30):
        objects = generator.permutation(4)[: 1 + item % 2]
        for who in generator.permutation(8)[:5]:
            named = [generator.choice(names[each]) for each in objects]
            kept = named[: 1 + (generator.random() < 0.6)]
            rows += [
                (f"i{item:02d}", f"p{who}", f"r{item}-{who}", str(label), place == 0)
                for place, label in enumerate(kept)
            ]
    columns = ["item", "annotator", "response_id", "label", "main"]
    return pd.DataFrame(rows, columns=columns)


def _fits() -> Iterator[tuple[str, str]]:
    import consilience as cs
    from consilience import annotators

    seen: set[str] = set()
    for kind, name, how, frame in _studies():
        responses = cs.read(frame, **how)
        for model in ("auto", *annotators.names()):
            known = None if model == "auto" else annotators.load(model)
            if known is not None and kind not in known.kinds:
                continue
            for engine in ("auto",) if known is None else _engines(model):
                if engine in COMPILED and kind in seen:
                    continue
                case = f"{kind}, {name}: {model} by {engine}"
                yield case, _fitted(responses, model, engine, kind, name)
        seen.add(kind)


def _engines(model: str) -> tuple[str, ...]:
    from consilience import annotators

    return tuple(getattr(annotators.load(model), "engines", ("rule",)))


def _fitted(responses: Any, model: str, engine: str, kind: str, name: str) -> str:
    """Fit, save, and return the tables and the means of the posterior as text."""
    import consilience as cs
    from consilience.errors import ConsilienceError

    options: dict[str, Any] = {"model": model, "seed": 3}
    if engine not in ("auto", "rule"):
        options |= {"engine": engine, "effort": cs.EngineOptions(**EFFORT[engine])}
    if name == "ratings" or model == "ordinal_dawid_skene":
        options["ordered"] = kind == "choice"
    try:
        return _tables(cs.fit(responses, **options))
    except ConsilienceError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 (a defect, recorded like all else)
        return f"DEFECT {type(error).__name__}: {error}"


def _tables(fit: Any) -> str:
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run")
        fit.save(path)
        parts = [(path / "run.toml").read_text().split("[versions]")[0]]
        for table in sorted(path.glob("tables/*.parquet")):
            frame = pd.read_parquet(table).drop(columns="seconds", errors="ignore")
            parts.append(f"{table.stem}\n{frame.to_csv(float_format='%.6g')}")
    for group in ("posterior", "truth"):
        if group in fit.data.children:
            for key, each in fit.data[group].to_dataset().items():
                if each.dtype.kind in "fi":
                    parts.append(f"{key}: {float(each.mean()):.6g}")
    return "\n".join(parts)


def _images() -> Iterator[tuple[str, str]]:
    import consilience as cs

    data = os.environ.get("CONSILIENCE_DATA")
    if not data:
        return
    responses = cs.read(Path(data, "imagenet-multilabel"))
    items = responses.table["item"].cat.categories[:300]
    table = responses.table[responses.table["item"].isin(items)]
    frame = table.astype(dict.fromkeys(("item", "label"), "str"))
    some = cs.read(frame[["item", "annotator", "response_id", "label", "main"]])
    for model in ("objects", "tsipras2020"):
        yield model, _tables(cs.fit(some, model=model, seed=3))


class _Recorder:
    """Records what `read` makes of each source, by its content and options."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: set[str] = set()

    def wrap(self, read: Any) -> Any:
        """Return a function that reads and records."""

        def recorded(source: Any, options: Any, **more: Any) -> Any:
            case = f"{_content(source)} {_asked(options)} {more or ''}"
            try:
                responses = read(source, options, **more)
            except Exception as error:
                self._keep(case, f"{type(error).__name__}: {error}")
                raise
            self._keep(case, _read(responses))
            return responses

        return recorded

    def _keep(self, case: str, text: str) -> None:
        digest = hashlib.sha256(case.encode()).hexdigest()[:20]
        if digest not in self.seen:
            self.seen.add(digest)
            with self.path.open("a") as file:
                file.write(_line(f"{digest} {case[-160:]}", text))


def _asked(options: Any) -> str:
    """Return the options that are not as they are by default."""
    plain = type(options)()
    names = options.__dataclass_fields__
    asked = {name: getattr(options, name) for name in names}
    changed = {n: v for n, v in asked.items() if repr(v) != repr(getattr(plain, n))}
    return re.sub(r"\S*pytest-of-[^\s'\"]*/", "TMP/", repr(changed))


def _content(source: Any) -> str:
    many = isinstance(source, (list, tuple))
    digest = hashlib.sha256()
    for one in source if many else [source]:
        if isinstance(one, (str, Path)) and Path(one).exists():
            path = Path(one)
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in files:
                digest.update(file.name.encode())
                if file.is_file():
                    digest.update(file.read_bytes())
        else:
            text = Path(one).name if isinstance(one, Path) else str(one)
            digest.update(text.encode())
    return digest.hexdigest()[:16]


def _read(responses: Any) -> str:
    parts = [str(responses.kinds), str(responses.offer), str(responses.cleaning)]
    parts += list(responses.assumptions)
    for name in ("table", "labels", "items", "gold"):
        frame = getattr(responses, name, None)
        if frame is not None:
            parts.append(f"{name}\n{frame.to_csv()}")
    return "\n".join(parts)


def pytest_configure() -> None:
    """Record under the tests, where the environment says so (``-p benchmarks.net``)."""
    path = os.environ.get(RECORDED)
    if path:
        from consilience.responses import reading

        reading.read_with = _Recorder(Path(path)).wrap(reading.read_with)


def _record_reading(path: Path) -> None:
    path.unlink(missing_ok=True)
    tests = ["tests/responses", "tests/tasks"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.net", *tests]
    subprocess.run(command, env={**os.environ, RECORDED: str(path)}, check=False)


def _commands() -> Iterator[tuple[str, str]]:
    """Run the commands one after another, each on what those before it wrote."""
    reading = "--item photo --label animal"
    fitting = "--model bayesian_dawid_skene --seed 2"
    lines = [
        "models --json",
        f"read demo/answers.csv {reading} --out responses --json",
        f"describe demo/answers.csv {reading} --json",
        "agreement responses --json",
        "agreement responses --by pair --out agreement --json",
        f"fit responses {fitting} --out run --json",
        "fit responses --model majority --out votes --json",
        "score run --gold demo/truth.csv --item photo --label animal --json",
        "export run --out tables --json",
        "predict run responses --out predicted --json",
        "decide run --out decided.csv --json",
        "simulate --out simulated --items 40 --seed 1 --json",
        "simulate --kind objects --items 30 --seed 1 --out objects --json",
        "fit objects --model objects --out orun --json",
        "report run votes --responses responses --out report.html --json",
        "report orun --out oreport.html --json",
        "fit missing.csv --out never --json",
        "fit responses --model nothing --out never --json",
    ]
    with tempfile.TemporaryDirectory() as folder:
        _run("demo --out demo --seed 0 --json", folder)
        yield "demo", Path(folder, "demo", "answers.csv").read_text()
        for line in lines:
            yield line, _run(line, folder)
        for page, runs in {"report.html": "run votes", "oreport.html": "orun"}.items():
            lines = _text(Path(folder, page)).splitlines()
            taken = [_seconds(Path(folder, run)) for run in runs.split()]
            yield page, "\n".join(line for line in lines if line not in taken)


def _run(line: str, folder: str) -> str:
    command = [sys.executable, "-m", "consilience", *line.split()]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    # Progress and times stand on the other stream.
    return f"exit {done.returncode}\n{done.stdout}"


def _seconds(run: Path) -> str:
    return f"{tomllib.loads((run / 'run.toml').read_text())['seconds']:.4g}"


def _text(page: Path) -> str:
    """Return the words of a page, without its styles and programs."""
    if not page.exists():
        return "not written"
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page.read_text(), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[^>]*>", "\n", text))


GROUPS = {"fits": _fits, "objects": _images, "commands": _commands}


def main() -> int:
    """Record or compare, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("more", nargs="*", help="groups; or what to compare with")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.what == "record":
        record(given.folder.resolve(), given.more)
        return 0
    return int(compare(given.folder, Path(given.more[0])) > 0)


if __name__ == "__main__":
    sys.exit(main())
