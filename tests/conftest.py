"""What every test shares: compiled functions are kept, public data may be absent."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import jax
import pytest

# The same examples in every run, and no clock: a busy machine fails no test.
hypothesis.settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("fixed")


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled functions between runs and workers, also for child processes."""
    folder = os.environ.setdefault(
        "JAX_COMPILATION_CACHE_DIR", str(config.rootpath / ".cache" / "jax")
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", folder)
    # Tests compile many small functions: each is worth keeping.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a GPU where JAX sees none."""
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if on_gpu and jax.default_backend() != "gpu":
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="JAX sees no GPU"))


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
