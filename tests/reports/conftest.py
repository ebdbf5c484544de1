"""Reports to look at: of a small fit with hostile names, and of hand-made tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.reports import Report, Run, gather, write

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "line\u2028separator \"quoted\" & 'plain'",
    "{{ 7 * 7 }} \u202eright to left",
)


@pytest.fixture
def show(browser_page, files):
    """Open a report in a window of a desk, its system light."""

    def opened(name, *, width=1280, height=900, scheme="light", address=""):
        browser_page.scheme(scheme)
        browser_page.size(width, height)
        browser_page.open(files[name], address)
        return browser_page

    return opened


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    return HOSTILE


@pytest.fixture(scope="session")
def responses():
    """Forty items and five annotators, whose labels would be markup if not text."""
    generator = np.random.default_rng(3)
    truth = generator.integers(0, len(HOSTILE), 40)
    rows = []
    for item in range(40):
        for who in range(5):
            right = generator.random() < 0.5 + 0.09 * who
            said = truth[item] if right else generator.integers(0, len(HOSTILE))
            name = f"<b>annotator {who}</b>"
            rows.append((f"<i>item</i> {item:02d}", name, HOSTILE[said]))
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return cs.read(frame, labels=list(HOSTILE))


@pytest.fixture(scope="session")
def fit(responses):
    return cs.fit(responses, model="bayesian_dawid_skene", engine="em", seed=0)


@pytest.fixture(scope="session")
def counted(responses):
    return cs.fit(responses, model="majority")


@pytest.fixture(scope="session")
def report(fit, responses) -> Report:
    return gather({"em": fit}, responses=responses, title=HOSTILE[0], bootstrap=50)


@pytest.fixture(scope="session")
def contains() -> Report:
    made = cs.simulate(kind="contains", items=30, annotators=6, per_item=4, seed=1)
    fitted = cs.fit(made.responses, model="majority")
    return gather({"votes": fitted}, responses=made.responses, bootstrap=50)


@pytest.fixture(scope="session")
def beside(fit, counted, responses) -> Report:
    return gather({"em": fit, "votes": counted}, responses=responses, bootstrap=50)


def text(values) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.unique(pd.Series(values).dropna()))


def hand_made(kind: str, **tables: pd.DataFrame) -> Run:
    """Return a run of given tables; those that are not given are empty."""
    answers = tables.pop("answers", None)
    return Run(
        name="made",
        kind=kind,
        model="objects",
        engine="nuts",
        engine_reason="it was requested",
        version="0.1.0",
        seed=0,
        prob=0.9,
        seconds=1.0,
        reported_posterior="raw",
        assumptions=(),
        sources={},
        tables=tables,
        answers=answers,
    )


def only(run: Run, **more) -> Report:
    """Return a report of one run."""
    whole = {
        "title": "Made by hand",
        "runs": (run,),
        "description": None,
        "cleaning": None,
        "cleaned_assumptions": (),
        "dataset_labels": {},
        "agreement": None,
        "no_agreement": "nothing to compare",
        "pairs": {},
        "evaluation": {},
        "study": None,
        "pictures": {},
        "images_missing": 0,
    }
    return Report(**{**whole, **more})


@pytest.fixture(scope="session")
def objects() -> Report:
    """Two pictures: one of a desk with a lamp, one of a dog that has two names."""
    nothing = pd.Categorical([], categories=[])
    empty = dict.fromkeys(("annotator", "true_label", "given_label"), nothing)
    run = hand_made(
        "objects",
        labels=pd.DataFrame(
            {
                "item": text(["one", "one", "two", "two"]),
                "label": text(["desk", "lamp", "husky", "malamute"]),
                "probability": [0.99, 0.6, 0.95, 0.9],
                "lower": [0.97, 0.4, 0.9, 0.7],
                "upper": [1.0, 0.8, 0.99, 0.95],
            }
        ),
        items=pd.DataFrame(
            {
                "item": text(["one", "two"]),
                "label": text(["desk", "husky"]),
                "probability": [0.8, 0.95],
                "entropy": [0.5, 0.2],
                "responses": [9, 9],
                "tied": [False, False],
                "objects": [2, 1],
                "main_label": text(["desk", "husky"]),
            }
        ),
        objects=pd.DataFrame(
            {
                "item": text(["one", "one", "two", "two"]),
                "object": [0, 1, 3, 3],
                "label": text(["desk", "lamp", "husky", "malamute"]),
                "share": [1.0, 1.0, 0.7, 0.3],
                "probability": [0.99, 0.6, 0.97, 0.97],
                "main_probability": [0.8, 0.2, 1.0, 1.0],
            }
        ),
        object_counts=pd.DataFrame(
            {
                "item": text(["one", "one", "two"]),
                "tau": [0.1, 0.1, 0.1],
                "objects": [1, 2, 1],
                "probability": [0.4, 0.6, 1.0],
            }
        ),
        same_object=pd.DataFrame(
            {
                "item": text(["one", "two"]),
                "label_a": text(["desk", "husky"]),
                "label_b": text(["lamp", "malamute"]),
                "probability": [0.02, 0.91],
            }
        ),
        ambiguity=pd.DataFrame(
            {
                "item": text(["one", "two"]),
                "structure": [0.3, 0.05],
                "naming": [0.0, 0.61],
                "salience": [0.5, 0.0],
            }
        ),
        confusion=pd.DataFrame({**empty, "probability": [], "lower": [], "upper": []}),
        annotators=pd.DataFrame(),
        answers=pd.DataFrame(
            {
                "item": text(["one", "one", "two"]),
                "annotator": text(["ada", "ada", "ben"]),
                "label": text(["desk", "lamp", "husky"]),
                "answer": text([None, None, None]),
                "n": [1, 1, 2],
                "main": [True, False, True],
                "response": [0, 0, 1],
            }
        ),
    )
    return only(run)


@pytest.fixture(scope="session")
def many() -> Report:
    """Three thousand items, the later the less sure, and confusions of many labels."""
    names = [f"item {number}" for number in range(3000)]
    sure = np.linspace(1, 0.5, 3000)
    two = np.column_stack([sure, 1 - sure]).ravel()
    names_of_labels = [f"label {number}" for number in range(25)]
    one, other = np.divmod(np.arange(50), 2)
    confusion = pd.DataFrame(
        {
            "annotator": pd.Categorical([None] * 50, categories=["nobody"]),
            "true_label": text([names_of_labels[each] for each in one]),
            "given_label": text(
                [names_of_labels[(a + b) % 25] for a, b in zip(one, other, strict=True)]
            ),
            "probability": np.tile([0.9, 0.1], 25),
            "lower": np.tile([0.8, 0.05], 25),
            "upper": np.tile([0.95, 0.2], 25),
        }
    )
    run = hand_made(
        "choice",
        labels=pd.DataFrame(
            {
                "item": text(np.repeat(names, 2)),
                "label": text(["cat", "dog"] * 3000),
                "probability": two,
                "lower": np.nan,
                "upper": np.nan,
            }
        ),
        items=pd.DataFrame(
            {
                "item": text(names),
                "label": pd.Categorical(["cat"] * 3000, categories=["cat", "dog"]),
                "probability": sure,
                "entropy": np.linspace(0, 0.693, 3000),
                "responses": np.full(3000, 5),
                "tied": np.arange(3000) == 2999,
            }
        ),
        annotators=pd.DataFrame(),
        confusion=confusion,
    )
    return only(run)


@pytest.fixture(scope="session")
def files(tmp_path_factory, report, beside, contains, objects, many) -> dict[str, Path]:
    """Return each report written."""
    folder = tmp_path_factory.mktemp("reports")
    results = {
        "report": report,
        "beside": beside,
        "contains": contains,
        "objects": objects,
        "many": many,
    }
    for name, made in results.items():
        write(made, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in results}
