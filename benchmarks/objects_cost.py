"""What a fit of objects costs: all answers of a study, and by number of candidates."""

from collections.abc import Sequence
from functools import partial

from benchmarks.harness import Figures, Report, alone, in_turn, public_data

MOST = 10
PEER_MOST = 9  # ten candidates have 115,975 partitions: a row of ten blocks each
WHOLE = "All answers of a study"
DRAWN = "Draws from all answers of a study"
SAMPLED = {"chains": 2, "tune": 75, "draws": 150}
CLIMBED = ("compiling s", "climbing s", "gradient ms", "peak MiB")
FOUND = (
    "compiling s",
    "sampling s",
    "on the wall s",
    "gradients",
    "divergences",
    "max R-hat",
    "min ESS",
    "mean off mode",
    "least spread",
    "most spread",
    "peak MiB",
)
ANSWERS = 9  # about each simulated item
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
    (
        "Candidates: simulated items with nine answers, of one label or two, in "
        "equal parts. Milliseconds per item of one value and gradient of its "
        "log-likelihood, double precision, compiled and warm: median of the calls. "
        "The alternative writes the sum out: the blocks of every partition are "
        "looked up and added for each allocation of the single-label responses, as "
        "one would in NumPyro. `difference` is that of the two log-likelihoods, per "
        "item."
    ),
)


def objects_cost(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    arguments = {"most": 3 if quick else MOST, "times": 2 if quick else 3 * repeats}
    figures = alone(("benchmarks.objects_cost", "by_candidates", arguments))
    rows = [row for row in figures.values() if isinstance(row, dict)]
    more = {}
    folder = public_data("imagenet-multilabel", quick=quick)
    if folder is not None:
        path = {"path": str(folder / "imagenet-multilabel")}
        call = ("benchmarks.objects_cost", "whole", path)
        taken = in_turn({"all": partial(alone, call)}, 1 if quick else repeats)
        more = {WHOLE: [_rounded(taken["all"], CLIMBED)]}
        drawn = alone(("benchmarks.objects_cost", "sampled", {**path, **SAMPLED}))
        more[DRAWN] = [_rounded(drawn, FOUND)]
    return Report("What a fit of objects costs", rows, NOTES, more)


def _rounded(figures: Figures, wanted: Sequence[str]) -> Figures:
    return {name: float(f"{figures[name]:.4g}") for name in wanted}


def whole(path: str) -> Figures:
    """Fit the study: once to compile, and once more."""
    from statistics import median
    from time import process_time

    import jax
    import jax.numpy as jnp

    import consilience as cs
    from benchmarks.harness import peak_mib
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
    from benchmarks.harness import peak_mib
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


def by_candidates(most: int, times: int) -> Figures:
    """Time items of each number of candidates, our way and written out."""
    from statistics import median
    from time import process_time

    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.nn import logsumexp

    from consilience.objects.layout.block_counts import (
        Answers,
        count_answers,
        log_sum_allocations,
        log_sum_allocations_and_sizes,
    )
    from consilience.objects.layout.covariates import BlockCovariates
    from consilience.objects.layout.partitions import block_indices
    from consilience.objects.likelihood.label_counts import allocation_weights

    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's way)
    generator = np.random.default_rng(0)
    parameters = {
        name: jnp.asarray(value)
        for name, value in {
            "naming": [-0.5],
            "salience": [-0.5],
            "attraction": np.zeros(0),
            "objects": [0.0],
            "affinity": [0.5],
            "high_detection": [0.0],
            "detection": [-1.5, 1.0],
            "duplicate_name": [-1.5, 1.4],
            "single_label": [0.0, 1.4],
            "style": np.zeros(0),
        }.items()
    }

    def written_out(blocks, phi, rest):
        masks = block_indices(blocks.num_labels)
        each = phi[:, masks].sum(2)
        return log_sum_allocations(blocks, each + rest[:, None])

    def timed(way, blocks, known):
        def total(parameters, blocks, known):
            each = allocation_weights(blocks, known, parameters)
            return logsumexp(way(blocks, each.phi, each.rest), axis=1).sum()

        slope = jax.jit(jax.value_and_grad(total))
        value, _ = jax.block_until_ready(slope(parameters, blocks, known))
        taken = []
        for _ in range(times):
            before = process_time()
            jax.block_until_ready(slope(parameters, blocks, known))
            taken.append(process_time() - before)
        return 1e3 * median(taken) / len(blocks.unit), float(value)

    figures: Figures = {}
    for labels in range(2, most + 1):
        items = {7: 128, 8: 32, 9: 8, 10: 2}.get(labels, 256)
        unit = np.repeat(np.arange(items), ANSWERS)
        main = generator.integers(labels, size=len(unit))
        other = generator.integers(labels, size=len(unit))
        other = np.where(generator.random(len(unit)) < 0.5, other, main)
        mask = (1 << main) | (1 << other)
        answers = Answers(unit, mask, main, np.ones(len(unit), int))
        blocks = count_answers(answers, np.arange(items), labels)
        size = np.bitwise_count(np.arange(1 << labels)).astype(float)
        pairs = np.broadcast_to(size * (size - 1) / 2, (items, len(size)))
        known = BlockCovariates(
            label=jnp.ones((items, labels, 1)),
            slope=jnp.zeros((items, labels, 0)),
            block=jnp.ones((items, 1 << labels, 1)),
            pair=jnp.asarray(pairs[:, :, None]),
            item=jnp.zeros((items, 0)),
        )
        ours, found = timed(log_sum_allocations_and_sizes, blocks, known)
        row = {
            "candidates": labels,
            "partitions": len(block_indices(labels)),
            "ms an item": float(f"{ours:.3g}"),
        }
        if labels <= PEER_MOST:
            peer, same = timed(written_out, blocks, known)
            row["written out ms"] = float(f"{peer:.3g}")
            row["difference"] = float(f"{abs(found - same) / items:.1g}")
        figures[str(labels)] = row
    return figures
