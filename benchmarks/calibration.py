"""The table of calibration for the documentation: `python -m benchmarks.calibration`.

It takes the folder that `consilience sbc --out FOLDER` has written, and copies what the
page shows to `results/calibration`.
"""

import shutil
import sys
import tomllib
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "results" / "calibration"
QUANTITIES = (
    "prevalence",
    "population confusion",
    "annotators' confusion",
    "log-likelihood",
)
HEAD = (
    *("model", "engine", *QUANTITIES),
    *("accuracy promised", "realised", "labels", "seconds a fit"),
)


def markdown(parameters: pd.DataFrame, truth: pd.DataFrame, seconds) -> str:
    """Return the table; what is not calibrated is bold."""
    by_quantity = parameters.set_index(["model", "engine", "quantity"])
    lines = ["| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    for row in truth[truth["confidence"] == "all"].to_dict("records"):
        key = row["model"], row["engine"]
        cells = [
            *key,
            *(_coverage(by_quantity, (*key, name)) for name in QUANTITIES),
            f"{100 * row['expected']:.1f}",
            f"{100 * row['realised']:.1f} ± {100 * row['gap_se']:.1f}",
            _emphasized(row["verdict"], row["verdict"]),
            f"{seconds[key]:.2g}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _coverage(by_quantity, key):
    if key not in by_quantity.index:
        return ""
    row = by_quantity.loc[key]
    if row["verdict"].startswith("a point"):
        return "**a point**"
    share = f"{100 * row['coverage_90']:.0f} ± {100 * row['coverage_90_se']:.0f}"
    more = row["verdict"].removeprefix("too ")
    good = more == "calibrated"
    return _emphasized(share if good else f"{share} {more}", row["verdict"])


def _emphasized(text, verdict):
    return text if verdict == "calibrated" else f"**{text}**"


def main() -> None:
    """Write the table of a folder and copy its data."""
    folder = Path(sys.argv[1])
    parameters, truth = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("parameters", "truth")
    )
    seconds = {
        tuple(study.parent.name.rsplit("-", 1)): tomllib.loads(study.read_text())[
            "seconds"
        ]
        for study in folder.glob("fits/*/study.toml")
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "table.md").write_text(markdown(parameters, truth, seconds))
    for name in ("parameters.parquet", "truth.parquet", "sbc.toml"):
        shutil.copy(folder / name, RESULTS)


if __name__ == "__main__":
    main()
