"""The command `demo`: a complete analysis of a study with known truth."""

from pathlib import Path

from consilience.cli.options import Engine, Flag, Json, Seed
from consilience.cli.terminal import check_free, finish, screen

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
    from consilience.cli.commands.fit import summary
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
