"""Compiled programs are kept on disk between processes, unless somebody says no."""

import json
import os
import subprocess
import sys

import pytest

from consilience import programs

# What is compiled, and what of it was found on disk, is what JAX reports.
BEGIN = """
import json, sys, warnings
import jax
counts = {"hits": 0, "misses": 0}
def note(event, **kwargs):
    for name in counts:
        counts[name] += event == f"/jax/compilation_cache/cache_{name}"
jax.monitoring.register_event_listener(note)
said = []
warnings.showwarning = lambda message, *_: said.append(str(message))
"""
SMALL = """
from consilience.programs import keep_programs
for _ in range(2):
    keep_programs()
jax.jit(lambda x: x * 2 + 1)(3.0).block_until_ready()
"""
FIT = """
import consilience as cs
import pandas as pd
pairs = [(i, j) for i in range(9) for j in range(4)]
table = pd.DataFrame({
    "item": [f"i{i}" for i, _ in pairs],
    "annotator": [f"a{j}" for _, j in pairs],
    "label": ["x" if (i * j) % 3 else "y" for i, j in pairs],
})
cs.fit(table, model="glad", engine="em", effort=cs.EngineOptions(draws=0))
"""
END = """
names = ["jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"]
config = [getattr(jax.config, name) for name in names]
print(json.dumps({**counts, "said": said, "config": config}))
"""


def began(what, home, **environment):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JAX_", "XDG_", "CONSILIENCE_"))
    }
    kept |= {"XDG_CACHE_HOME": str(home), "HOME": str(home), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + what + END],
        env=kept,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return json.loads(out.splitlines()[-1])


def run(what, home, **environment):
    return ended(began(what, home, **environment))


def files(home):
    return list((home / "consilience" / "jax").glob("*-cache"))


def test_a_second_process_compiles_nothing_of_a_fit(tmp_path):
    first, second = run(FIT, tmp_path), run(FIT, tmp_path)
    assert first["misses"] == len(files(tmp_path)) > 0
    assert second["misses"] == 0
    assert second["hits"] >= first["misses"]
    assert not first["said"]
    assert not second["said"]


@pytest.mark.parametrize(
    "off", [{programs.KEEP: "0"}, {"JAX_ENABLE_COMPILATION_CACHE": "false"}]
)
def test_nothing_is_kept_where_somebody_says_no(tmp_path, off):
    result = run(SMALL, tmp_path, **off)
    assert not files(tmp_path)
    assert result["config"] == [None, 1.0]


def test_what_a_user_has_set_stays(tmp_path):
    own = str(tmp_path / "own")
    result = run(
        SMALL,
        tmp_path,
        JAX_COMPILATION_CACHE_DIR=own,
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="1",
    )
    assert result["config"] == [own, 1.0]
    assert not files(tmp_path)
    set_before = 'jax.config.update("jax_compilation_cache_dir", "/some/where")\n'
    assert run(set_before + SMALL, tmp_path)["config"][0] == "/some/where"


def test_processes_side_by_side_keep_the_same_and_a_broken_file_is_made_again(tmp_path):
    both = [began(SMALL, tmp_path) for _ in range(2)]
    results = [ended(process) for process in both]
    assert max(each["misses"] for each in results) > 0
    assert not any(each["said"] for each in results)
    for file in files(tmp_path):
        file.write_bytes(file.read_bytes()[:20])
    assert run(SMALL, tmp_path)["hits"] == 0


def test_files_longest_unused_are_removed_where_they_are_too_many(tmp_path):
    for number in range(10):
        file = tmp_path / f"{number}-cache"
        file.write_bytes(bytes(100))
        os.utime(file, (1000 + (number + 5) % 10, 0))
    programs.prune(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) == 10
    programs.prune(tmp_path, 999)
    assert {int(file.name[0]) for file in tmp_path.iterdir()} == {8, 9, 0, 1, 2, 3, 4}
    programs.prune(tmp_path / "none", 0)
