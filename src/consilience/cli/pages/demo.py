"""The demonstration on one screen, and the same as a picture."""

import io
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from consilience.cli.pages.fit import (
    annotator_table,
    best_and_worst,
    confusion_table,
    verdicts,
)
from consilience.demo import Outcome
from consilience.reports.record import ADVICE
from consilience.tables.terminal import ESTIMATE, TRUTH, DrawnTable, bar, drawn_table
from consilience.whole_folder import whole_file

_WIDTH = 100  # columns of a panel at most; a file has more than anybody reads
_NAMES = {"majority": "majority vote", "auto": "consilience"}


def demo_page(outcome: Outcome) -> Group:
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


def picture(outcome: Outcome, file: Path, *, width: int = _WIDTH) -> None:
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


def _head(outcome: Outcome) -> Text:
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


def _scores(outcome: Outcome) -> DrawnTable:
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


def _open_photos(outcome: Outcome) -> Table:
    items = outcome.fit.items().sort_values("entropy", ascending=False).head(5)
    given = outcome.study.answers.groupby("photo")["animal"]
    truth = outcome.study.truth.set_index("photo")["animal"]
    labels = outcome.fit.labels()
    table = Table("photo", "answers", "posterior", "truth", box=None)
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


def _files(outcome: Outcome) -> Group:
    folder = outcome.folder
    about = {
        "answers.csv, truth.csv": "the input: an export, and the truth for scoring",
        "responses/": "the canonical tables",
        "run/": "the fit: run.toml, fit.nc, tables/*.parquet",
        "tables/": "the same tables as CSV, and soft labels for training",
    }
    if outcome.drawn:
        about["report.html"] = "the report: open it in a browser"
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, what in about.items():
        table.add_row(Text(f"  {name}", ESTIMATE), what)
    parts: list[RenderableType] = [Text(f"Written to {folder}/", "bold"), table]
    if not outcome.drawn:
        parts.append(Text(f"No report, for what draws it is missing: {ADVICE}", "dim"))
    return Group(*parts)
