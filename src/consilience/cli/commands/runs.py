"""The commands about a run: `export`, `score`, `annotators` and `ratings`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.text import Text

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Json,
    Overwrite,
    Prob,
    Reading,
    Run,
    Seed,
    Several,
    Truth,
    read_columns,
    read_gold,
    read_responses,
)
from consilience.cli.outcome import load_run
from consilience.cli.terminal import check_free, finish, rows, screen
from consilience.console import Console
from consilience.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from consilience.scoring.metrics import Score
    from consilience.tables.terminal import DrawnTable

_DEFAULT = ("labels", "items", "annotators", "confusion", "diagnostics")
_SETS = "label_sets"
_OF_OBJECTS = ("objects", "object_counts")


def export(  # noqa: PLR0913 (each option stands alone)
    run: Run,
    /,
    *,
    out: Path,
    what: Several = (),
    format: Literal["csv", "parquet", "json", "xlsx", "huggingface", "label_studio"]
    | None = None,
    tasks: Path | None = None,
    truth: Truth = None,
    prob: float | None = None,
    gold: Path | None = None,
    item: str | None = None,
    label: str | None = None,
    by_class: Flag = False,
    design: int | None = None,
    seed: int = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Write a run's tables for other programs, or soft labels for training.

    Parameters
    ----------
    out
        Folder to write; or a file: of one table, such as labels.csv, or of all,
        tables.xlsx or tables.json.
    what
        Tables to write; by default labels, items, annotators, confusion, diagnostics,
        and of runs of objects also objects, object_counts. soft_labels has a row per
        item and a probability per label. label_sets has the labels of each item's set,
        which contains the truth with the probability --prob; it needs --gold. A
        run of shards has all_items and all_labels besides: one file, csv or parquet.
    format
        Format of the files; by default csv, or what the ending of --out says.
        huggingface is a folder that `datasets.load_dataset` loads, labels coded;
        label_studio is the file of --tasks with the run's labels as predictions.
    tasks
        Export of the Label Studio project as JSON, or its tasks (label_studio).
    prob
        Probability of the intervals, by default that of the run; of label_sets that the
        set of a further item contains its truth, by default 0.9.
    gold
        Table of true labels of some items (item, label) that the fit was not given
        (label_sets).
    item
        Column of the item in the gold table, or field of the tasks' data, where its
        name is not recognised.
    label
        Column of the label in the gold table, where its name is not recognised.
    by_class
        Guarantee the coverage among the items of each true label (label_sets).
    design
        Draw so many items that should get gold labels, instead of the hundred least
        certain ones (check): fill in their truth and give the file as --gold.
    seed
        Seed of the order of equal probabilities (label_sets), or of the draw (check).

    Examples
    --------
    consilience export run --out tables
    consilience export run --out tables.xlsx
    consilience export run --what soft_labels --out soft_labels.parquet
    consilience export run --what check --design 30 --out check.csv
    consilience export run --format huggingface --out data-set
    consilience export run --tasks project.json --out predictions.json
    """
    from consilience.posterior import ITEMS, LABELS, all_items
    from consilience.posterior import export as write
    from consilience.posterior._export import ABOUT, ending

    layout = format or ("label_studio" if tasks else ending(out)) or "csv"
    one = ending(out) or (out if tasks else None)
    check_free(out, marker=ABOUT if one is None else None, overwrite=overwrite)
    if {*what} & {ITEMS, LABELS}:
        if len(what) > 1 or truth is not None:
            raise OptionError(
                f"{what[0]} is written alone, as the run has it; name one table, and "
                "leave `truth=` out"
            )
        load_run(run)  # for what its checks say
        all_items(run).export(what[0], out, overwrite=overwrite)
        show = screen(as_json=json)
        show.print(f"written: {out}", soft_wrap=True)
        finish(show, {"out": out, "files": [out]}, "score", run, "--gold", "GOLD.csv")
        return
    fitted = load_run(run, truth)
    usual = ("soft_labels",) * (layout == "huggingface") + _DEFAULT
    usual += _OF_OBJECTS * (fitted.data.attrs["kind"] == "objects")
    names = what or usual
    if (_SETS in names) != (gold is not None):
        raise OptionError(
            f"the table {_SETS} needs gold labels, and no other table uses them; give "
            f"--what {_SETS} and --gold together"
        )
    tables = {}
    if design is not None:
        from consilience.fitting import gold_design

        if names != ("check",):
            raise OptionError(
                "--design draws the items of the table check, which is then the file "
                "to fill in; give --what check, and no other table"
            )
        tables["check"] = gold_design(fitted, design, seed=seed)
    if gold is not None:
        from consilience.analysis import label_sets

        columns = Reading(item=item, label=label)
        truths = read_gold(gold, fitted.labels(), columns, strict=True)
        of_sets = 0.9 if prob is None else prob
        tables[_SETS] = label_sets(
            fitted, truths, prob=of_sets, by_class=by_class, seed=seed
        )
    files = write(
        fitted,
        names,
        layout,
        out,
        tables=tables,
        prob=prob,
        tasks=tasks,
        item=item,
        overwrite=overwrite,
    )
    show = screen(as_json=json)
    for file in files:
        show.print(f"written: {file}", soft_wrap=True)
    result: dict[str, Any] = {"out": out, "files": files}
    if design is not None:
        from consilience.fitting import gold_curve

        curve = gold_curve(fitted, [0, design], seed=seed)
        losses = [f"{row.log_loss:.3f} with {row.gold:,}" for row in curve.itertuples()]
        show.print(
            "fill in the empty column, and give the file as --gold to fit and score; "
            f"expected log-loss by further gold labels: {', '.join(losses)}"
        )
        result["expected"] = curve
        finish(show, result, "score", run, "--gold", files[0])
        return
    finish(show, result, "score", run, "--gold", gold or "GOLD.csv")


def score(  # noqa: PLR0913 (each option stands alone)
    run: Run,
    /,
    *,
    gold: Path,
    item: str | None = None,
    label: str | None = None,
    seed: Seed = 0,
    resamples: int = 1000,
    prob: Prob = 0.9,
    bins: int | None = None,
    clip: float = 1e-3,
    truth: Truth = None,
    json: Json = False,
) -> None:
    """Score a run's posterior labels against gold labels.

    Parameters
    ----------
    gold
        Table of true labels: item, label, and answer (contains; objects: yes or no of
        the labels that were judged, else all valid ones are listed), main (objects:
        true for the label of the main object).
    item
        Column of the item in the gold table, where its name is not recognised.
    label
        Column of the label in the gold table, where its name is not recognised.
    resamples
        Bootstrap resamples of the items.
    bins
        Largest number of bins of the calibration error; by default as many as the data
        allow.
    clip
        Smallest probability in the log loss.

    Examples
    --------
    consilience score run --gold truth.csv
    consilience score run --gold truth.csv --item photo --label species --json
    """
    from consilience.posterior import all_items, has_all_items
    from consilience.scoring.gold import not_given
    from consilience.scoring.metrics import ScoreOptions
    from consilience.scoring.metrics import score as measure

    fitted = load_run(run, truth)
    columns = Reading(item=item, label=label)
    gold_labels = read_gold(gold, fitted.labels(), columns, strict=True)
    options = ScoreOptions(clip=clip, bins=bins, resamples=resamples, prob=prob)
    scored: Any = fitted
    given = 0
    kind = fitted.data.attrs["kind"]
    if has_all_items(run) and truth is None:
        named = []
        if kind == "choice":  # of contains, no label is left out
            named = fitted.labels()["label"].astype("str").unique().tolist()
        if "gold" in fitted.data.children:
            gold_labels, given = not_given(fitted.data, gold_labels)
        scored = all_items(run).labels_of(gold_labels["item"], among=named)
    scores = measure(scored, gold_labels, kind=kind, seed=seed, options=options)
    scores = replace(scores, given=scores.given + given)
    show = screen(as_json=json)
    if not json:
        show.print(score_table(scores))
        if scores.missing:
            sentence = f"{scores.missing:,} gold rows name nothing in the run; left out"
            show.print(sentence)
        if scores.given:
            show.print(f"{scores.given:,} gold rows were given to the fit; left out")
    page = run.parent / "report.html"
    finish(show, scores.to_dict(), "report", run, "--out", page)


def score_table(score: "Score") -> "DrawnTable":
    """Return the metrics with their intervals."""
    import pandas as pd

    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import terminal

    rows = [
        (name, metric.value, metric.lower, metric.upper)
        for name, metric in score.metrics.items()
    ]
    frame = pd.DataFrame(rows, columns=["metric", "value", "lower", "upper"])
    table = terminal(CATALOGUE["score"].of(frame, score.options.prob), bounds="value")
    table.title, table.caption = f"{score.items:,} items with gold", ""
    return table


_SHOWN = 20  # annotators without a flag
_RATINGS = ("overall", "groups", "differences")  # with the items, all tables


def annotators(
    run: Run,
    /,
    *,
    responses: Path | None = None,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Show the annotators of a run, those to talk to first, and why.

    Flags: answers at random, answers by habit, answers like another, confuses two
    labels; and with --responses drifts, in the order of the answers' times or rows.

    Parameters
    ----------
    responses
        The responses that were fitted, read as they were then: for drift.
    out
        Table to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience annotators run
    consilience annotators run --responses responses --out annotators.csv
    """
    from consilience.posterior import export_table

    check_free(out, marker=None, overwrite=overwrite)
    fit = load_run(run)
    if responses is not None:
        from consilience.posterior.drifting import annotators_in_time

        table = annotators_in_time(fit, read_responses([responses], reading))
    else:
        table = fit.annotators()
    if out is not None:
        export_table(table, out, overwrite=overwrite)
    show = screen(as_json=json)
    if not json:
        _print(show, table, float(fit.data.attrs["prob"]))
    result = {"out": out, "annotators": rows(table)} if json else {}
    what = ("--what", "check", "--out", run.parent / "check.csv")
    finish(show, result, "export", run, *what, written=out)


def _print(show: Console, table: "pd.DataFrame", prob: float) -> None:
    from consilience.posterior.flags import flagged_first
    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import WARNING, terminal

    if table.empty:
        show.print("no annotator has an id: there is nobody to talk to")
        return
    table = flagged_first(table)
    flagged = table[table["flag"] != ""]
    show.print(f"{len(flagged):,} of {len(table):,} annotators stand out")
    for row in flagged.to_dict("records"):
        certainty = f"(probability {row['flag_probability']:.2f})"
        show.print(Text(f"{row['annotator']}: {row['flag']} {certainty}", WARNING))
        show.print(Text(f"  {row['evidence']}"))
    names = ["annotator", "responses", "accuracy"]
    names += [name for name in ("bias", "precision", "extremity") if name in table]
    shown = CATALOGUE["annotators"].of(table.head(len(flagged) + _SHOWN), prob)
    show.print()
    show.print(terminal(shown, *names, drawn="accuracy"))
    hidden = len(table) - len(shown.frame)
    if hidden > 0:
        show.print(f"and {hidden:,} more, of a higher accuracy; all with --out")


def ratings(
    run: Run,
    /,
    *,
    groups: Path | None = None,
    seed: Seed = 0,
    prob: Prob = 0.9,
    resamples: int = 1000,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Show mean ratings, corrected for raters' biases, and compare groups of items.

    Parameters
    ----------
    groups
        Table of the items' groups, such as the system that each is from: item, group.
    resamples
        Weightings of the items.
    out
        Table of the rating of each item to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience ratings run
    consilience ratings run --groups systems.csv --out ratings.csv
    """
    from consilience.analysis import mean_ratings
    from consilience.posterior import export_table
    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import terminal

    check_free(out, marker=None, overwrite=overwrite)
    members = None if groups is None else read_columns(groups, ())
    made = mean_ratings(
        load_run(run), groups=members, prob=prob, resamples=resamples, seed=seed
    )
    if out is not None:
        export_table(made.items, out, overwrite=overwrite)
    show = screen(as_json=json)
    if not json:
        for name in _RATINGS:
            table = CATALOGUE[f"rating_{name}"].of(getattr(made, name), prob)
            if len(table.frame):
                show.print()
                show.print(table.schema.title, style="bold")
                bounds = "difference" if name == "differences" else "rating"
                show.print(terminal(table, bounds=bounds))
    result = {name: rows(getattr(made, name)) for name in (*_RATINGS, "items")}
    finish(show, {"out": out, **result}, "annotators", run, written=out)
