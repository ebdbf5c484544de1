"""The one place of colours: of models, and of the page's own variables.

A chart names colours by the variables of the page, so that it follows light and dark;
in a file of its own they are replaced by the values of light.
"""

import re
from collections.abc import Sequence

# Twelve hues of middling lightness: 3:1 or more against white and against near-black.
_HUES = (
    "#1f77b4",
    "#c2571a",
    "#2a8a3c",
    "#c93434",
    "#8a5fc0",
    "#8c6239",
    "#c2529a",
    "#72777d",
    "#8b8a00",
    "#118a98",
    "#5566dd",
    "#a8741a",
)
_MOST = 60  # models of a legend that have a colour
_LIGHT = {
    "ink": "#1b1f23",
    "line": "#d5d9de",
    "accent": "#1f5fa8",
    "warn": "#b3420f",
    "paper": "#ffffff",
}
INK, FAINT, ACCENT, WARN = (
    f"var(--{name})" for name in ("ink", "line", "accent", "warn")
)


def model_colours(models: Sequence[str]) -> dict[str, str]:
    """Return the colour of each model, as the variable of the page that holds it."""
    return {
        model: f"var(--model-{number % len(_HUES)})"
        for number, model in enumerate(models)
    }


def style() -> str:
    """Return the variables of the page that are set here."""
    hues = "".join(f"--model-{number}:{hue};" for number, hue in enumerate(_HUES))
    classes = "".join(
        f".hue{number}{{--hue:var(--model-{number % len(_HUES)})}}\n"
        for number in range(_MOST)
    )
    return f":root{{{hues}}}\n{classes}"


def for_light(svg: str) -> str:
    """Return a drawing with the colours of light in the place of variables."""
    values = {f"model-{number}": hue for number, hue in enumerate(_HUES)}
    values |= _LIGHT
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda name: values[name[1]], svg)
