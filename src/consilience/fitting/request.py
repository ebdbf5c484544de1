"""What is asked of `fit`: the study to fit, and how to fit it.

**How long a fit will take, roughly: to know before a long one is started.** The costs
are lines in the size of the study, set to what the benchmark `fit_seconds` measures:
processor seconds on two cores, compiling included.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import pandas as pd

from consilience import annotators
from consilience.continuing import cut_short
from consilience.errors import KindError, OptionError, not_a, not_among
from consilience.fitting.annotator_table import AnnotatorTable, read_annotator_prior
from consilience.fitting.copies import Copies, find_copies
from consilience.fitting.inputs import (
    Table,
    as_candidates,
    as_similarity,
    as_table,
    classifiers_of,
    on_names,
)
from consilience.inference import EngineOptions, check_engine, check_seed
from consilience.posterior.drifting import TIME, parsed_times
from consilience.progress import Reporter
from consilience.responses import Responses
from consilience.responses.side_columns import named_in
from consilience.responses.side_tables import check_gold
from consilience.spaces import space_of
from consilience.truth.coding import some_answers

RULES = ("merge", "keep")  # for answers that one annotator copied from another

# Seconds, and seconds for each answer (choice: times the number of labels; nuts: also
# times the root of the number of parameters).
COSTS: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("choice", "em"): (0.5, 1.5e-6),
        ("choice", "vb"): (0.5, 4e-6),
        ("choice", "gibbs"): (3.0, 5e-6),
        ("choice", "nuts"): (12.0, 2.5e-4),
        ("contains", "em"): (6.0, 2e-4),
        ("contains", "vb"): (0.5, 2e-5),
        ("objects", "em"): (9.0, 2.3e-3),
    }
)
FACTOR = 3  # above the largest error on the studies that the costs were set to (2.03)
_USUAL_STEPS = 2000  # of warm-up and sampling by nuts
# Models with a parameter or none for each annotator, not a confusion matrix.
_FEW_PARAMETERS = (
    "glad",
    "item_difficulty",
    "mace",
    "multinomial",
    "one_coin_dawid_skene",
    "shared_errors",
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
    """Responses of one kind, and what is known of their items, labels and annotators.

    Samples of one annotator are merged already; side tables are text.
    """

    responses: Responses
    contains: Responses | None = None
    candidates: pd.DataFrame | None = None
    similarity: pd.DataFrame | None = None
    gold: pd.DataFrame | None = None
    annotator_prior: pd.DataFrame | None = None
    annotators: AnnotatorTable = field(default_factory=AnnotatorTable)
    copies: Copies | None = None
    classifiers: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        responses: Responses,
        contains: Responses | None = None,
        *,
        candidates: Table | None = None,
        similarity: Table | None = None,
        gold: Table | None = None,
        annotators: Table | None = None,
        annotator_prior: Table | None = None,
    ) -> "Study":
        """Read the side tables of responses, and merge samples of one annotator."""
        if annotator_prior is not None and responses.kind != "choice":
            raise KindError(
                "annotator_prior is for responses of kind choice; these are of kind "
                f"{responses.kind}: leave it out"
            )
        people = AnnotatorTable.read(annotators)
        responses = people.merged(responses)
        truth = as_table(gold, "gold", named_in(responses.table))
        check_gold(truth, responses.table["item"].cat.categories)
        return cls(
            responses=responses,
            contains=None if contains is None else people.merged(contains),
            annotators=people,
            annotator_prior=read_annotator_prior(annotator_prior),
            candidates=as_candidates(candidates, responses),
            gold=truth,
            remarks=tuple(on_names(candidates, responses)),
            similarity=as_similarity(similarity, responses.labels["label"]),
            classifiers=tuple(classifiers_of(candidates, similarity)),
        )

    def space(self, num_states: int = 2, *, fixed: bool = True) -> Any:
        """Return what can be true, and the answers: a space of the responses' kind."""
        space = space_of(
            self.responses,
            lists=self.candidates,
            gold=self.gold,
            num_states=num_states,
            alike=self.similarity,
            contains=self.contains,
            fixed=fixed,
        )
        space = self.annotators.of_space(space)
        if self.copies is None or not self.copies.of:
            return space
        sentences = tuple(copy.sentence() for copy in self.copies.of)
        return replace(
            some_answers(space, self.copies.kept),
            assumptions=(*sentences, *space.assumptions),
        )

    def with_copies(self, rule: str) -> "Study":
        """Return the study without copied answers (choice, contains).

        By the rule "keep" they count, and who copied is said all the same.
        """
        if self.responses.kind not in ("choice", "contains"):
            return self
        copies = find_copies(self.space(), keep=rule == "keep", times=self._times)
        return replace(self, copies=copies)

    def _times(self) -> pd.DataFrame | None:
        """Return when answers were given: item, annotator, when; None if unknown."""
        table = self.responses.table
        if TIME not in table:
            return None
        times = table[["item", "annotator"]].astype("str")
        return times.assign(when=parsed_times(table[TIME])).dropna()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Request:
    """How a study is to be fitted; the arguments of `fit` of the same names."""

    model: str = "auto"
    engine: str = "auto"
    seed: int = 0
    states: int | None = None
    ordered: bool = False
    copies: str = "merge"
    prior: Mapping[str, float] | None = None
    effort: EngineOptions = field(default_factory=EngineOptions)
    progress: bool | Reporter = False
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Check the arguments."""
        object.__setattr__(self, "seed", check_seed(self.seed))
        if not isinstance(self.effort, EngineOptions):
            expected = "consilience.EngineOptions(...)"
            raise OptionError(not_a("effort", self.effort, expected))
        check_engine(self.engine)
        if not isinstance(self.ordered, bool):
            raise OptionError(not_a("ordered", self.ordered, "True or False"))
        if self.copies not in RULES:
            raise OptionError(not_among("rule for copies", self.copies, RULES))

    def attributes(self, study: Study) -> dict[str, Any]:
        """Return the attributes that all fits of a study have."""
        beside = {} if study.contains is None else study.contains.sources
        pairs = study.copies
        return {
            "requested_model": self.model,
            "kind": study.responses.kind,
            "seed": self.seed,
            "prob": self.effort.prob,
            "version": version("consilience"),
            "sources": {**study.responses.sources, **beside},
            "classifiers": list(study.classifiers),
            "ordered": int(self.ordered),
            "seconds": round(time.monotonic() - self.started, 3),
            **({"cut_short": cut} if (cut := cut_short()) else {}),
            "repeat_of": dict(study.annotators.repeat_of),
            **(
                {} if pairs is None else {"copies": [asdict(each) for each in pairs.of]}
            ),
        }


def expected_seconds(
    responses: Responses, model: str, engine: str, effort: EngineOptions
) -> float | None:
    """Return how long a fit will take, roughly."""
    kind = responses.kind
    size = responses.num_responses * (responses.num_labels if kind == "choice" else 1)
    if model == "auto" and engine == "auto":
        by_kind = {"choice": ["gibbs", "vb", "vb", "vb"], "contains": ["vb", "vb"]}
        engines = by_kind.get(kind, ["em"])
    elif engine == "auto":
        engines = [annotators.load(model).engines[0]]
    else:
        engines = [engine]
    costs = [COSTS.get((kind, each)) for each in engines]
    if None in costs:
        return None
    total = sum(base + rate * size for base, rate in filter(None, costs))
    if engines == ["nuts"]:
        each = 1 if model in _FEW_PARAMETERS else responses.num_labels**2
        parameters = max(responses.num_annotators * each, 1)
        base, rate = COSTS[kind, "nuts"]
        total = base + rate * size * parameters**0.5
        steps = (effort.tune or _USUAL_STEPS / 2) + (effort.draws or _USUAL_STEPS / 2)
        total *= max(steps / _USUAL_STEPS, 0.25)
    return total
