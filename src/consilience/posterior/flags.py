r"""Annotators to talk to: who does not look, goes with another, or confuses two labels.

Each answer is held against the truth as it is believed *without it*: with the posterior
q of an item and the annotator's row of the confusion, its factor is taken out again.
So :math:`N_{jkl}` counts how often annotator j says l where the truth is k. Three
explanations are weighed by how probable they make the answers.

- **Looks, as the others do**: rows are Dirichlet around those of all annotators, as
  close to them as is learned from all.
- **Looks, in a way of their own**: rows of any kind.
- **Does not look**: one distribution of answers, whatever the truth. It is called a
  *habit* where one answer is given far more often than by all, else *random*.

A priori one annotator in twenty does not look, and one in twenty has a way of their
own. Who answers like another is found before the fit (`fitting.copies`).
`flag_probability` is the posterior probability, of several flags the highest. Of
*confuses two labels* it is that a cell is .15 above that of all, less what crowds that
are drawn from no model show it to be too high by.

References
----------
Minka (2000), Estimating a Dirichlet distribution: the probability of the counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.posterior.annotators import skills
from consilience.posterior.confusion import annotator_design_effect
from consilience.posterior.stored import copies, draws, names
from consilience.posterior.truth import candidates
from consilience.when_used import special, xr

RANDOM, HABIT = "answers at random", "answers by habit"
ALIKE, CONFUSES = "answers like another", "confuses two labels"
SURE = 0.8  # probability from which an annotator is flagged
_RARE = 0.05  # share of annotators of whom a flag is true, a priori
_BEYOND = 0.15  # of a cell of a confusion, above that of all annotators
_MORE = 0.25  # of the share of an answer that is a habit, above that of all
_FEW = 5.0  # items of a label that a confusion is shown by
_CLOSE = 2.0 ** np.arange(9)  # how many answers the rows of all may be worth
_DRAWS = 20  # from which they say how sure a confusion is
# By how much, in log-odds, a confusion is surer than it is right in simulated crowds.
_TOO_SURE = 1.5
_LEAST = 1e-9  # of a probability
_NUMBERS = 2**25  # held at once: 256 MiB


@dataclass(frozen=True, slots=True)
class Flag:
    """What is noticed of an annotator, how probable that is, and what shows it."""

    name: str
    probability: float
    evidence: str


def flags(data: xr.DataTree) -> dict[str, list[Flag]]:
    """Return the flags of annotators by name, the surest first."""
    looked = {"observed_data", "truth"} <= {*data.children}
    if data.attrs["kind"] == "objects" or not looked:
        return {}
    answers = Answers.of(data)
    noticed: dict[str, list[Flag]] = {}
    for name, flag in _alike(data):
        noticed.setdefault(name, []).append(flag)
    if answers is None or not answers.looks.any():
        return noticed
    idle = _idle(answers)
    looks = np.isin(np.arange(len(answers.annotators)), [*idle], invert=True)
    if (answers.looks & looks).any():
        answers = replace(answers, looks=answers.looks & looks)
    for person, flag in [*idle.items(), *_confusing(answers)]:
        if person not in idle or flag.name != CONFUSES:
            noticed.setdefault(str(answers.annotators[person]), []).append(flag)
    for each in noticed.values():
        each.sort(key=lambda flag: -flag.probability)
    return noticed


def flagged_annotators(data: xr.DataTree) -> pd.DataFrame:
    """Return the table of annotators: their skill and their flags."""
    return with_flags(skills(data), flags(data))


def with_flags(
    table: pd.DataFrame, flagged: Mapping[str, Sequence[Flag]]
) -> pd.DataFrame:
    """Return annotators with flags."""
    of_each = [flagged.get(name, ()) for name in table["annotator"].astype(str)]
    table = table.assign(
        flag=[", ".join(flag.name for flag in each) for each in of_each],
        flag_probability=[
            max((flag.probability for flag in each), default=np.nan) for each in of_each
        ],
        evidence=["; ".join(flag.evidence for flag in each) for each in of_each],
    )
    return table.astype({"flag": "str", "evidence": "str"})


def flagged_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return annotators in the order to talk to them: flagged, then least accurate."""
    order = np.lexsort((table["accuracy"], -table["flag_probability"].fillna(-1.0)))
    return table.iloc[order].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of annotators with ids, and what is believed of the truth."""

    annotators: Shaped[np.ndarray, " J"]
    true: Shaped[np.ndarray, " K"]
    given: Shaped[np.ndarray, " L"]
    belief: Float[np.ndarray, "U K"]
    power: Float[np.ndarray, " U"]  # of an answer's likelihood in the belief
    annotator: Int[np.ndarray, " N"]
    unit: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    looks: Bool[np.ndarray, " J"]  # who counts among all annotators
    votes: Float[np.ndarray, "K L"]  # how right an answer is, of each truth
    drawn: Float[np.ndarray, "S J K L"] | None  # confusions of the model
    effect: Float[np.ndarray, " J"]  # of correlated errors on what draws are sure of

    @classmethod
    def of(cls, data: xr.DataTree) -> Answers | None:
        """Return the answers of a fit; None where these would not fit in memory."""
        axes = ("annotator", "true_class", "given_class")
        people, true, given = (names(data, axis) for axis in axes)
        observed = data["observed_data"]
        truth, cells = candidates(data), len(true) * len(given)
        units, number = len(truth.probability), observed.sizes["response"]
        if max(len(people) * cells, (units + number) * len(true)) > _NUMBERS:
            return None
        row, slot = np.nonzero(truth.state >= 0)
        belief = np.zeros((units, len(true)))
        belief[row, truth.state[row, slot]] = truth.probability[row, slot]
        power = np.ones(units)
        if data["truth"].attrs.get("reported") == "tempered":
            power = 1 / data["truth"]["design_effect"].to_numpy()
        constant = data["constant_data"]
        identified = constant["annotator_identified"].to_numpy().astype(bool)
        kept = identified[observed["annotator"].to_numpy()]
        who, unit, answer = (
            observed[name].to_numpy()[kept] for name in ("annotator", "item", "answer")
        )
        return cls(
            annotators=people,
            true=true,
            given=given,
            belief=belief,
            power=power,
            annotator=who,
            unit=unit,
            answer=answer,
            looks=identified,
            votes=constant["votes"].transpose(*axes[1:]).to_numpy(),
            drawn=draws(data, "confusion", axes),
            effect=annotator_design_effect(data),
        )

    @cached_property
    def counts(self) -> Float[np.ndarray, "J K L"]:
        """How often each says what, by the truth as believed without the answer."""
        rows = self.modelled
        if rows is None:
            counts = self._counted(self.belief[self.unit])
            rows = _drawn_in(counts, self._typical(counts), 5.0)
        likelihood = rows[self.annotator, :, self.answer]
        return self._counted(self.without(self.unit, likelihood))

    @cached_property
    def modelled(self) -> Float[np.ndarray, "J K L"] | None:
        """The confusion of each annotator by the model; None where it has none."""
        if self.drawn is None:
            return None
        mean: Float[np.ndarray, "J K L"] = self.drawn.mean(0, dtype=float)
        mean[mean < _LEAST] = _LEAST
        return mean

    @cached_property
    def typical(self) -> Float[np.ndarray, "K L"]:
        """The confusion of all annotators together."""
        return self._typical(self.counts)

    @cached_property
    def closeness(self) -> float:
        """How many answers the rows of all are worth beside an annotator's own."""
        counts, typical = self.counts[self.looks], self.typical
        fits = [_log_marginal(counts, close * typical).sum() for close in _CLOSE]
        return float(_CLOSE[int(np.argmax(fits))])

    @cached_property
    def rows(self) -> Float[np.ndarray, "J K L"]:
        """The confusion of each annotator, by the model or like those of all."""
        if self.modelled is not None:
            return self.modelled
        return _drawn_in(self.counts, self.typical, self.closeness)

    def _typical(self, counts: Float[np.ndarray, "J K L"]) -> Float[np.ndarray, "K L"]:
        whole = counts[self.looks].sum(0)
        overall = whole.sum(0) + 1 / whole.shape[1]
        whole = whole + overall / overall.sum()
        return whole / whole.sum(1, keepdims=True)

    def without(
        self, unit: Int[np.ndarray, " N"], likelihood: Float[np.ndarray, "N K"]
    ) -> Float[np.ndarray, "N K"]:
        """Return what is believed of units without answers of some likelihood."""
        belief: Float[np.ndarray, "N K"] = (
            self.belief[unit] / likelihood ** self.power[unit, None]
        )
        belief /= belief.sum(1, keepdims=True)
        return belief

    def _counted(self, belief: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "J K L"]:
        people, given = len(self.annotators), len(self.given)
        cell = self.annotator * given + self.answer
        counts = [np.bincount(cell, each, people * given) for each in belief.T]
        return np.stack(counts, 1).reshape(people, given, -1).swapaxes(1, 2)


def _drawn_in(
    counts: Float[np.ndarray, "J K L"], typical: Float[np.ndarray, "K L"], worth: float
) -> Float[np.ndarray, "J K L"]:
    """Return rows of each annotator, as if those of all had been seen as well."""
    whole = counts + worth * typical
    return whole / whole.sum(2, keepdims=True)


def _log_marginal(
    counts: Float[np.ndarray, "... L"], concentration: Float[np.ndarray, "*#batch L"]
) -> Float[np.ndarray, ...]:
    """Return the log probability of counts, their distribution being Dirichlet."""
    prior = np.broadcast_to(concentration, counts.shape)
    whole = special.gammaln(prior.sum(-1)) - special.gammaln((prior + counts).sum(-1))
    each = special.gammaln(prior + counts) - special.gammaln(prior)
    return whole + each.sum(-1)


def _idle(answers: Answers) -> dict[int, Flag]:
    """Return who does not look at the items."""
    counts, given = answers.counts, answers.counts.sum(1)
    even = np.ones(len(answers.given))
    looks = _log_marginal(counts, answers.closeness * answers.typical).sum(1)
    other_way = _log_marginal(counts, even).sum(1)
    habit = _log_marginal(given, even)
    explained = np.stack([looks, other_way, habit]) + np.log(
        [[1 - 2 * _RARE], [_RARE], [_RARE]]
    )
    sure = special.softmax(explained, 0)[2]
    number = given.sum(1)
    share = given / np.maximum(number, 1)[:, None]
    usual = given.sum(0) / max(given.sum(), 1)
    idle = {}
    for person in np.flatnonzero(sure >= SURE):
        most = int((share[person] - usual).argmax())
        name = RANDOM
        evidence = f"{number[person]:.0f} answers, which do not depend on the truth"
        if share[person, most] - usual[most] >= _MORE:
            name = HABIT
            evidence = (
                f"{answers.given[most]} is {share[person, most]:.0%} of "
                f"{number[person]:.0f} answers, whatever the item (of all answers: "
                f"{usual[most]:.0%})"
            )
        idle[int(person)] = Flag(name, float(sure[person]), evidence)
    return idle


def _confusing(answers: Answers) -> list[tuple[int, Flag]]:
    """Return who gives one answer where the truth is another far more than all do."""
    rows, seen = answers.rows, answers.counts.sum(2)
    typical = rows[answers.looks].mean(0)
    bar = typical + _BEYOND
    wrong = (answers.votes == 0) & (seen >= _FEW)[:, :, None]  # cells to look at
    if answers.drawn is not None and len(answers.drawn) >= _DRAWS:
        # Draws lie farther apart where errors are correlated: so the bar comes closer.
        nearer = rows + (bar - rows) / np.sqrt(answers.effect)[:, None, None]
        of_each = (answers.drawn > nearer).mean(0, dtype=float)[wrong]
    else:
        yes = (seen[:, :, None] * rows + _FEW * typical)[wrong]
        no = np.broadcast_to((seen + _FEW)[:, :, None], wrong.shape)[wrong] - yes
        limit = np.broadcast_to(np.minimum(bar, 1.0), wrong.shape)[wrong]
        of_each = special.betaincc(yes, np.maximum(no, _LEAST), limit)
    sure = np.zeros(wrong.shape)
    sure[wrong] = special.expit(special.logit(of_each) - _TOO_SURE)
    flagged = []
    for person in np.flatnonzero(sure.max((1, 2)) >= SURE):
        true, given = np.unravel_index(sure[person].argmax(), typical.shape)
        evidence = (
            f"says {answers.given[given]} for {rows[person, true, given]:.0%} of "
            f"{answers.true[true]} (all annotators: {typical[true, given]:.0%}), by "
            f"some {seen[person, true]:.0f} items"
        )
        surest = float(sure[person, true, given])
        flagged.append((int(person), Flag(CONFUSES, surest, evidence)))
    return flagged


def _alike(data: xr.DataTree) -> Iterator[tuple[str, Flag]]:
    """Give who answers like one other, both ways."""
    for pair in copies(data):
        two = pair["annotator"], pair["copy_of"]
        for person, companion in (two, two[::-1]):
            evidence = (
                f"gave the answer of {companion} in {pair['same']:,} of "
                f"{pair['common']:,} items that both answered; {pair['expected']:.0f} "
                "were to be expected"
            )
            yield person, Flag(ALIKE, pair["probability"], evidence)
