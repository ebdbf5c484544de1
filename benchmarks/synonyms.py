"""Known pairs of labels: synonyms, rivals, and parts or neighbors of one another."""

from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TITLE = "Synonyms, rivals and separate objects"

# By the first names of the classes of ImageNet; chosen by what the words mean, among
# the pairs that are candidates together of 14 images or more.
PAIRS = {
    "synonyms": (
        "sunglass, sunglasses; maillot, maillot; laptop, notebook; "
        "missile, projectile; monitor, screen; screen, television; bathtub, tub; "
        "coffee mug, cup; assault rifle, rifle; tusker, African elephant; "
        "tusker, Indian elephant; corn, ear; cassette player, tape player; "
        "analog clock, wall clock; flagpole, pole; pitcher, water jug; "
        "ram, bighorn; chain, necklace; mushroom, agaric; convertible, sports car"
    ),
    "rivals": (
        "guenon, macaque; Norfolk terrier, Norwich terrier; lakeside, seashore; "
        "Eskimo dog, Siberian husky; malamute, Siberian husky; "
        "Appenzeller, EntleBucher; Yorkshire terrier, silky terrier; "
        "Indian elephant, African elephant; leopard, jaguar; leopard, cheetah; "
        "African crocodile, American alligator; toy poodle, miniature poodle; "
        "Irish wolfhound, Scottish deerhound; red fox, kit fox; "
        "moped, motor scooter; impala, gazelle; cornet, trombone; "
        "dragonfly, damselfly; wood rabbit, hare; great white shark, tiger shark"
    ),
    "apart": (
        "table lamp, lampshade; car wheel, sports car; car wheel, grille; "
        "canoe, paddle; airliner, wing; desk, mouse; desk, monitor; "
        "computer keyboard, monitor; computer keyboard, mouse; altar, church; "
        "military uniform, rifle; garden spider, spider web; restaurant, plate; "
        "warplane, wing; entertainment center, television; desk, desktop computer; "
        "suit, Windsor tie; sea anemone, coral reef; bell cote, church; dome, mosque"
    ),
}

NOTES = (
    (
        "Means over the images that have both labels as candidates. same object: "
        "probability that both name one object; synonyms: that each is then a right "
        "name of it, given that they name one object. synonyms, here, include a class "
        "and a wider one; rivals exclude each other; apart are parts and things that "
        "stand side by side. The list was made by what the words mean."
    ),
    (
        "Chance that a pair of the one sort has the higher value than one of the other "
        "(area under the ROC curve)."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit the study, and look at known pairs."""
    del repeats
    data = public_data("imagenet-multilabel", quick=quick)
    if data is None:
        return not_run(TITLE)
    import consilience as cs

    responses = cs.read(data / "imagenet-multilabel")
    fit = cs.fit(responses, model="objects", seed=0)
    by_pair = _by_pair(fit.same_object(), _first_names(responses.labels))
    rows = []
    for sort, listed in PAIRS.items():
        for pair in listed.split("; "):
            found = by_pair.get(frozenset(pair.split(", ")))
            if found is not None:
                rows.append({"pair": pair.replace(", ", " / "), "sort": sort} | found)
    return Report(TITLE, rows, NOTES, {"Sorts told apart": _told_apart(rows)})


def _first_names(labels) -> dict[str, str]:
    names = labels["name"].astype(str).str.split(",").str[0]
    return dict(zip(labels["label"].astype(str), names, strict=True))


def _by_pair(same, names: dict[str, str]) -> dict[frozenset, dict]:
    """Return the mean probabilities of each pair of names that are on images."""
    groups = same.groupby(["label_a", "label_b"], observed=True)
    table = groups[["probability", "synonyms"]].mean()
    table["images"] = groups.size()
    return {
        frozenset(names[str(label)] for label in pair): {
            "images": int(row["images"]),
            "same object": round(row["probability"], 2),
            "synonyms": round(row["synonyms"] / row["probability"], 2),
        }
        for pair, row in table.sort_values("images").iterrows()
    }


def _told_apart(rows: list[dict]) -> list[dict]:
    import numpy as np
    from scipy.stats import mannwhitneyu

    def area(value: str, higher: tuple[str, ...], lower: tuple[str, ...]) -> dict:
        one, other = (
            np.array([row[value] for row in rows if row["sort"] in sorts])
            for sorts in (higher, lower)
        )
        if not len(one) or not len(other):
            return {}
        statistic = mannwhitneyu(one, other).statistic
        return {
            "by": value,
            "higher": " and ".join(higher),
            "lower": " and ".join(lower),
            "area": round(float(statistic / (len(one) * len(other))), 3),
        }

    areas = [
        area("synonyms", ("synonyms",), ("rivals",)),
        area("same object", ("synonyms", "rivals"), ("apart",)),
        area("same object", ("rivals",), ("apart",)),
    ]
    return [each for each in areas if each]
