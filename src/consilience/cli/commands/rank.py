"""The command `rank`: systems ranked from comparisons of two each."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from consilience.cli.options import Json, Overwrite, Prob, Seed, Several
from consilience.cli.terminal import check_free, finish, rows, screen
from consilience.cli.terminal import judge as judge_checks

# Tables of a ranking: how each is stated, and the column whose interval is shown.
_SHOWN = {
    "scores": ("scores", "score"),
    "ranks": ("ranks", "rank"),
    "judges": ("judge_traits", "first_place"),
}
_ROWS = 20


def rank(  # noqa: PLR0913 (each option stands alone)
    source: Annotated[Path, Parameter(help="A CSV, Parquet or JSON-lines file.")],
    /,
    *,
    out: Path | None = None,
    judge: str | None = None,
    first: str | None = None,
    second: str | None = None,
    winner: str | None = None,
    item: str | None = None,
    group: str | None = None,
    covariates: Several = (),
    engine: Literal["laplace", "nuts"] = "laplace",
    prob: Prob = 0.9,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Rank systems from comparisons of two each (A better, B better, tie) by judges.

    Judges differ in discrimination, in their bias to what is shown first and in how
    often they say that two systems are equal. Columns are recognized by usual names.

    Parameters
    ----------
    out
        Folder for the ranking, with its tables as CSV.
    judge
        Column of the judge: a person or a model.
    first
        Column of the system that was shown first.
    second
        Column of the other system.
    winner
        Column of the winner: a system, a side, an order or a tie.
    item
        Column of the item, such as a question; comparisons of one are correlated.
    group
        Column of the judge's group, such as people and models.
    covariates
        Columns of numbers: what the first system has more of, such as length.
    engine
        A normal approximation at the mode, or Hamiltonian Monte Carlo, the reference.

    Examples
    --------
    consilience rank comparisons.csv --out ranking
    consilience rank votes.parquet --judge worker --winner preference --covariates words
    """
    from consilience.cli.pages import trust_line
    from consilience.comparisons import fit, read
    from consilience.comparisons.ranking import MARKER
    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import terminal

    check_free(out, marker=MARKER, overwrite=overwrite)
    columns = {"judge": judge, "first": first, "second": second}
    columns |= {"winner": winner, "item": item, "group": group}
    comparisons = read(source, **columns)
    ranking = fit(
        comparisons, covariates=covariates, engine=engine, prob=prob, seed=seed
    )
    tables = {name: getattr(ranking, name)() for name in _SHOWN}
    show = screen(as_json=json)
    show.print(f"{len(comparisons):,} comparisons, {comparisons.skipped:,} skipped")
    checks = ranking.diagnostics()
    judge_checks(ranking, None)
    if not json:
        for name, (kind, interval) in _SHOWN.items():
            table = CATALOGUE[kind].of(tables[name], prob).first(_ROWS)
            drawn = interval if interval == "first_place" else ""
            show.print()
            show.print(table.schema.title, style="bold")
            show.print(terminal(table, drawn=drawn, bounds=interval))
        show.print()
        show.print(trust_line(checks))
        for remedy in checks.loc[~checks["ok"], "remedy"]:
            show.print(Text(remedy))
    if out is not None:
        ranking.save(out, overwrite=overwrite)
    records = {name: rows(table) for name, table in tables.items()}
    records["checks"] = rows(checks)
    after: list[str | Path] = ["rank", source, "--out", "ranking"]
    if out is not None:
        after = ["report", out, "--out", out.with_name(f"{out.name}.html")]
    finish(show, {"out": out, **records}, *after, written=out)
