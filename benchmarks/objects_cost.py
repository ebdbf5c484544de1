"""What a fit of objects costs: all answers of a study, by em and by nuts."""

from benchmarks.harness import (
    Case,
    Figures,
    Report,
    measured,
    not_run,
    peak_mib,
    public_data,
)

TITLE = "What a fit of objects costs"
MODULE = "benchmarks.objects_cost"
SAMPLED = {"chains": 2, "tune": 75, "draws": 150}
NOTES = (
    (
        "All answers: the model `objects` by em on the ImageNet multi-label study "
        "(59,580 answers about 6,761 images), double precision. CPU seconds for data "
        "layout and compilation, and for optimization once compiled; milliseconds of "
        "one value and gradient; peak memory of the process."
    ),
    (
        "Draws: the same study by nuts, all parameters shared (`pairs` is 0: no "
        "affinities of single pairs), two chains of 150 draws after 75 warm-up "
        "steps, from the mode. CPU seconds to find the mode and compile, and to "
        "sample; wall-clock seconds of the latter; gradients after warm-up. R-hat "
        "and ESS are the worst of all parameters. Compared with the normal "
        "approximation at the mode: the largest distance of a parameter's mean from "
        "the mode, in standard deviations of that approximation, and the smallest "
        "and largest ratio of the draws' standard deviation to its."
    ),
)


def objects_cost(*, quick: bool, repeats: int) -> Report:
    """Fit the study by em, and draw from it by nuts."""
    folder = public_data("imagenet-multilabel", quick=quick)
    if folder is None:
        return not_run(TITLE)
    path = {"path": str(folder / "imagenet-multilabel")}
    rows = measured([Case({"engine": "em"}, (MODULE, "whole", path))], repeats)
    arguments = {**path, **SAMPLED}
    drawn = measured([Case({"engine": "nuts"}, (MODULE, "sampled", arguments))], 1)
    return Report(TITLE, rows, NOTES, {"Draws from all answers of a study": drawn})


def whole(path: str) -> Figures:
    """Fit the study: once to compile, and once more."""
    from statistics import median
    from time import process_time

    import jax
    import jax.numpy as jnp

    import consilience as cs
    from consilience.annotators.objects import MODEL
    from consilience.inference.closed_form.ascent import Steps
    from consilience.inference.gradient_ascent.mode import (
        energy_and_slope,
        no_evidence,
    )
    from consilience.inference.gradient_ascent.optimize import ascend
    from consilience.progress import silent
    from consilience.spaces import space_of

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's way)
    space, taken = space_of(cs.read(path)), []
    for _ in range(2):
        before = process_time()
        peak, _, summit = ascend(MODEL, space, Steps(), jax.random.key(0), silent)
        jax.block_until_ready(peak)
        taken.append(process_time() - before)
    data, where = summit.data, summit.unravel(jnp.asarray(summit.position))
    none, calls = no_evidence(data), []
    for _ in range(9):
        before = process_time()
        jax.block_until_ready(energy_and_slope(MODEL, data, none, where))
        calls.append(process_time() - before)
    return {
        "compiling s": taken[0] - taken[1],
        "climbing s": taken[1],
        "gradient ms": 1e3 * median(calls),
        "peak MiB": peak_mib(),
    }


def sampled(path: str, chains: int, tune: int, draws: int) -> Figures:
    """Sample the study by NUTS from the mode; say what it cost and how it mixed."""
    import sys
    from dataclasses import replace
    from time import perf_counter, process_time

    import jax
    import numpy as np
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    import consilience as cs
    from consilience.annotators.objects import MODEL
    from consilience.inference.engines import nuts
    from consilience.spaces import space_of

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's way)
    space = space_of(cs.read(path))
    model = replace(MODEL, prior=replace(MODEL.prior, pairs=0.0))
    effort = nuts.Options(tune=tune, draws=draws, chains=chains)
    blocks = []

    def note(progress):
        if progress.phase == "nuts":
            blocks.append((progress.done, perf_counter(), process_time()))
            sys.stderr.write(f"{progress.done} of {progress.total}: {progress.note}\n")

    before = process_time()
    result = nuts.fit(model, space, 0, effort, note)
    # The first block compiles, too: its pace is that of the others.
    (first, wall, processor), (last, ended, spent) = blocks[0], blocks[-1]
    share = last / (last - first)
    stats = result.sample_stats
    every = [
        np.asarray(leaf, float).reshape(*leaf.shape[:2], -1)
        for leaf in result.parameters.values()
        if leaf.size
    ]
    positions = np.concatenate(every, axis=2)
    sampling = (spent - processor) * share
    return {
        "compiling s": processor - before - (sampling - (spent - processor)),
        "sampling s": sampling,
        "on the wall s": (ended - wall) * share,
        "gradients": int(stats["num_steps"].sum()),
        "divergences": int(stats["diverging"].sum()),
        "max R-hat": float(np.nanmax(split_gelman_rubin(positions))),
        "min ESS": float(np.nanmin(effective_sample_size(positions))),
        "peak MiB": peak_mib(),
        **_against_mode(model, space, result.parameters),
    }


def _against_mode(model, space, parameters):
    """Compare draws with the normal about the mode, in its standard deviations."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from consilience.inference.gradient_ascent.from_mode import find_mode

    mode = find_mode(model, space, jax.random.key(0))
    place = mode.summit.unravel(jnp.asarray(mode.summit.position))
    spread = mode.summit.unravel(jnp.sqrt(jnp.diag(jnp.asarray(mode.covariance))))
    off, wide = [], []
    for name, centre in place.items():  # priors are normal: nothing has bounds
        draws = np.asarray(parameters[name], float).reshape(-1, centre.size)
        if centre.size:
            off.append((draws.mean(0) - centre) / spread[name])
            wide.append(draws.std(0) / spread[name])
    ratios = np.concatenate(wide)
    return {
        "mean off mode": float(np.abs(np.concatenate(off)).max()),
        "least spread": float(ratios.min()),
        "most spread": float(ratios.max()),
    }
