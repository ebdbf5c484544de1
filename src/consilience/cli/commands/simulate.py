"""The command `simulate`: responses with known truth, for this and other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from consilience.cli.options import Flag, Several, numbers
from consilience.cli.terminal import check_free, finish, print_json, screen

if TYPE_CHECKING:
    from consilience.simulation import Simulated


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
    seed: int = 0,
    overwrite: Flag = False,
    json: Flag = False,
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
    seed
        Seed of the random number generator.
    overwrite
        Replace an existing folder of responses.
    json
        Print the result as JSON.

    Examples
    --------
    consilience simulate --out simulated
    consilience simulate --kind objects --items 100 --out simulated
    """
    check_free(out, marker="responses.parquet", overwrite=overwrite)
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
    write_study(drawn, out, overwrite=overwrite)
    responses = drawn.responses
    sentence = (
        f"{responses.num_responses:,} answers of {responses.num_annotators:,} "
        f"annotators about {responses.num_items:,} items, {_how(kind, model)} with "
        f"seed {seed}"
    )
    show = screen(as_json=json)
    show.print(sentence)
    finish(show, out, "fit", out, "--out", out.parent / "run")
    if json:
        print_json(
            {
                "responses": out,
                "kind": kind,
                "model": _drawn_from(kind, model),
                "seed": seed,
                "answers": responses.num_responses,
                "items": responses.num_items,
                "annotators": responses.num_annotators,
                "labels": responses.num_labels,
            }
        )


def _how(kind: str, model: str | None) -> str:
    name = _drawn_from(kind, model)
    return "drawn object by object" if name is None else f"drawn from {name}"


def _drawn_from(kind: str, model: str | None) -> str | None:
    return None if kind == "objects" else model or "bayesian_dawid_skene"


def write_study(drawn: "Simulated", out: Path, *, overwrite: bool) -> None:
    """Write the canonical tables, the same for other programs, and the confusions."""
    import numpy as np
    import pandas as pd

    from consilience.responses import write
    from consilience.whole_folder import whole_folder

    def ours(folder: Path) -> bool:
        return (folder / "responses.parquet").is_file()

    responses = drawn.responses
    names = {"item": "task", "annotator": "worker"}
    columns = ["item", "annotator", "label"]
    columns += ["answer"] if responses.kind == "contains" else []
    with whole_folder(out, replaceable=ours if overwrite else None) as partial:
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
        responses.table[columns].rename(columns=names).to_csv(
            crowd / "labels.csv", index=False
        )
        if responses.gold is not None:
            gold = responses.gold.rename(columns=names)
            gold.to_csv(crowd / "truth.csv", index=False)
        confusion = np.asarray(drawn.parameters.get("confusion", ()))
        if confusion.ndim == 3:
            _, states, answers = confusion.shape
            people = responses.table["annotator"].cat.categories
            labels = (
                list(responses.labels["label"])
                if responses.kind == "choice"
                else ["absent", "present"]
            )
            given = labels if responses.kind == "choice" else ["no", "maybe", "yes"]
            index = pd.MultiIndex.from_product(
                [people, labels[:states], given[:answers]],
                names=["annotator", "true_label", "given_label"],
            )
            frame = pd.DataFrame({"probability": confusion.ravel()}, index=index)
            frame.reset_index().to_parquet(partial / "confusion.parquet", index=False)
