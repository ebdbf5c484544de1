"""What is learned of all classes, by name, as a NumPyro program samples it."""

from collections.abc import Callable, Mapping
from typing import Any

from consilience.class_confusion.likelihood import Hyperparameters

KINDS = (
    "any",
    "popular",
    "superclass",
    "popular_superclass",
    "reverse",
    "together",
    "reverse_aside",
    "together_aside",
)
ASIDE = "reverse_aside"  # there where responses name labels besides their main one
# Positive numbers, whose logarithms are normal a priori.
POSITIVE = {
    "odds": "own_label_odds",
    "classes": "class_precision",
    "spread": "item_precision",
    "beside": "other_label_precision",
}
POWER = "own_label_power"


def weight_of(kind: str) -> str:
    """Return the name of the weight of a kind of evidence."""
    return f"{kind}_weight"


def hyperparameters(
    values: Mapping[str, Any],
    kinds: tuple[str, ...],
    stack: Callable[[list[Any]], Any],
) -> Hyperparameters:
    """Return parameters as the likelihood takes them."""
    return Hyperparameters(
        weight=stack([values[weight_of(kind)] for kind in kinds]),
        **{field: values[name] for field, name in POSITIVE.items()},
        against=values[POWER],
        lapse=values["lapse"],
        aside=values["aside_weight"] if ASIDE in kinds else 0.0,
    )
