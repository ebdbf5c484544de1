"""What every test shares: checked calls, compiled functions, public data or none."""

import contextlib
import functools
import importlib.util
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import numpy as np
import numpyro  # noqa: F401 (whole before its parts, which tests name: see `model.program`)
import pandas as pd
import pytest
import xarray as xr
from scipy.special import gammaln, logsumexp
from tests.checked_calls import check_calls

# Before anything imports a module of the package. Bytecode is not written here: what a
# checked module imports would be stored as if it were checked itself.
sys.dont_write_bytecode = True
check_calls("consilience")

# The same examples in every run, and no clock: a busy machine fails no test.
hypothesis.settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Compile quickly, and keep what is compiled; also in child processes.

    Most of the time of the suite is spent compiling, so LLVM is asked for no
    optimisation, unless XLA_FLAGS is set: `make studies` sets it to nothing. What is
    compiled is kept between runs and workers.

    Made-up data look strange: a test of what is said of them asks for it.
    """
    strange = "ignore::consilience.errors.ConsilienceWarning"
    config.addinivalue_line("filterwarnings", strange)
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    folder = os.environ.setdefault(
        "JAX_COMPILATION_CACHE_DIR", str(config.rootpath / ".cache" / "jax")
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", folder)
    # Tests compile many small functions: each is worth keeping.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a GPU where the library that they use has none."""
    for item in items:
        marker = item.get_closest_marker("gpu")
        if marker is not None:
            reason = _lacks_a_gpu(marker.kwargs.get("of", "jax"))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@functools.cache
def _lacks_a_gpu(library: str) -> str:
    if library == "jax":
        return "" if jax.default_backend() == "gpu" else "JAX sees no GPU"
    from consilience.classifiers.runtime import choose, load_runtime
    from consilience.errors import ConsilienceError

    try:
        choose("cuda", load_runtime())
    except ConsilienceError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module", autouse=True)
def _what_is_compiled_stays_in_bounds() -> Iterator[None]:
    """Also where tests call engines themselves, and no fit drops programs."""
    from consilience.programs import drop_programs

    yield
    drop_programs()


@pytest.fixture(autouse=True)
def _the_callers_jax_settings_stay() -> Iterator[None]:
    """Fail a test whose code leaves double precision switched on."""
    before = jax.config.jax_enable_x64
    yield
    assert jax.config.jax_enable_x64 == before, "a global JAX setting was changed"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of public data sets that CONSILIENCE_DATA names, or skip."""
    named = os.environ.get("CONSILIENCE_DATA")
    if not named:
        pytest.skip("CONSILIENCE_DATA names no folder of public data")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"CONSILIENCE_DATA names {folder}, which is no folder")
    return folder


@pytest.fixture(scope="session")
def objects_study():
    """120 simulated items of up to four labels, nine annotators each, and the truth."""
    import consilience as cs

    return cs.simulate(
        kind="objects",
        items=120,
        annotators=20,
        classes=8,
        per_item=9,
        prior={"most": 4.0},
        seed=1,
    )


@pytest.fixture(scope="session")
def objects_fit(objects_study):
    import consilience as cs

    return cs.fit(objects_study.responses, model="objects", engine="em", seed=0)


@pytest.fixture(scope="session")
def objects_fit_of_draws(objects_fit):
    """Return the fit with as many draws of its parameters as are asked for."""
    from consilience.posterior import Fit
    from consilience.posterior.tree import with_groups

    def drawn(number):
        posterior = objects_fit.data["posterior"].to_dataset()
        generator = np.random.default_rng(0)
        moved = [
            posterior.map(lambda each: each + 0.3 * generator.normal(size=each.shape))
            for _ in range(number)
        ]
        several = xr.concat(moved, "draw").assign_coords(draw=range(number))
        return Fit(with_groups(objects_fit.data, posterior=several))

    return drawn


def _driver():
    """Load the benchmarks' browser, which stands in no package of the tests' path."""
    spec = importlib.util.spec_from_file_location(
        "report_browser", Path(__file__).parent.parent / "benchmarks" / "browser.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser_page():
    """Return a page of a headless Chromium, or skip where there is none."""
    driver = _driver()
    result = driver.find_chromium()
    if result is None:
        pytest.skip("no Chromium on the path; name one in CONSILIENCE_CHROMIUM")
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(driver.browser(result))
        except (OSError, TimeoutError) as error:
            pytest.skip(f"{result} does not start here: {error}")
        yield opened


class Tiny:
    """Nine answers to four items, few enough to sum over everything that can be true.

    The model is `bayesian_dawid_skene`, whose parameters are integrated out given the
    truth.
    """

    rows = (
        ("i", "a", "x"),
        ("i", "b", "x"),
        ("i", "c", "y"),
        ("j", "a", "y"),
        ("j", "b", "y"),
        ("k", "a", "x"),
        ("k", "c", "x"),
        ("l", "b", "y"),
        ("l", "c", "x"),
    )

    def __init__(self) -> None:
        from consilience.annotators import load
        from consilience.responses import read
        from consilience.spaces import space_of

        frame = pd.DataFrame(self.rows, columns=["item", "annotator", "label"])
        self.responses = read(frame)
        self.space = space_of(self.responses)
        self.model = load("bayesian_dawid_skene")
        prior = self.model.prior
        self.own = prior.other + (prior.own - prior.other) * np.eye(2)
        self.truths = np.array(list(itertools.product(range(2), repeat=4)))

    def counts(self, kept, truth):
        """Imagined counts and what is added when the truth is such."""
        answers = np.tile(self.own, (3, 1, 1))
        rows = (
            self.space.annotator[kept],
            truth[self.space.unit[kept]],
            self.space.answer[kept],
        )
        np.add.at(answers, rows, 1)
        return self.model.prior.prevalence + np.bincount(truth, minlength=2), answers

    def log_joint(self, kept):
        """Log p(truth, answers that are kept) of every truth."""

        def of(prior, total):
            both = [gammaln(c.sum(-1)) - gammaln(c).sum(-1) for c in (prior, total)]
            return (both[0] - both[1]).sum()

        results = []
        for truth in self.truths:
            items, answers = self.counts(kept, truth)
            own = np.broadcast_to(self.own, answers.shape)
            results.append(of(np.full(2, 1.0), items) + of(own, answers))
        return np.array(results)

    def log_evidence(self, kept):
        """Log p(answers that are kept)."""
        return logsumexp(self.log_joint(kept))

    def draws(self, number, generator):
        """Draw parameters from the exact posterior, independently."""
        rows = np.arange(len(self.rows))
        weight = np.exp(self.log_joint(rows))
        which = generator.choice(len(weight), number, p=weight / weight.sum())
        results = [self.counts(rows, truth) for truth in self.truths[which]]

        def drawn(total):
            gamma = generator.standard_gamma(np.array(total))
            return (gamma / gamma.sum(-1, keepdims=True))[None]

        prevalence, confusion = (drawn(total) for total in zip(*results, strict=True))
        return {"prevalence": prevalence, "confusion": confusion}


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture(autouse=True, scope="session")
def _short_chains():
    """Let default fits by Gibbs sampling take a quarter of their work."""
    from consilience.inference.engines import gibbs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gibbs, "MAX_VISITS", gibbs.MAX_VISITS // 4)
        yield
