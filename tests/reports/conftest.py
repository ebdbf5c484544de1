"""Reports to look at: of a small fit with hostile names, and of hand-made tables."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.demo import study
from consilience.fitting import comparing
from consilience.reports import Report, Run, gather, write

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "line\u2028separator \"quoted\" & 'plain'",
    "{{ 7 * 7 }} \u202eright to left",
)


CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text(encoding="utf-8")
NEEDED = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of any size


class Window:
    """A page in a browser, whose elements are named by CSS selectors."""

    def __init__(self, page) -> None:
        self.page = page
        self.run, self.press, self.wait = page.run, page.press, page.wait
        self.send, self.size = page.send, page.size

    def of(self, selector, what="textContent"):
        """What the first such element has, or does."""
        return self.run(f"document.querySelector({json.dumps(selector)}).{what}")

    def every(self, selector, what="textContent"):
        """What each such element has."""
        elements = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return self.run(f"{elements}.map((each) => each.{what})")

    def focus(self, selector):
        self.of(selector, "focus()")

    def choose(self, selector, option):
        """Choose an option, by its value or its text, as a person would."""
        self.run(
            f"(() => {{ const select = document.querySelector({json.dumps(selector)});"
            " select.selectedIndex = [...select.options].findIndex((each) =>"
            f" [each.value, each.text].includes({json.dumps(option)}));"
            " select.dispatchEvent(new Event('change')); })()"
        )

    def events(self, *methods):
        return [e["params"] for e in self.page.events if e["method"] in methods]

    @property
    def active(self):
        return self.run("document.activeElement.id")

    @property
    def count(self):
        return self.of("#items-count")

    @property
    def item(self):
        return self.of("#items-detail h3")

    @property
    def width(self):
        return self.run("document.documentElement.scrollWidth")

    @property
    def nodes(self):
        """Role and name of what a screen reader meets."""
        return [
            (node["role"]["value"], node.get("name", {}).get("value", "").strip())
            for node in self.send("Accessibility.getFullAXTree")["nodes"]
            if not node.get("ignored")
        ]

    @property
    def errors(self):
        return self.events("Log.entryAdded", "Runtime.exceptionThrown")

    @property
    def contrasts(self):
        return self.run(CONTRASTS)

    @property
    def pale(self):
        return [each for each in self.contrasts if each[0] < NEEDED]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Return the files of the reports that have been looked at, by name."""
    return {"folder": tmp_path_factory.mktemp("reports")}


@pytest.fixture
def show(browser_page, written, request):
    """Open a report in a window of a desk, its system light."""

    def opened(name, *, file=None, width=1280, height=900, scheme="light", address=""):
        browser_page.scheme(scheme)
        browser_page.size(width, height)
        if file is None and name not in written:
            written[name] = written["folder"] / f"{name}.html"
            write(request.getfixturevalue(name), written[name])
        browser_page.open(file or written[name], address)
        return Window(browser_page)

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
    return gather({"em": fit}, responses=responses, title=HOSTILE[0], resamples=50)


@pytest.fixture(scope="session")
def yes_or_no():
    """A fit of yes-or-no answers, with its responses."""
    made = cs.simulate(kind="contains", items=30, annotators=6, per_item=4, seed=1)
    return cs.fit(made.responses, model="majority"), made.responses


@pytest.fixture(scope="session")
def contains(yes_or_no) -> Report:
    fitted, responses = yes_or_no
    return gather({"votes": fitted}, responses=responses, resamples=50)


@pytest.fixture(scope="session")
def beside(fit, counted, responses) -> Report:
    return gather({"em": fit, "votes": counted}, responses=responses, resamples=50)


def text(values) -> pd.Categorical:
    return pd.Categorical(values, categories=pd.unique(pd.Series(values).dropna()))


def frame(names, *rows) -> pd.DataFrame:
    """Return a table of these columns, texts as categories."""
    made = pd.DataFrame(rows, columns=names.split())
    texts = made.select_dtypes(exclude=["number", "bool"])
    return made.assign(**{name: text(column) for name, column in texts.items()})


def hand_made(kind: str, answers=None, **tables: pd.DataFrame) -> Run:
    """Return a run of given tables; those that are not given are empty."""
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
    run = hand_made(
        "objects",
        labels=frame(
            "item label probability lower upper",
            ("one", "desk", 0.99, 0.97, 1.0),
            ("one", "lamp", 0.6, 0.4, 0.8),
            ("two", "husky", 0.95, 0.9, 0.99),
            ("two", "malamute", 0.9, 0.7, 0.95),
        ),
        items=frame(
            "item label probability entropy responses tied objects main_label",
            ("one", "desk", 0.8, 0.5, 9, False, 2, "desk"),
            ("two", "husky", 0.95, 0.2, 9, False, 1, "husky"),
        ),
        objects=frame(
            "item object label share probability main_probability",
            ("one", 0, "desk", 1.0, 0.99, 0.8),
            ("one", 1, "lamp", 1.0, 0.6, 0.2),
            ("two", 3, "husky", 0.7, 0.97, 1.0),
            ("two", 3, "malamute", 0.3, 0.97, 1.0),
        ),
        object_counts=frame(
            "item threshold objects probability",
            *(("one", 0.1, 1, 0.4), ("one", 0.1, 2, 0.6), ("two", 0.1, 1, 1.0)),
        ),
        same_object=frame(
            "item label other_label probability",
            *(("one", "desk", "lamp", 0.02), ("two", "husky", "malamute", 0.91)),
        ),
        ambiguity=frame(
            "item structure naming salience",
            *(("one", 0.3, 0.0, 0.5), ("two", 0.05, 0.61, 0.0)),
        ),
        confusion=frame("annotator true_label given_label probability lower upper"),
        annotators=pd.DataFrame(),
        answers=frame(
            "item annotator label answer n main response",
            ("one", "ada", "desk", None, 1, True, 0),
            ("one", "ada", "lamp", None, 1, False, 0),
            ("two", "ben", "husky", None, 2, True, 1),
        ),
    )
    return only(run)


@pytest.fixture(scope="session")
def many() -> Report:
    """Three thousand items, the later the less sure, and confusions of many labels."""
    sure = np.linspace(1, 0.5, 3000)
    names = [f"item {number}" for number in range(3000)]
    labels = frame("item label", *itertools.product(names, ["cat", "dog"]))
    two = np.column_stack([sure, 1 - sure]).ravel()
    items = frame("item label", *((name, "cat") for name in names))
    items["label"] = items["label"].cat.set_categories(["cat", "dog"])
    cells = [
        (None, f"label {one}", f"label {(one + other) % 25}", *numbers)
        for one in range(25)
        for other, numbers in enumerate([(0.9, 0.8, 0.95), (0.1, 0.05, 0.2)])
    ]
    run = hand_made(
        "choice",
        labels=labels.assign(probability=two, lower=np.nan, upper=np.nan),
        items=items.assign(
            probability=sure,
            entropy=np.linspace(0, 0.693, 3000),
            responses=5,
            tied=np.arange(3000) == 2999,
        ),
        annotators=pd.DataFrame(),
        confusion=frame(
            "annotator true_label given_label probability lower upper", *cells
        ),
    )
    return only(run)


@pytest.fixture(scope="session")
def mixture():
    """A fit of the default, whose labels are the mean of two models."""
    given = study(0, num_photos=30).responses()
    with pytest.MonkeyPatch.context() as patch:
        quick = ("hierarchical_dawid_skene", "community_bcc")
        patch.setattr(comparing, "CANDIDATES", quick)
        return cs.fit(given, effort=cs.EngineOptions(restarts=1, draws=20))
