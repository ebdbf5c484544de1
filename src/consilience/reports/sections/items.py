"""Items: the browser, and for paper the most ambiguous of them."""

from consilience.reports.content import Column, Section, Table, numbers, texts
from consilience.reports.record import Report

_ON_PAPER = 40


def items(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    table = run.table("items").sort_values("entropy", ascending=False, kind="stable")
    shown = table.head(_ON_PAPER)
    columns: list[Column] = [
        texts("Item", shown["item"]),
        texts("Label", shown["label"]),
        numbers("Probability", list(shown["probability"]), "{:.3f}"),
        numbers("Entropy, nats", list(shown["entropy"]), "{:.3f}"),
        numbers("Answers", list(shown["responses"].astype(float)), "{:,.0f}"),
    ]
    caption = f"The {len(shown):,} most ambiguous of {len(table):,} items"
    paper = Table(caption, tuple(columns), on_paper=True)
    return Section("items", "Items", (paper,), app="items")
