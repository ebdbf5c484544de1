"""Agreement as tables: coefficients with the interval that there is, labels, pairs."""

import pandas as pd

from consilience.analysis.reliability import Agreement
from consilience.tables import CATALOGUE, Table

# Pairs that share fewer questions are at the ends of any list by chance.
MIN_QUESTIONS = 10


def coefficients(agreement: Agreement) -> Table:
    """Return the coefficients that are defined; without resamples, published bounds."""
    rows = agreement.coefficients
    rows = rows[rows["reason"] == ""]
    published = rows["lower"].isna() & rows["se"].notna()
    rows = rows.assign(
        coefficient=[_identifier(agreement, name) for name in rows["coefficient"]],
        lower=rows["lower"].fillna(rows["se_lower"]),
        upper=rows["upper"].fillna(rows["se_upper"]),
        # Plain agreement is held against no chance.
        expected=rows["expected"].mask(rows["coefficient"] == "percent"),
    )
    schema = CATALOGUE["coefficients"]
    named = [cell.text for cell in schema.of(rows[published]).cells("coefficient")]
    note = f"They are over {agreement.resamples:,} resamples of the items"
    if not agreement.resamples:
        note = "They are from the published variance"
    elif named:
        note += f"; those of {', '.join(named)} are from the published variance"
    return Table(schema=schema, frame=rows, prob=agreement.prob, note=f"{note}.")


def undefined(agreement: Agreement) -> dict[str, list[str]]:
    """Return the coefficients that are not defined, by the reason."""
    rows = agreement.coefficients
    words = CATALOGUE["coefficients"].column("coefficient").values
    reasons: dict[str, list[str]] = {}
    for row in rows[rows["reason"] != ""].to_dict("records"):
        name = words[_identifier(agreement, str(row["coefficient"]))]
        reasons.setdefault(str(row["reason"]), []).append(name)
    return reasons


def _identifier(agreement: Agreement, coefficient: str) -> str:
    """Return the name of a coefficient, given what was compared."""
    if coefficient == "percent" and agreement.distance != "nominal":
        return "similarity"
    if coefficient == "cohen" and agreement.annotators != 2:
        return "cohen_mean"
    return coefficient


def labels(agreement: Agreement) -> Table:
    """Return agreement on the labels that are given, those given most first."""
    frame = pd.DataFrame() if agreement.labels is None else agreement.labels
    if len(frame):
        frame = frame[frame["share"] > 0]
        frame = frame.sort_values("share", ascending=False, kind="stable")
    return CATALOGUE["agreement_labels"].of(frame, agreement.prob)


def pairs(agreement: Agreement) -> Table:
    """Return pairs of annotators that can be compared, those who agree least first."""
    schema = CATALOGUE["agreement_pairs"]
    if agreement.pairs is None or agreement.pairs.empty:
        return schema.of(pd.DataFrame(), agreement.prob)
    ends = ["annotator", "other"]
    both = agreement.pairs[ends].astype(str).agg(" and ".join, axis=1)
    rows = agreement.pairs.assign(pair=both)
    compared = rows["kappa"].notna() & (rows["questions"] >= MIN_QUESTIONS)
    note = f"Of {len(rows):,} pairs."
    if not compared.all():
        note = (
            f"{int((~compared).sum()):,} of {len(rows):,} pairs share fewer than "
            f"{MIN_QUESTIONS} questions, or have no kappa because both gave one answer "
            "only."
        )
    rows = rows[compared].sort_values("kappa", kind="stable")
    return Table(schema=schema, frame=rows, prob=agreement.prob, note=note)
