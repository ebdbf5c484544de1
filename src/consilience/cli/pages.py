"""What commands print: a fit on one screen, and the demonstration."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from consilience.errors import as_options
from consilience.intervals import bounds
from consilience.posterior import Fit
from consilience.posterior.annotators import skills
from consilience.posterior.flags import flagged_first
from consilience.posterior.stored import copies
from consilience.posterior.tables import SEEN
from consilience.posterior.trust import FAILED, PASSED, is_sound, trust
from consilience.posterior.truth import MIXTURE
from consilience.presence.space import PRESENT
from consilience.tables import CATALOGUE, Table
from consilience.tables.catalogue import together
from consilience.tables.terminal import (
    BAD,
    ESTIMATE,
    GOOD,
    TRUTH,
    WARNING,
    DrawnTable,
    bar,
    drawn_table,
    terminal,
)
from consilience.whole_folder import whole_file

if TYPE_CHECKING:
    from consilience.demo import Outcome

_MANY = 200_000  # answers
# A confusion of more labels than this is wider than a terminal.
_MAX_LABELS = 8


def fit_page(fitted: Fit) -> Group:
    """Return the page: engine, items, annotators, what was known, checks."""
    attributes = fitted.data.attrs
    engine = f"{attributes['model']} by {attributes['engine']}"
    head = Text.assemble(
        (engine, "bold"),
        f": {as_options(attributes['engine_reason'])}; {attributes['seconds']} s",
    )
    assumed = [
        Text(f"assumed: {as_options(sentence)}")
        for sentence in json.loads(attributes["assumptions"])
    ]
    parts: list[RenderableType] = [Text(), head, *assumed]
    compared = fitted.comparison()
    if len(compared):
        parts += [Text(), comparison_table(compared)]
    parts += [Text(), certainty(fitted)]
    if attributes["kind"] == "objects":
        parts += [Text(), object_table(fitted.items()["objects"])]
    people = skills(fitted.data).dropna(subset="accuracy")
    if len(people):
        parts += [Text(), annotator_table(best_and_worst(people))]
    groups = CATALOGUE["annotator_groups"].of(fitted.table("annotator_groups"))
    if len(groups.frame):
        names = ("group", "annotators", "responses", "accuracy")
        parts += [Text(), terminal(groups, *names, drawn="accuracy")]
    styles = CATALOGUE["styles"].of(fitted.table("styles"))
    if len(styles.frame):
        parts += [Text(), terminal(styles, drawn="share")]
    parts += covariate_effects(fitted)
    population = fitted.confusion()
    population = population[population["annotator"].isna()]
    if 0 < population["true_label"].nunique() <= _MAX_LABELS:
        parts += [Text(), confusion_table(population, "the population")]
    return Group(*parts, Text(), *verdicts(fitted.diagnostics()), Text())


def fit_summary(fitted: Fit) -> Group:
    """Return on a screen what was fitted, and whether to trust it and why."""
    attributes, compared = fitted.data.attrs, fitted.comparison()
    counted = fitted.data.children.get("observed_data")
    sizes = [] if counted is None else [f"{int(counted['n'].sum()):,} answers"]
    people = skills(fitted.data)
    sizes += [f"{len(fitted.items()):,} items", f"{len(people):,} annotators"]
    name = f"{attributes['model']} by {attributes['engine']}"
    head = Text.assemble(
        (name, "bold"), f": {', '.join(sizes)}, {attributes['seconds']:.0f} s"
    )
    assumed = json.loads(attributes.get("assumptions", "[]"))
    alike = assumed[: len(copies(fitted.data))]  # the first of what is assumed
    parts: list[RenderableType] = [Text()]
    parts += [Text(as_options(sentence), WARNING) for sentence in alike]
    if "gold" in fitted.data.children:
        parts.append(Text(fitted.data["gold"].attrs["sentence"]))
    parts += [head, *_why_this(fitted, compared), Text(), certainty(fitted)]
    if attributes["kind"] == "objects":
        parts.append(object_table(fitted.items()["objects"]))
    accuracy = people["accuracy"].dropna()
    if len(accuracy):
        (low, high), middle = bounds(accuracy.to_numpy(float), 0.5), accuracy.median()
        parts.append(
            Text(
                f"\naccuracy of annotators: {accuracy.min():.2f} to "
                f"{accuracy.max():.2f}, half of them {low:.2f} to {high:.2f}, "
                f"median {middle:.2f}"
            )
        )
        # Of more answers, the command `annotators` says it, which takes seconds.
        few = counted is not None and int(counted["n"].sum()) <= _MANY
        talk = fitted.annotators() if few else people[:0].assign(flag="")
        talk = flagged_first(talk[talk["flag"] != ""])
        if len(talk):
            first = [f"{row.annotator} ({row.flag})" for row in talk[:3].itertuples()]
            more = f", and {len(talk) - 3:,} more" if len(talk) > 3 else ""
            parts.append(Text(f"to talk to: {', '.join(first)}{more}", WARNING))
    return Group(*parts, *trust_and_remedy(fitted.diagnostics()))


def _why_this(fitted: Fit, compared: pd.DataFrame) -> list[Text]:
    """Say what the truth and the annotators of a fit are, in a sentence each."""
    attributes = fitted.data.attrs
    if attributes["kind"] == "contains":
        why = attributes["engine_reason"]
        assumed = json.loads(attributes["assumptions"])
        meaning = [each for each in assumed if each.startswith(PRESENT)]
        return [Text(each) for each in [why] * (MIXTURE in why) + meaning]
    weight = compared[compared["weight"] >= SEEN]
    if len(weight) < 2:
        return []
    weight = weight.sort_values("weight", ascending=False)
    shares = ", ".join(f"{row.model} {row.weight:.2f}" for row in weight.itertuples())
    bounded = "of_all" not in attributes and is_sound(fitted.diagnostics())
    hold = ", whose intervals hold" if bounded else ""  # of shards there are none
    return [
        Text(
            "labels: mean of several models, weighted by how well they predict answers "
            f"and how little their labels vary: {shares}"
        ),
        Text(f"annotators: of {attributes['model']}{hold}"),
    ]


def trust_line(checks: pd.DataFrame) -> Text:
    """Say in one line whether to trust a fit."""
    if not is_sound(checks):
        return Text(trust(checks), f"bold {BAD}")
    passed = bool((checks["outcome"] == PASSED).all())
    return Text(trust(checks), GOOD if passed else WARNING)


def trust_and_remedy(checks: pd.DataFrame) -> list[Text]:
    """Say whether to trust a fit, and what to do about the first of what is amiss."""
    failed = checks[checks["outcome"] == FAILED]
    rest = failed if len(failed) else checks[checks["outcome"] != PASSED]
    line = trust_line(checks)
    remedies = [
        Text(f"{row['name']}: {as_options(row['remedy'])}", line.style)
        for row in rest.head(1).to_dict("records")
    ]
    if len(rest) > 1:
        remedies.append(Text("what to do about the rest: -v, or the report", "dim"))
    return [line, *remedies]


def certainty(fitted: Fit) -> DrawnTable:
    """Return how many items (contains: questions) are how certain."""
    if fitted.data.attrs["kind"] == "contains":
        what = "pairs of item and label"
        present = fitted.labels()["probability"].to_numpy()
        sure, tied = np.maximum(present, 1 - present), int((present == 0.5).sum())
    else:
        items = fitted.items()
        what, sure = "items", items["probability"].to_numpy()
        tied = int(items["tied"].sum())
    table = drawn_table(f"{len(sure):,} {what}", "P(best answer)")
    bands = ((0.99, np.inf), (0.9, 0.99), (0.7, 0.9), (0.0, 0.7))
    for low, high in bands:
        count = int(((sure >= low) & (sure < high)).sum())
        name = f"{low:.2f} or more" if high > 1 else f"{low:.2f} to {high:.2f}"
        table.add_row(f"{count:,}", name, line=bar(count / max(len(sure), 1)))
    if tied:
        table.add_row(
            f"{tied:,}",
            "tied: no answer leads",
            line=lambda _: Text("ambiguous", WARNING),
        )
    return table


def object_table(objects: pd.Series) -> DrawnTable:
    """Return how many items hold how many objects."""
    table = drawn_table("items", "objects")
    for number, items in objects.value_counts().sort_index().items():
        table.add_row(f"{items:,}", str(number), line=bar(items / len(objects)))
    return table


def comparison_table(compared: pd.DataFrame) -> DrawnTable:
    """Return the models that were compared, the best first."""
    table = CATALOGUE["comparison"].of(compared)
    names = ("model", "elpd", "difference", "weight")
    made = drawn_table(*(table.schema.column(name).head for name in names))
    columns = zip(
        *(table.cells(name) for name in (*names, "difference_se")), strict=True
    )
    for model, elpd, difference, weight, error in columns:
        lacks = f"{difference.text} ± {error.text}" if difference.value else "best"
        cells = (Text(model.text), elpd.text, lacks, weight.text)
        made.add_row(*cells, line=bar(weight.value))
    return made


def best_and_worst(people: pd.DataFrame) -> Table:
    """Return the four best and the four worst annotators, the best first."""
    return CATALOGUE["annotators"].of(people).sort("accuracy").ends(4)


def annotator_table(people: Table, truth: Sequence[float] = ()) -> DrawnTable:
    """Return annotators with their accuracy drawn to scale, and the truth if known."""
    names = ["annotator", "responses", "accuracy"]
    names += [name for name in ("sensitivity", "specificity") if name in people.frame]
    return terminal(people, *names, drawn="accuracy", truth=truth)


def covariate_effects(fitted: Fit) -> list[RenderableType]:
    """Return the weights of the prior covariates, and their information."""
    prob = float(fitted.data.attrs["prob"])
    weights = CATALOGUE["covariate_effects"].of(fitted.table("covariate_effects"), prob)
    if weights.frame.empty:
        return []
    information = together(fitted.table("relative_information"))
    sentence = f"{weights.schema.title}. {information}"
    table = terminal(weights, "column", "weight", "slope", bounds="weight")
    return [Text(), Text(sentence.strip()), table]


def confusion_table(cells: pd.DataFrame, whose: str) -> RichTable:
    """Return P(answer | truth), of one annotator or the population, coloured."""
    square = cells.pivot_table(
        index="true_label", columns="given_label", values="probability", observed=True
    )
    table = RichTable(f"P(answer | truth), {whose}", box=None, padding=(0, 1))
    for name in square.columns:
        table.add_column(Text(str(name)), justify="right")
    for name, row in zip(square.index, square.to_numpy(), strict=True):
        shades = [Text(f"{p:.2f}", style=_shade(p)) for p in row]
        table.add_row(Text(str(name)), *shades)
    return table


def verdicts(checks: pd.DataFrame) -> list[RenderableType]:
    """Return what the checks say: one line when all is well, else what to do."""
    line, failed = trust_line(checks), checks["outcome"] == FAILED
    if failed.any():
        fixes = checks[failed].assign(remedy=checks["remedy"].map(as_options))
        shown = CATALOGUE["diagnostics"].of(fixes)
        names = ("name", "value", "limit", "remedy")
        heads = (shown.schema.column(name).head for name in names)
        table = RichTable(*heads, box=None)
        for cells in zip(*(shown.cells(name) for name in names), strict=True):
            table.add_row(*(Text(cell.text) for cell in cells))
        return [line, table]
    rest = checks[checks["outcome"] != PASSED].to_dict("records")
    remedies = [f"{row['name']}: {as_options(row['remedy'])}" for row in rest]
    return [line, *(Text(each, line.style) for each in remedies)]


def _shade(probability: float) -> str:
    steps = ("dim", "", WARNING, f"bold {GOOD}")
    return steps[int(np.searchsorted((0.05, 0.15, 0.5), probability))]


_WIDTH = 100  # columns of a panel at most; a file has more than anybody reads
_NAMES = {"majority": "majority vote", "auto": "consilience"}


def demo_page(outcome: "Outcome") -> Group:
    """Return what was asked, what was found, and how much of it is true."""
    people = best_and_worst(outcome.accuracy)
    prob = f"{outcome.fit.data.attrs['prob']:.0%}"
    population = outcome.fit.confusion()
    population = population[population["annotator"].isna()]
    caught = Text(
        f"● estimate, ━ {prob} interval, ◆ truth; the intervals of {outcome.covered} "
        f"of {len(outcome.accuracy)} annotators contain the truth",
        style="dim",
    )
    return Group(
        _head(outcome),
        _panel("How much of the truth was recovered", _scores(outcome)),
        _panel(
            "How good is each annotator? The four best and the four worst",
            Group(annotator_table(people, list(people.frame["truth"])), caught),
        ),
        _panel(
            "Which labels are confused",
            confusion_table(population, "an answer at random"),
        ),
        _panel("The most uncertain photos", _open_photos(outcome)),
        *verdicts(outcome.fit.diagnostics()),
        _files(outcome),
    )


def picture(outcome: "Outcome", file: Path, *, width: int = _WIDTH) -> None:
    """Write the page as an SVG picture of a terminal of so many columns."""
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(demo_page(outcome))
    svg = console.export_svg(title="consilience demo", unique_id="demo")
    with whole_file(file) as partial:
        partial.write_text(svg, encoding="utf-8")


def _head(outcome: "Outcome") -> Text:
    responses, attributes = outcome.responses, outcome.fit.data.attrs
    return Text.assemble(
        (f"{responses.num_items} photos", "bold"),
        f" of {responses.num_labels} animals, {responses.num_responses:,} answers of ",
        (f"{responses.num_annotators} annotators", "bold"),
        f"; {attributes['model']} by {attributes['engine']}, {outcome.seconds:.0f} s",
    )


def _panel(title: str, body: RenderableType) -> Constrain:
    panel = Panel(body, title=Text(title, "bold"), title_align="left", style="")
    return Constrain(panel, _WIDTH)


def _scores(outcome: "Outcome") -> DrawnTable:
    names = ("", "photos right", "90% interval", "log-loss", "Brier")
    table = drawn_table(*names, scale=True)
    for name, score in outcome.scores.items():
        right = score.metrics["accuracy"]
        table.add_row(
            Text(_NAMES[name], "bold" if name != "majority" else ""),
            f"{right.value:.1%}",
            f"{right.lower:.1%} to {right.upper:.1%}",
            f"{score.metrics['log_loss'].value:.2f}",
            f"{score.metrics['brier'].value:.2f}",
            line=bar(right.value, rest=True),
        )
    return table


def _open_photos(outcome: "Outcome") -> RichTable:
    items = outcome.fit.items().sort_values("entropy", ascending=False).head(5)
    given = outcome.study.answers.groupby("photo")["animal"]
    truth = outcome.study.truth.set_index("photo")["animal"]
    labels = outcome.fit.labels()
    table = RichTable("photo", "answers", "posterior", "truth", box=None)
    for item in items["item"]:
        answers = given.get_group(item).value_counts()
        first = labels[labels["item"] == item].nlargest(2, "probability")
        leading = map("{} {:.2f}".format, first["label"], first["probability"])
        table.add_row(
            str(item),
            ", ".join(f"{count} {name}" for name, count in answers.items()),
            Text(", ".join(leading), ESTIMATE),
            Text(str(truth[item]), TRUTH),
        )
    return table


def _files(outcome: "Outcome") -> Group:
    folder = outcome.folder
    about = {
        "answers.csv, truth.csv": "the input: an export, and the truth for scoring",
        "responses/": "the canonical tables",
        "run/": "the fit: run.toml, fit.nc, tables/*.parquet",
        "tables/": "the same tables as CSV, and soft labels for training",
    }
    if outcome.drawn:
        about["report.html"] = "the report: open it in a browser"
    table = RichTable(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, what in about.items():
        table.add_row(Text(f"  {name}", ESTIMATE), what)
    parts: list[RenderableType] = [Text(f"Written to {folder}/", "bold"), table]
    if not outcome.drawn:
        from consilience.reports.content import ADVICE

        parts.append(Text(f"No report, for what draws it is missing: {ADVICE}", "dim"))
    return Group(*parts)
