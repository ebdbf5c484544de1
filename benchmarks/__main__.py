"""Run benchmarks by name, print their tables, and keep them in `benchmarks/results`."""

import argparse
import importlib
from pathlib import Path

from benchmarks.harness import keep, markdown

# The module of each, which has a function of the benchmark's name; in the order in
# which they are worth reading.
MODULES = {
    "first_fit": "speed",
    "speed": "speed",
    "growth": "speed",
    "large": "large",
    "many_answers": "large",
    "swept": "large",
    "many_fits": "speed",
    "left_out": "left_out",
    "coverage": "coverage",
    "calibration": "calibration",
    "convergence": "convergence",
    "models": "speed",
    "many_labels": "speed",
    "nuts": "speed",
    "start": "speed",
    "agreement": "speed",
    "contains": "contains",
    "contains_halves": "contains",
    "whole_contains": "speed",
    "counts": "contains",
    "contains_coverage": "coverage",
    "contains_simulated": "coverage",
    "gold": "gold",
    "gold_contains": "gold",
    "gold_predicted": "gold",
    "gold_simulated": "gold_simulated",
    "flags": "flags",
    "classify": "classify",
    "study": "study",
    "valid_labels": "valid_labels",
    "objects": "objects",
    "objects_coverage": "objects_coverage",
    "study_cost": "speed",
    "report_page": "pages",
    "comparisons": "comparisons",
    "rates": "rates",
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(MODULES))
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny sizes: shows that it runs, no figures",
    )
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="of each pair; medians are printed"
    )
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(MODULES))
    if unknown:
        choices = ", ".join(MODULES)
        parser.error(f"there is no benchmark {unknown[0]!r}; choose {choices}")
    for name in asked.names or MODULES:
        module = importlib.import_module(f"benchmarks.{MODULES[name]}")
        report = getattr(module, name)(
            quick=asked.quick, repeats=1 if asked.quick else asked.repeats
        )
        print(markdown(report), flush=True)
        if not asked.quick:
            keep(report, asked.results / name)


if __name__ == "__main__":
    main()
