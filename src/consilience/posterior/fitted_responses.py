"""Whether responses are those that a fit was fitted to."""

import json

from consilience.errors import KindError, OptionError
from consilience.posterior.fit import Fit
from consilience.posterior.results.items import items
from consilience.posterior.results.labels import labels
from consilience.responses import Responses
from consilience.responses.columns.names import listing

_HOW = "give the responses that it was fitted to"
_SHOWN = 12  # digits of a SHA-256


def check_responses(fit: Fit, responses: Responses) -> None:
    """Refuse responses that a fit was not fitted to."""
    attributes = fit.data.attrs
    if attributes["kind"] not in responses.kinds:
        msg = (
            f"the responses are of kind {', '.join(responses.kinds)}, the fit of kind "
            f"{attributes['kind']}; {_HOW}"
        )
        raise KindError(msg)
    recorded = json.loads(attributes.get("sources", "{}"))
    given = responses.sources
    other = {name: sha for name, sha in given.items() if sha not in recorded.values()}
    if recorded and other:
        msg = (
            f"the responses were read from {_named(other)}, and the fit from "
            f"{_named(recorded)}: the contents differ; {_HOW}"
        )
        raise OptionError(msg)
    fitted = set(items(fit.data)["item"].astype("str"))
    read = set(responses.table["item"].cat.categories.astype("str"))
    if not fitted <= read:
        msg = (
            f"{len(fitted - read):,} of the {len(fitted):,} items of the fit are not "
            f"among the {len(read):,} of the responses; {_HOW}"
        )
        raise OptionError(msg)
    if attributes["kind"] == "objects":  # which leaves rare candidates out
        return
    learned = set(labels(fit.data)["label"].astype("str"))
    strange = sorted(set(responses.labels["label"].astype("str")) - learned)
    if strange:
        msg = (
            f"the fit does not know {listing(strange, 3)}, labels of the responses: "
            f"they were read in another way; {_HOW}, read as they were then"
        )
        raise OptionError(msg)


def _named(sources: dict[str, str]) -> str:
    name, sha = next(iter(sources.items()))
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"{name} (SHA-256 {sha[:_SHOWN]}…){more}"
