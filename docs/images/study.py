"""The pictures of the README: what comes out of the built-in study.

Run it as ``python docs/images/study.py``; it writes study.svg, and demo.svg, the screen
of ``consilience demo``, beside itself.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

import consilience as cs
from consilience.cli.commands.simulate import MISTAKES
from consilience.cli.pages import picture
from consilience.demo import Study, run, study

LABELS = ("husky", "malamute", "wolf", "samoyed", "fox")
COLORS = dict(
    zip(LABELS, ("#1f5f8b", "#d98032", "#6b7480", "#4f9d7e", "#b8473a"), strict=True)
)
INK, BLUE, RED, GREY = "#222b36", "#1f5f8b", "#c8553d", "#6b7480"
SHADES = LinearSegmentedColormap.from_list("shades", ["#f7fafc", "#7fb0cf", "#123f60"])
STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "path",
    "svg.hashsalt": "study",
}


def main() -> None:
    """Fit the study and draw it."""
    here = Path(__file__).parent
    simulated = study(0, mistakes=MISTAKES)
    with TemporaryDirectory() as folder:
        place = Path(folder) / "consilience-demo"
        outcome = run(simulated, place, engine="auto", seed=0)
        picture(replace(outcome, folder=Path(place.name)), here / "demo.svg")
    fit = outcome.fit
    votes = cs.fit(outcome.responses, model="majority").items().set_index("item")
    shown = choose(fit, votes["tied"], simulated)
    mpl.rcParams.update(STYLE)
    figure, axes = plt.subplots(
        1, 3, figsize=(12, 4.6), width_ratios=(1.2, 0.8, 1.0), layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.12)
    draw_photos(axes[0], fit.labels(), simulated, shown, votes["tied"])
    draw_annotators(axes[1], fit.annotators(), simulated)
    draw_confusion(axes[2], fit.confusion(), "Elif")
    figure.savefig(here / "study.svg", metadata={"Date": None}, facecolor="white")


def choose(fit: cs.Fit, tied: pd.Series, simulated: Study) -> list[str]:
    """Choose ties that the model settles, open photos, and its worst mistake."""
    items = fit.items().set_index("item")
    best = fit.labels().sort_values("probability").groupby("item", observed=True).last()
    truth = simulated.truth.set_index("photo")["animal"].reindex(items.index)
    right = items["label"].astype(str) == truth
    settled = best[tied.reindex(best.index) & right.reindex(best.index)]
    settled = settled.nlargest(2, "lower")
    left = items.drop(settled.index).nlargest(2, "entropy")
    worst = items[~right].nlargest(1, "probability")
    return [*settled.index, *left.index, *worst.index]


def draw_photos(
    axis: Axes,
    labels: pd.DataFrame,
    simulated: Study,
    shown: list[str],
    tied: pd.Series,
) -> None:
    """Draw the leading labels of some photos, with the votes beside them."""
    truth = simulated.truth.set_index("photo")["animal"]
    given = simulated.answers.groupby("photo")["animal"]
    ticks, names = [], []
    for place, photo in enumerate(shown):
        own = labels[labels["item"] == photo].nlargest(2, "probability")
        for step, row in enumerate(own.itertuples()):
            y = place * 3 + step
            color = COLORS[row.label]
            axis.hlines(y, row.lower, row.upper, color=color, linewidth=5, alpha=0.35)
            axis.plot(row.probability, y, "o", color=color, markersize=6)
            right = row.label == truth[photo]
            weight = "bold" if right else "normal"
            ticks.append(y)
            names.append((row.label, weight))
        counts = given.get_group(photo).value_counts()
        said = ", ".join(f"{n} {name}" for name, n in counts.items())
        tie = "votes tie" if tied[photo] else ""
        if truth[photo] not in set(own["label"]):
            said += f"   (truth: {truth[photo]})"
        axis.text(0.0, place * 3 - 0.75, f"{photo}:  {said}", color=GREY, fontsize=8)
        axis.text(
            1.0, place * 3 - 0.75, tie, color=RED, fontsize=8, ha="right", weight="bold"
        )
    axis.set_yticks(ticks, [name for name, _ in names])
    for text, (_, weight) in zip(axis.get_yticklabels(), names, strict=True):
        text.set_weight(weight)
    axis.set_ylim(len(shown) * 3 - 1.2, -1.5)
    axis.set_xlim(-0.02, 1.02)
    axis.tick_params(axis="y", length=0)
    axis.set_title("Posterior labels")
    axis.set_xlabel("posterior probability, 90% interval (bold: the truth)")
    bare(axis)


def draw_annotators(axis: Axes, annotators: pd.DataFrame, simulated: Study) -> None:
    """Draw the accuracy of every annotator, estimated and true."""
    annotators = annotators.sort_values("accuracy", ascending=False)
    truth = [simulated.accuracy()[name] for name in annotators["annotator"]]
    y = np.arange(len(annotators))
    axis.hlines(
        y, annotators["lower"], annotators["upper"], color=BLUE, linewidth=4, alpha=0.35
    )
    axis.plot(annotators["accuracy"], y, "o", color=BLUE, markersize=4.5)
    axis.plot(truth, y, "D", color=RED, markersize=3.5)
    axis.set_yticks(y, annotators["annotator"], fontsize=7.5)
    axis.set_ylim(len(annotators) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.tick_params(axis="y", length=0)
    axis.set_title("Accuracy of annotators")
    axis.set_xlabel("accuracy, 90% interval (diamond: the truth)")
    bare(axis)


def draw_confusion(axis: Axes, confusion: pd.DataFrame, who: str) -> None:
    """Draw one annotator's confusion with the intervals of its cells."""
    own = confusion[confusion["annotator"] == who]
    cells = {
        column: own.pivot_table(
            column, index="true_label", columns="given_label", observed=True
        )
        for column in ("probability", "lower", "upper")
    }
    shown = cells["probability"].loc[list(LABELS), list(LABELS)]
    axis.imshow(shown, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for i, true in enumerate(LABELS):
        for j, given in enumerate(LABELS):
            p, low, high = (cells[c].loc[true, given] for c in cells)
            color = "white" if p > 0.5 else INK
            axis.text(
                j, i - 0.12, f"{p:.2f}", ha="center", va="center", color=color, size=9
            )
            span = f"{low:.2f}\N{EN DASH}{high:.2f}"
            axis.text(
                j, i + 0.22, span, ha="center", va="center", color=color, size=6.5
            )
    axis.set_xticks(range(len(LABELS)), LABELS)
    axis.set_yticks(range(len(LABELS)), LABELS)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(f"Confusion matrix of {who}")
    axis.set_xlabel("answer")
    axis.set_ylabel("truth")


def bare(axis: Axes) -> None:
    """Leave the lower axis and a faint grid."""
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.grid(axis="x", color="#e6eaee", linewidth=0.8)
    axis.set_axisbelow(True)


if __name__ == "__main__":
    main()
