"""The wheel holds all that the package needs, and is used as it is installed."""

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_PACKED = {"__pycache__"}
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import consilience as cs
assert cs.__file__.startswith(sys.argv[1]), cs.__file__
fit = cs.fit(cs.read(sys.argv[2]), model="dawid_skene", engine="em", seed=0)
fit.save(sys.argv[3])
print(len(fit.items()), cs.report(fit, sys.argv[3] + ".html").name)
from consilience.cli import main
main(["annotators", sys.argv[3]])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "consilience").rglob("*")
        if path.is_file() and NOT_PACKED.isdisjoint(path.parts)
    }
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if name.startswith("consilience/")}
    assert names == files
    assert {Path(name).suffix for name in files} >= {
        ".py",
        ".pyi",
        ".toml",
        ".j2",
        ".js",
    }
    assert version("consilience") in wheel.name


def test_the_wheel_is_used_as_it_is_installed(wheel, tmp_path):
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:  # which is all that an installer does
        packed.extractall(installed)
    rows = [f"i{k // 3},{'abc'[k % 3]},{'xy'[k // 3 % 2]}" for k in range(30)]
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join(["item,annotator,label", *rows]))
    words = [sys.executable, "-c", PROGRAM, installed, answers, tmp_path / "run"]
    done = subprocess.run(
        list(map(str, words)), cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("10 run.html")
    assert "checks: " in done.stdout
