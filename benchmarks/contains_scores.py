"""Accuracy, F1, log-loss and calibration of what is believed, with paired errors.

Standard errors are of differences, by images left out (jackknife), of the mean over
the draws of raters that both methods have. Which peer is the best is known only
afterwards: whether a method is worse than the best of them is asked of all at once
(Hsu 1981, Simultaneous confidence intervals for all distances from the "best").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LEAST = 1e-3  # log-loss cuts probabilities there
METRICS = ("accuracy", "F1", "log-loss")
SURE = 0.95  # that a bound against the best holds


@dataclass(frozen=True)
class Told:
    """What a method says of the golden pairs, in each draw.

    Attributes
    ----------
    belief
        P(present).
    called
        Which are called present; those with at least one half where nothing is said.
    """

    belief: Sequence
    called: Sequence | None = None


def measured(told: Told, study, chosen):
    """Return accuracy, F1 and log-loss, by draw: of all images, then without each."""
    import numpy as np

    present, image = study.present[chosen], study.image[chosen]
    called = told.called or [each >= 0.5 for each in told.belief]
    each = [
        _measured(belief[chosen], yes[chosen], present, image)
        for belief, yes in zip(told.belief, called, strict=True)
    ]
    return np.stack(each)


def _measured(belief, yes, present, image):
    import numpy as np

    loss = losses(belief, present)
    columns = [yes == present, yes & present, yes, present, loss, np.ones(len(loss))]
    place = np.unique(image, return_inverse=True)[1]
    each = np.stack([np.bincount(place, column) for column in columns])
    whole = each.sum(1, keepdims=True)
    right, both, said, there, loss, pairs = np.concatenate([whole, whole - each], 1)
    f1 = 2 * both / np.maximum(said + there, 1)
    return np.stack([right / pairs, f1, loss / pairs])


def losses(belief, present):
    """Return the log-loss of each pair."""
    import numpy as np

    sure = np.clip(belief, LEAST, 1 - LEAST)
    return -np.log(np.where(present, sure, 1 - sure))


def apart(one, other):
    """Return how far two methods are apart in each metric, and its standard error."""
    import numpy as np

    both = min(len(one), len(other))
    gaps = one[:both].mean(0) - other[:both].mean(0)
    number = gaps.shape[1] - 1
    return gaps[:, 0], np.sqrt((number - 1) * gaps[:, 1:].var(1))


def at_most(ours, peers, sign: int) -> float:
    """Return how much better than the best peer a method may be, at most.

    Below zero it is worse than the best. The bound holds against all peers at once:
    how far they are apart is about normal, with the covariance of the jackknife.

    Parameters
    ----------
    ours, peers
        A metric of the method and of each peer, by draw: of all images, then without
        each.
    sign
        1 where more is better, -1 where less is.
    """
    import numpy as np

    gaps = []
    for each in peers:
        both = min(len(ours), len(each))
        gaps.append(sign * (ours[:both].mean(0) - each[:both].mean(0)))
    whole, left = np.array(gaps)[:, 0], np.array(gaps)[:, 1:]
    off = left - left.mean(1, keepdims=True)
    number = left.shape[1]
    covariance = off @ off.T * (number - 1) / number
    error = np.sqrt(np.diag(covariance))
    generator = np.random.default_rng(0)
    noise = generator.multivariate_normal(np.zeros(len(gaps)), covariance, 20_000)
    far = np.quantile((noise / np.maximum(error, 1e-300)).max(1), SURE)
    return float((whole + far * error).min())


def rows(
    raters: int, told: Mapping[str, Told], study, chosen, images: str, ours: str
) -> Iterator[dict]:
    """Give a row for each method; errors are of the difference from `ours`."""
    import numpy as np

    present = study.present[chosen]
    found = {name: measured(each, study, chosen) for name, each in told.items()}
    for name, each in told.items():
        _, error = apart(found[name], found[ours])
        row = {"raters": raters, "images": images, "method": name}
        values = found[name][:, :, 0].mean(0)
        for metric, value, off in zip(METRICS, values, error, strict=True):
            row |= {metric: round(float(value), 4), f"± {metric}": round(float(off), 4)}
        ece = np.mean([_ece(belief[chosen], present) for belief in each.belief])
        yield {
            **row,
            "ECE": round(float(ece), 4),
            "chance": _chance(each.belief[0][chosen]) if name == ours else None,
        }


def against_best(
    raters: int, told: Mapping[str, Told], study, ours: Sequence[str]
) -> Iterator[dict]:
    """Give, for each of ours and each metric, the difference from the best peer."""
    import numpy as np

    every = np.full(len(study.present), fill_value=True)
    found = {name: measured(each, study, every) for name, each in told.items()}
    peers = [name for name in told if not name.startswith(tuple(ours))]
    for place, metric in enumerate(METRICS):
        sign = -1 if metric == "log-loss" else 1
        value = {name: found[name][:, place, 0].mean() for name in peers}
        best = max(peers, key=lambda name: sign * value[name])
        row = {"raters": raters, "metric": metric, "best peer": best}
        row["its value"] = round(float(value[best]), 4)
        for name in ours:
            gap, error = apart(found[name], found[best])
            row[f"{name}, less"] = round(float(gap[place]), 4)
            row[f"± {name}"] = round(float(error[place]), 4)
            every = [found[peer][:, place] for peer in peers]
            most = at_most(found[name][:, place], every, sign)
            row[f"{name}, better at most"] = round(most, 4)
        yield row


def _ece(belief, present) -> float:
    import numpy as np

    from consilience.scoring.item_metrics import gaps_by_item

    item = np.zeros(len(belief), int)
    gaps = gaps_by_item(belief, present.astype(float), item, None)
    return float(np.abs(gaps).sum() / len(belief))


def _chance(belief) -> float:
    import numpy as np

    generator = np.random.default_rng(0)
    drawn = generator.random((200, len(belief))) < belief
    return round(float(np.mean([_ece(belief, each) for each in drawn])), 4)
