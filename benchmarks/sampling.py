"""Hierarchical Dawid-Skene by NUTS: ours, NumPyro's enumeration, and nutpie.

Each function is called in a process of its own. The other programs sample the same
posterior: NumPyro with the truth left to its own parallel enumeration, as a user would
write the model; nutpie with our density, from which the truth is summed out, since it
has no enumeration of its own.
"""

from functools import partial
from typing import Any

from benchmarks.harness import Clock, Figures, compiling

SHARED = ("prevalence", "population", "spread", "confusion")


def _responses(path: str) -> Any:
    import consilience as cs

    return cs.read(path) if path else cs.simulate().responses


def _figures(clock: Clock, draws: Any, seconds: float, stats: Figures) -> Figures:
    """Return the worst effective sample size and R-hat of what all programs report."""
    import numpy as np
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    def worst(names: Any) -> tuple[float, float]:
        flat = np.concatenate(
            [draws[n].astype(float).reshape(*draws[n].shape[:2], -1) for n in names], -1
        )
        flat = flat[..., np.ptp(flat, axis=(0, 1)) > 0]
        options: Any = {"chain_axis": 0, "draw_axis": 1}
        ess = array_stats.ess(flat, method="bulk", **options)
        return float(np.min(ess)), float(np.max(array_stats.rhat(flat, **options)))

    if next(iter(draws.values())).shape[0] == 1:  # asked for the seconds alone
        return clock.figures
    ess, rhat = worst(SHARED)
    whole = clock.figures["seconds"]
    return {
        **clock.figures,
        "compile_seconds": seconds,
        "ess": ess,
        "of": min(SHARED, key=lambda name: worst([name])[0]),
        "rhat": rhat,
        **stats,
        "ESS/s sampling": ess / (whole - seconds),
        "ESS/s whole": ess / whole,
    }


def ours(path: str, tune: int, draws: int, chains: int) -> Figures:
    """Fit by NUTS."""
    from consilience.fitting import fit
    from consilience.inference import EngineOptions

    responses = _responses(path)
    seconds, clock = compiling(), Clock()
    effort = EngineOptions(tune=tune, draws=draws, chains=chains)
    with clock.timed():
        fitted = fit(
            responses, model="logistic_dawid_skene", engine="nuts", effort=effort
        )
    posterior = fitted.data["posterior"]
    drawn = {name: posterior[name].to_numpy() for name in SHARED}
    stats = fitted.data["sample_stats"]
    told = {
        "divergences": int(stats["diverging"].sum()),
        "steps a draw": float(stats["num_steps"].mean()),
    }
    return _figures(clock, drawn, sum(seconds), told)


def enumerated(path: str, tune: int, draws: int, chains: int) -> Figures:
    """Sample the model as it is written for NumPyro, which sums the truth out."""
    import jax
    import numpy as np
    from numpyro.infer import MCMC, NUTS, init_to_median

    jax.config.update("jax_enable_x64", val=True)
    space = _space(path)
    inputs = _rectangle(space)
    seconds, clock = compiling(), Clock()
    with clock.timed():
        kernel = NUTS(_written_for_numpyro, init_strategy=init_to_median)
        sampler = MCMC(
            kernel,
            num_warmup=tune,
            num_samples=draws,
            num_chains=chains,
            chain_method="vectorized",
            progress_bar=False,
        )
        key = jax.random.key(0)
        fields = ("diverging", "num_steps")
        sampler.run(
            key, *inputs, space.num_annotators, len(space.states), extra_fields=fields
        )
        drawn = sampler.get_samples(group_by_chain=True)
        drawn = {name: np.asarray(drawn[name]) for name in SHARED}
    more = sampler.get_extra_fields()
    told = {
        "divergences": int(more["diverging"].sum()),
        "steps a draw": float(more["num_steps"].mean()),
    }
    return _figures(clock, drawn, sum(seconds), told)


def by_nutpie(path: str, tune: int, draws: int, chains: int) -> Figures:
    """Sample our density by nutpie, chain beside chain."""
    import jax
    import numpy as np
    import nutpie
    from jax.flatten_util import ravel_pytree
    from numpyro.infer import init_to_median
    from numpyro.infer.util import initialize_model

    from consilience.annotators import fittable
    from consilience.model import joint, lay_out

    jax.config.update("jax_enable_x64", val=True)
    space, model = _space(path), fittable("logistic_dawid_skene")
    seconds, clock = compiling(), Clock()
    with clock.timed():
        observations = lay_out(model, space)
        program = partial(joint, model)
        given = initialize_model(
            jax.random.key(0),
            program,
            init_strategy=init_to_median,
            model_args=(observations,),
        )
        start, unravel = ravel_pytree(given.param_info.z)
        energy = jax.jit(
            jax.value_and_grad(lambda place: given.potential_fn(unravel(place)))
        )
        expand = jax.jit(lambda place: given.postprocess_fn(unravel(place)))
        shapes = {n: v.shape for n, v in expand(start).items() if n in SHARED}

        def density(place: Any) -> tuple[float, Any]:
            value, slope = energy(place)
            return -float(value), -np.asarray(slope)

        def expanded(place: Any) -> Any:
            values = expand(place)
            return {name: np.asarray(values[name]) for name in SHARED}

        compiled = nutpie.compiled_pyfunc.from_pyfunc(
            len(start),
            lambda: density,
            lambda *_: expanded,
            [np.dtype(float)] * len(SHARED),
            [shapes[name] for name in SHARED],
            list(SHARED),
            make_initial_point_fn=lambda _seed: np.asarray(start),
        )
        trace = nutpie.sample(
            compiled, tune=tune, draws=draws, chains=chains, seed=0, progress_bar=False
        )
        drawn = {name: trace["posterior"][name].to_numpy() for name in SHARED}
    stats = trace["sample_stats"]
    told = {
        "divergences": int(stats["diverging"].sum()),
        "steps a draw": float(stats["n_steps"].mean()),
    }
    return _figures(clock, drawn, sum(seconds), told)


def _space(path: str) -> Any:
    from consilience.spaces import space_of

    return space_of(_responses(path))


def _rectangle(space: Any) -> tuple[Any, Any, Any]:
    """Return annotators, answers and mask of each item, padded to the longest."""
    import numpy as np

    count = np.bincount(space.unit)
    place = np.arange(len(space.unit)) - np.repeat(np.cumsum(count) - count, count)
    shape = (len(count), int(count.max()))
    annotators, answers = np.zeros(shape, int), np.zeros(shape, int)
    mask = np.zeros(shape, bool)
    at = (space.unit, place)
    annotators[at], answers[at], mask[at] = space.annotator, space.answer, True
    return annotators, answers, mask


def _written_for_numpyro(
    annotators: Any, answers: Any, mask: Any, num_annotators: int, num_classes: int
) -> None:
    """The model as a user of NumPyro would write it; `truth` is enumerated."""
    import jax.numpy as jnp
    import numpy as np
    import numpyro
    import numpyro.distributions as dist
    from jax.nn import log_softmax

    basis = np.zeros((num_classes, num_classes - 1))
    for column in range(1, num_classes):
        basis[:column, column - 1], basis[column, column - 1] = 1.0, -column
    basis /= np.linalg.norm(basis, axis=0)
    prevalence = numpyro.sample("prevalence", dist.Dirichlet(jnp.ones(num_classes)))
    centre = 2.0 * np.eye(num_classes) @ basis
    population = numpyro.sample("population", dist.Normal(centre, 1.0).to_event(2))
    scales = jnp.ones(num_classes)
    spread = numpyro.sample("spread", dist.HalfNormal(scales).to_event(1))
    shape = (num_annotators, num_classes, num_classes - 1)
    distance = numpyro.sample(
        "distance", dist.Normal(jnp.zeros(shape), 1.0).to_event(3)
    )
    log_confusion = log_softmax((population + spread[:, None] * distance) @ basis.T)
    numpyro.deterministic("confusion", jnp.exp(log_confusion))
    with numpyro.plate("items", annotators.shape[0], dim=-2):
        truth = numpyro.sample(
            "truth", dist.Categorical(prevalence), infer={"enumerate": "parallel"}
        )
        with (
            numpyro.plate("positions", annotators.shape[1], dim=-1),
            numpyro.handlers.mask(mask=mask),
        ):
            logits = log_confusion[annotators, truth]
            numpyro.sample("answer", dist.Categorical(logits=logits), obs=answers)
