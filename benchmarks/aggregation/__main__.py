"""Compare our methods with other packages': `python -m benchmarks.aggregation --help`.

The options are those of `consilience benchmark`, and limits: each run has a process of
its own, which is stopped where it takes too long or too much memory.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

from benchmarks.aggregation.page import draw, page
from benchmarks.aggregation.peers import cleanlab, crowd_kit, peerannot
from benchmarks.aggregation.processes import Limits, free_gib, in_a_process
from consilience.benchmark import datasets
from consilience.benchmark.comparison import compare, write_tables
from consilience.benchmark.datasets import Protocol
from consilience.benchmark.runs import (
    Method,
    Plan,
    Step,
    choose_methods,
    library_methods,
    other_stored_results,
    run_all,
)
from consilience.responses import ReadOptions

PEERS = (crowd_kit, peerannot, cleanlab)


def peers() -> tuple[tuple[Method, ...], tuple[str, ...]]:
    """Return the methods of the peers that are installed, and the absent packages."""
    there = [peer for peer in PEERS if find_spec(peer.MODULE) is not None]
    methods = tuple(
        Method(f"{peer.PACKAGE}.{name}", peer.__name__, name, peer.PACKAGE, states)
        for peer in there
        for name, states in peer.METHODS.items()
    )
    return methods, tuple(peer.PACKAGE for peer in PEERS if peer not in there)


def main(arguments=None) -> None:
    """Run what the command line asks for."""
    asked = _parser().parse_args(arguments)
    theirs, absent = peers()
    available = (*library_methods(asked.engine), *theirs)
    chosen = choose_methods(asked.models, available)
    if asked.peers:
        chosen = tuple(dict.fromkeys([*chosen, *theirs]))
        if absent:
            print(f"not installed, left out: {', '.join(absent)}")
    sets = datasets.load_all(datasets.find(asked.data), ReadOptions(), None, print)
    free = free_gib()
    limits = Limits(asked.limit, asked.memory or (0.9 * free if free else None))
    plan = Plan(
        folder=asked.out / "runs",
        seed=asked.seed,
        again=asked.again,
        seconds=asked.limit,
    )
    results = run_all(sets, chosen, plan, _report, in_a_process(limits))
    results += other_stored_results(sets, results, plan)
    protocol = Protocol(seed=asked.seed, bins=asked.bins, against=asked.against)
    comparison = compare({one.name: one.gold for one in sets}, results, protocol)
    write(comparison, {one.name: len(one.items) for one in sets}, asked.out)


def write(comparison, items, folder: Path) -> None:
    """Write the tables, the page and the picture."""
    write_tables(comparison, folder)
    (folder / "benchmark.md").write_text(page(comparison, items), encoding="utf-8")
    draw(comparison, folder / "benchmark.svg")


def _report(step: Step) -> None:
    if step.result is None:
        return
    outcome = step.result.outcome
    done = outcome["status"] == "done"
    how = f"{outcome['seconds']:.1f} s" if done else outcome["reason"]
    print(f"[{step.number}/{step.total}] {step.data} {step.method}: {how}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.aggregation",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("data", nargs="+", type=Path, help="sets, or folders of sets")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder")
    parser.add_argument("--models", nargs="+", default=(), help="by default all ours")
    parser.add_argument("--peers", action="store_true", help="add every peer")
    parser.add_argument("--engine", default="auto", help="of models that have it")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds of a run")
    parser.add_argument("--memory", type=float, help="GiB of a run")
    parser.add_argument("--again", action="store_true", help="run again what is kept")
    parser.add_argument("--against", help="method that differences are taken from")
    parser.add_argument("--seed", type=int, default=0, help="of methods and bootstrap")
    parser.add_argument("--bins", type=int, help="largest number of bins of the ECE")
    return parser


if __name__ == "__main__":
    main()
