"""Whether annotators err independently, and whether anybody counts twice.

`posterior.correlation` estimates how far the residuals of answers to one item go
together, and tempering follows it; here it is judged.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from consilience.checks.samples import sample_pairs
from consilience.checks.verdict import Verdict, at_most, cannot_tell
from consilience.posterior.correlation import Residual
from consilience.posterior.effective import worth_in_words
from consilience.posterior.stored import ALIKE, copies
from consilience.posterior.trust import CORRECTED, FAILED
from consilience.when_used import xr

# One data set in a hundred fails by chance. Tempering does not depend on it.
LIMIT = 2.33
# A correlation that matters: it makes six answers worth 4.6 (a design effect of 1.3).
# On public sets that tempering helps, the smallest are .029 and .036 (trec, zc_in). In
# simulated studies of 1,000 items with six answers, whose annotators share difficulties
# and tempting wrong labels, it was .022 and .024, and the log-loss of the raw posterior
# .54 where that of the exact one was .29.
MATTERS = 0.02
# Chance of seeing it without which the data are too few. Six such studies of 200 items
# had one of about .28, and none was rejected; independent ones have .8 from about 2,000
# items with six answers.
CHANCE = 0.8


def rejected(residual: Residual) -> bool:
    """Return whether independent annotators would hardly ever correlate as much."""
    return bool(residual.z > LIMIT)


def detectable(residual: Residual) -> float:
    """Return the correlation that would be rejected with probability CHANCE."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.divide(residual.correlation, residual.z)
    return float((LIMIT + NormalDist().inv_cdf(CHANCE)) * error)


def annotators_alike(data: xr.DataTree) -> list[Verdict]:
    """Judge whether anybody counts twice, by another's answers."""
    if "copies" not in data.attrs:
        return []
    twice = [pair for pair in copies(data) if not pair["left_out"]]
    remedy = "; ".join(
        f"{pair['annotator']} answers like {pair['copy_of']} ({pair['same']:,} of "
        f"{pair['common']:,} common answers are the same, {pair['expected']:.0f} were "
        'to be expected): count the two as one (`copies="merge"`)'
        for pair in twice
    )
    largest = max((pair["probability"] for pair in twice), default=0.0)
    return [at_most("annotators_alike", largest, ALIKE, remedy)]


def independence(data: xr.DataTree) -> list[Verdict]:
    """Judge whether annotators err independently."""
    pairs = sample_pairs(data)
    if pairs:
        first = pairs[0]
        more = f" (and {len(pairs) - 1} more pairs)" if len(pairs) > 1 else ""
        remedy = (
            f"{first.sentence()}{more}: if they are samples of one language model, fit "
            "with a table of annotators (`annotators=`) that says so in the columns "
            f"annotator and repeat_of: {first.other} is a sample of {first.one}"
        )
        return [Verdict("independence", first.z, LIMIT, FAILED, remedy)]
    attributes = data["truth"].attrs
    if "residual_correlation" not in attributes:
        return []
    residual = Residual(
        attributes["residual_correlation"],
        attributes["residual_z"],
        attributes.get("residual_common", np.nan),
    )
    if not np.isfinite(residual.z):
        how = (
            "fewer than two items have two answers, so correlated errors cannot be "
            "detected"
        )
        return [cannot_tell("independence", LIMIT, how)]
    if not (rejected(residual) or detectable(residual) <= MATTERS):
        how = (
            f"a residual correlation of {MATTERS} already matters, and these answers "
            f"would probably not reveal one below {detectable(residual):.3f}: "
            "the posterior of the truth is tempered by what is usual; compare it with "
            "gold labels, or collect more answers"
        )
        return [cannot_tell("independence", LIMIT, how, residual.z)]
    if not rejected(residual):
        return [at_most("independence", residual.z, LIMIT, "")]
    how = (
        "errors of annotators are correlated (residual correlation "
        f"{residual.correlation:.3f}){worth_in_words(data)}. So the posterior of the "
        "truth is tempered by a design effect, and intervals of annotators and "
        "confusions are wider; thirty gold labels (`gold=`) would say whom to believe; "
        "`gold_design` draws the items"
    )
    return [Verdict("independence", residual.z, LIMIT, CORRECTED, how)]
