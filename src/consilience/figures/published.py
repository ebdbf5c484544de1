"""Published values of public studies, set beside what a fit finds.

A table of this folder belongs to the file whose SHA-256 is its name in `STUDIES`: the
values are given for that study's own answers and for no others.
"""

from importlib.resources import files
from io import StringIO

import pandas as pd

from consilience.responses import Responses

# Of the answers of each study, the SHA-256 and the table of its published values.
STUDIES = {
    "8eed7a16091fa6ff3124d941ad26d9b0760378756967329cd0d63c408e457bbc": (
        "imagenet_multilabel"
    ),
}


def published(responses: Responses) -> pd.DataFrame:
    """Return the published values of the study that responses belong to."""
    names = [STUDIES[sha] for sha in responses.sources.values() if sha in STUDIES]
    if not names:
        return pd.DataFrame(columns=["figure", "row", "published", "source"])
    place = files("consilience.figures").joinpath("published", f"{names[0]}.csv")
    return pd.read_csv(StringIO(place.read_text("utf-8")))


def beside(
    table: pd.DataFrame, values: pd.DataFrame, figure: str, key: list[str]
) -> pd.DataFrame:
    """Return a table with the columns published and source, where a value is known."""
    rows = values[values["figure"] == figure].set_index("row")
    if rows.empty:
        return table
    names = table[key].astype("str").agg("/".join, axis=1)
    return table.assign(
        published=names.map(rows["published"]), source=names.map(rows["source"])
    )
