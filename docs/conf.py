"""Configuration of Sphinx; generates one page per model from its docstring."""

import ast
import hashlib
import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from jupyter_cache import get_cache
from sphinx.application import Sphinx

from consilience.annotators import load

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))  # for the extensions in this folder
ROOT = DOCS.parent

project = "consilience"
author = "The consilience developers"
project_copyright = author
release = version_of("consilience")
version = release

extensions = [
    "myst_nb",
    "packages.directive",
    "plates.directive",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "formulas",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints", "**/.jupyter_cache"]

# Every example is executed. Outputs are cached until the page or the package changes.
SOURCE = sorted((ROOT / "src").rglob("*.py"))
STATE = hashlib.sha256(b"".join(file.read_bytes() for file in SOURCE)).hexdigest()
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / ".cache" / "docs" / STATE[:16])
# Processes that start at the same moment would each create the tables of a new cache.
get_cache(nb_execution_cache_path).db.dispose()
nb_execution_raise_on_error = True
nb_execution_timeout = 1800  # stops examples that hang; a busy machine is slow
nb_execution_in_temp = True  # examples write files
nb_execution_show_tb = True
nb_merge_streams = True
# The colours of a help page may arrive in two parts, of which neither is a colour.
suppress_warnings = ["misc.highlighting_failure"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_rtype = False

# Links to the documentation of other libraries need the network, so they are optional.
if os.environ.get("CONSILIENCE_DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "arviz": ("https://python.arviz.org/en/stable", None),
        "jax": ("https://docs.jax.dev/en/latest", None),
        "numpyro": ("https://num.pyro.ai/en/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "python": ("https://docs.python.org/3", None),
        "xarray": ("https://docs.xarray.dev/en/stable", None),
    }

html_math_renderer = "mathml"
html_theme = "furo"
html_title = "consilience"
html_static_path = ["_static"]
html_css_files = ["tables.css", "plates.css"]

# Examples that call `consilience` use the one of this environment.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)

# Progress bars in notebooks warn about a package that the pages do not need.
os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")

# Each page and command is a process of its own: they share the bytecode of all modules.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".cache" / "bytecode"))

# Examples and tests share one compilation cache of JAX.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def write_model_pages(_app: Sphinx) -> None:
    """Write reference/models/NAME.md for each file in annotators/ that has a MODEL."""
    pages = DOCS / "reference" / "models"
    pages.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for source in sorted((ROOT / "src" / "consilience" / "annotators").glob("*.py")):
        if defines_a_model(source):
            wanted[f"{source.stem}.md"] = model_page(source.stem)
    for stale in pages.glob("*.md"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        page = pages / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def model_page(name: str) -> str:
    """Return the page of a model: assumptions, prior settings, engines, references."""
    module = f"consilience.annotators.{name}"
    model = load(name)
    engines = ", ".join(f"`{engine}`" for engine in model.engines)
    parts = [
        f"# {name}",
        f"```{{plate}} {name}\n```",
        f"```{{eval-rst}}\n.. automodule:: {module}\n   :no-members:\n```",
        f"**Engines**, in order of preference: {engines}.",
        "## Prior settings",
        f"```{{eval-rst}}\n.. autoclass:: {module}.Prior\n```",
        "## References",
        *(f"- {reference}" for reference in model.references),
        "See [references](../../references.md) for the full entries.",
    ]
    return "\n\n".join(parts) + "\n"


def defines_a_model(source: Path) -> bool:
    """Say whether a file assigns the name MODEL at its top level."""
    statements = ast.parse(source.read_text(encoding="utf-8")).body
    targets = [
        target
        for statement in statements
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in getattr(statement, "targets", None) or [statement.target]
    ]
    return any(isinstance(name, ast.Name) and name.id == "MODEL" for name in targets)


def setup(app: Sphinx) -> None:
    """Generate the pages of the models before Sphinx collects sources."""
    app.connect("builder-inited", write_model_pages)
