"""Studies with known truth: the commands `simulate` and `demo`, which analyses one."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from consilience.cli.options import (
    Engine,
    Flag,
    Json,
    Overwrite,
    Seed,
    Several,
    numbers,
)
from consilience.cli.terminal import check_free, finish, screen
from consilience.whole_folder import whole_folder

if TYPE_CHECKING:
    import pandas as pd

    from consilience.simulation import Simulated

_MARKER = "responses.parquet"


def simulate(  # noqa: PLR0913 (each option stands alone)
    *,
    out: Path,
    kind: Literal["choice", "contains", "objects"] = "choice",
    model: str | None = None,
    items: int = 200,
    annotators: int = 20,
    classes: int | None = None,
    per_item: int = 5,
    prior: Several = (),
    seed: Seed = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Simulate responses with known truth.

    The folder holds the canonical tables, with the truth as gold. Beside them, for
    other programs, the folder `crowd` holds labels.csv (task, worker, label) and
    truth.csv; and confusion.parquet holds the true confusions where the model has one
    per annotator. For objects there is instead the folder `truth` with tables of true
    partitions and of annotators; where labels are asked about as well
    (--prior contains_answers=5), those answers are in the folder `contains`.

    Parameters
    ----------
    out
        Folder to write.
    kind
        Kind of question.
    model
        Model to simulate from; by default bayesian_dawid_skene. Objects take none.
    items
        How many items.
    annotators
        How many annotators.
    classes
        How many labels; by default 4, of objects 20.
    per_item
        Answers per item, each by another annotator.
    prior
        Settings of the model's prior, such as own=8; of objects, settings of the
        simulation, such as single_label=0.8.

    Examples
    --------
    consilience simulate --out simulated
    consilience simulate --kind objects --items 100 --out simulated
    """
    check_free(out, marker=_MARKER, overwrite=overwrite)
    from consilience.simulation import simulate as draw

    drawn = draw(
        kind=kind,
        model=model,
        items=items,
        annotators=annotators,
        classes=classes,
        per_item=per_item,
        prior=numbers(prior, "prior"),
        seed=seed,
    )
    _write(drawn, out, overwrite=overwrite)
    source = None if kind == "objects" else model or "bayesian_dawid_skene"
    how = "drawn object by object" if source is None else f"drawn from {source}"
    responses = drawn.responses
    show = screen(as_json=json)
    show.print(
        f"{responses.num_responses:,} answers of {responses.num_annotators:,} "
        f"annotators about {responses.num_items:,} items, {how} with seed {seed}"
    )
    result = {
        "responses": out,
        "kind": kind,
        "model": source,
        "seed": seed,
        "answers": responses.num_responses,
        "items": responses.num_items,
        "annotators": responses.num_annotators,
        "labels": responses.num_labels,
    }
    finish(show, result, "fit", out, "--out", out.parent / "run", written=out)


def _write(drawn: "Simulated", out: Path, *, overwrite: bool) -> None:
    """Write the canonical tables, the same for other programs, and the confusions."""
    from consilience.responses import write

    responses = drawn.responses
    with whole_folder(out, replaceable=_MARKER if overwrite else None) as partial:
        write(responses, partial)
        if drawn.truth:
            (partial / "truth").mkdir()
            for name, table in drawn.truth.items():
                table.to_parquet(partial / "truth" / f"{name}.parquet", index=False)
            if drawn.contains is not None:
                write(drawn.contains, partial / "contains")
            return
        crowd = partial / "crowd"
        crowd.mkdir()
        names = {"item": "task", "annotator": "worker"}
        columns = ["item", "annotator", "label"]
        columns += ["answer"] if responses.kind == "contains" else []
        answers = responses.table[columns].rename(columns=names)
        answers.to_csv(crowd / "labels.csv", index=False)
        if responses.gold is not None:
            gold = responses.gold.rename(columns=names)
            gold.to_csv(crowd / "truth.csv", index=False)
        confusion = _confusion(drawn)
        if confusion is not None:
            confusion.to_parquet(partial / "confusion.parquet", index=False)


def _confusion(drawn: "Simulated") -> "pd.DataFrame | None":
    """Return the true confusion of each annotator, where the model has them."""
    import numpy as np
    import pandas as pd

    responses = drawn.responses
    confusion = np.asarray(drawn.parameters.get("confusion", ()))
    if confusion.ndim != 3:
        return None
    true, given = ["absent", "present"], ["no", "maybe", "yes"]
    if responses.kind == "choice":
        true = given = list(responses.labels["label"])
    _, states, answers = confusion.shape
    people = responses.table["annotator"].cat.categories
    index = pd.MultiIndex.from_product(
        [people, true[:states], given[:answers]],
        names=["annotator", "true_label", "given_label"],
    )
    frame = pd.DataFrame({"probability": confusion.ravel()}, index=index)
    return frame.reset_index()


_USUAL = Path("consilience-demo")
MISTAKES = 0.7  # of the usual study, whose chains take a minute to converge


def demo(
    *,
    out: Path = _USUAL,
    engine: Engine = "auto",
    seed: Seed = 0,
    overwrite: Flag = False,
    json: Json = False,
) -> None:
    """Run the main job on a built-in study whose truth is known.

    Answers of a simulated crowd are read, fitted and written as tables; then the result
    is compared with the truth, and with majority vote.

    Parameters
    ----------
    out
        Folder to write; the default one is replaced where it exists.
    engine
        How to fit.
    overwrite
        Replace the folder of an earlier demonstration.

    Examples
    --------
    consilience demo
    consilience demo --out first --seed 7
    """
    replace = overwrite or out == _USUAL
    check_free(out, marker="run/run.toml", overwrite=replace)
    from consilience.cli.outcome import summary
    from consilience.cli.pages import demo_page
    from consilience.demo import run, study

    show = screen(as_json=json)
    outcome = run(
        study(seed, mistakes=MISTAKES),
        out,
        engine=engine,
        seed=seed,
        overwrite=replace,
        progress=True,
    )
    show.print(demo_page(outcome))
    result = {
        "out": out,
        "report": out / "report.html" if outcome.drawn else None,
        "seconds": outcome.seconds,
        "fit": summary(outcome.fit),
        "scores": {name: score.to_dict() for name, score in outcome.scores.items()},
        "intervals_that_hold": outcome.covered,
        "annotators": outcome.accuracy,
    }
    finish(show, result, "read", "YOUR-EXPORT", "--out", "responses")
