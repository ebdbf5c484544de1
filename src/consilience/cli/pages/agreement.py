"""Agreement on one screen: the coefficients on a common scale, and remarks."""

from rich.console import Group, RenderableType
from rich.text import Text

from consilience.analysis import Agreement
from consilience.analysis import agreement_tables as shown
from consilience.errors import as_options
from consilience.tables.terminal import terminal

_MAX_LABELS = 15
_MAX_PAIRS = 5


def agreement_page(agreement: Agreement) -> Group:
    """Return the page: what was compared, coefficients, notes, further tables."""
    coefficients = terminal(shown.coefficients(agreement), drawn="value")
    parts: list[RenderableType] = [Text(), _head(agreement), Text(), coefficients]
    for reason, names in shown.undefined(agreement).items():
        sentence = f"Not defined: {', '.join(names)} ({as_options(reason)})."
        parts.append(Text(sentence, "dim"))
    labels = shown.labels(agreement).first(_MAX_LABELS)
    for table in (labels, shown.pairs(agreement).ends(_MAX_PAIRS)):
        if len(table.frame):
            parts += [Text(), terminal(table, drawn="kappa")]
        elif table.note:
            parts += [Text(), Text(table.note, "dim")]
    notes = [
        Text(as_options(f"{note[0].upper()}{note[1:]}."), "dim")
        for note in agreement.notes
    ]
    return Group(*parts, *([Text(), *notes] if notes else []), Text())


def _head(agreement: Agreement) -> Text:
    units = f"{agreement.items:,} items"
    if agreement.kind == "contains":
        units = f"{agreement.questions:,} pairs of item and label"
    people = "without ids"
    if agreement.annotators:
        people = f"by {agreement.annotators:,} annotators"
    what = {
        "choice": f"{agreement.categories:,} labels",
        "contains": "no maybe yes" if agreement.categories == 3 else "no yes",
        "objects": f"{agreement.categories:,} different sets of labels",
    }[agreement.kind]
    alike = {
        "nominal": "equal or not",
        "ordinal": "alike by rank",
        "interval": "alike by squared difference",
        "ratio": "alike by squared ratio",
        "jaccard": "alike by Jaccard's distance",
        "masi": "alike by MASI",
    }[agreement.distance]
    return Text.assemble(
        (f"{agreement.answers:,} answers", "bold"),
        f" to {units} {people}; {what}, {alike}",
    )
