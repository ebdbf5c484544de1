"""Whether posteriors of every model and engine are calibrated, by simulation.

Studies are drawn from each model's own prior (`simulation_based_calibration`). Models
of one's own are included if an installed package names them as entry points; for one
model and engine alone, call `simulated_fits`, `judge_parameters` and `judge_truth`.

Feeds `docs/reference/calibration.md`.
"""

from typing import Any

from benchmarks.harness import Report

STUDIES = 30
DESIGN = {"items": 50, "annotators": 8, "per_item": 5, "classes": 3, "seed": 0}
# More work gains little on studies this small.
EFFORT = {"nuts": {"tune": 500, "draws": 500, "chains": 1}}
QUANTITIES = (
    "prevalence",
    "population confusion",
    "annotators' confusion",
    "log-likelihood",
)
COLUMNS = (
    *("model", "engine", *QUANTITIES),
    *("accuracy promised", "realised", "labels", "seconds a fit"),
)
NOTES = (
    (
        f"{STUDIES} studies for each model and engine: {DESIGN['items']} items, "
        f"{DESIGN['per_item']} answers each, of {DESIGN['annotators']} annotators, "
        f"{DESIGN['classes']} labels; seed {DESIGN['seed']}."
    ),
    (
        "Parameters: percentage of the 90 % intervals that contain the true value, ± "
        "its standard error. Labels: percentage of the most probable labels that "
        "should be true, by the posterior, and that are. Bold: not calibrated, "
        "or too few studies to tell."
    ),
)


def calibration(*, quick: bool = False, **_: Any) -> Report:
    """Fit studies of each model's prior by each of its engines, and judge the fits."""
    from benchmarks.simulation_based_calibration import cannot_simulate, simulated_fits
    from consilience import annotators
    from consilience.inference import EngineOptions
    from consilience.programs import double_precision
    from consilience.simulation import simulate
    from consilience.spaces import space_of

    rows, notes = [], [*NOTES]
    with double_precision():
        space = space_of(simulate(kind="choice", **DESIGN).responses)
        for name in ("dawid_skene", "majority") if quick else annotators.names():
            model = annotators.load(name)
            reason = cannot_simulate(model, space)
            if reason is not None:
                notes.append(f"{name} is left out: {reason}.")
                continue
            for engine in model.engines:
                study = simulated_fits(
                    model,
                    space,
                    engine,
                    simulations=2 if quick else STUDIES,
                    seed_of_all=DESIGN["seed"],
                    effort=EngineOptions(**EFFORT.get(engine, {})),
                )
                rows.append(row_of(name, engine, study))
                if study.failed:
                    count, first = len(study.failed), study.failed[0]
                    notes.append(f"{name} by {engine}: {count} fits failed ({first}).")
            if study.one_state > 0.05:
                notes.append(
                    f"{name}: in {study.one_state:.0%} of the studies all items have "
                    "the same label, which says little of real ones."
                )
    verdicts = (*QUANTITIES, "labels")
    number = sum(bool(row[name]) for row in rows for name in verdicts)
    notes.append(
        "Other than calibrated has a probability of at most 1 % where the posterior is "
        f"exact: {number / 100:.1f} of the {number} verdicts."
    )
    return Report("Calibration of every model and engine", rows, notes)


def row_of(model, engine, study):
    """Return the row of a model by an engine; what is not calibrated is bold."""
    from benchmarks.simulation_based_calibration import judge_parameters, judge_truth

    row = dict.fromkeys(COLUMNS, "") | {"model": model, "engine": engine}
    if not len(study.ranks):
        return row | {"labels": "**no fit**"}
    parameters = judge_parameters(study.ranks).set_index("quantity")
    truth = judge_truth(study.items).loc[0]
    return {
        **row,
        **{name: _coverage(each) for name, each in parameters.iterrows()},
        "accuracy promised": f"{100 * truth['expected']:.1f}",
        "realised": f"{100 * truth['realised']:.1f} ± {100 * truth['gap_se']:.1f}",
        "labels": _marked(truth["verdict"], truth["verdict"]),
        "seconds a fit": f"{study.seconds:.2g}",
    }


def _coverage(row):
    verdict = row["verdict"]
    if verdict.startswith("a point"):
        return "**a point**"
    share = f"{100 * row['coverage_90']:.0f} ± {100 * row['coverage_90_se']:.0f}"
    if verdict != "calibrated":
        share += f" {verdict.removeprefix('too ')}"
    return _marked(share, verdict)


def _marked(text, verdict):
    return text if verdict == "calibrated" else f"**{text}**"
