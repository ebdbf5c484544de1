"""Run benchmarks by name, print their tables, and keep them in `benchmarks/results`."""

import argparse
import importlib
from pathlib import Path

from benchmarks.report import keep, markdown

# In the order in which they are worth reading.
NAMES = (
    "first_fit",
    "speed",
    "growth",
    "many_fits",
    "left_out",
    "coverage",
    "convergence",
    "label_sets",
    "models",
    "many_labels",
    "nuts",
    "start",
    "agreement",
    "real",
    "contains",
    "whole_contains",
    "counts",
    "contains_coverage",
    "contains_simulated",
    "classify",
    "candidates",
    "study",
    "valid_labels",
    "objects",
    "objects_cost",
    "study_cost",
    "report_page",
    "study_page",
    "killed",
)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
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
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; choose {', '.join(NAMES)}")
    for name in asked.names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        report = module.run(
            quick=asked.quick, repeats=1 if asked.quick else asked.repeats
        )
        print(markdown(report), flush=True)
        if not asked.quick:
            keep(report, asked.results / name)


if __name__ == "__main__":
    main()
