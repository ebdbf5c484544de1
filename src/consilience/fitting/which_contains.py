"""The model `auto` for answers about one label at a time, and why that one.

On the raters of the reassessed ImageNet study (553 pairs with the majority of five
experts) the scale of appearances of `contains` had a log-loss of .344, .277, .247, .218
and .187 from one, two, three, five and ten raters a label; three states in closed form,
tempered, .354, .288, .256, .229 and .201. So a scale pays from a few answers on, or
where something is known of labels, which only it can use (.278 from one).
"""

from consilience.truth import Space

MANY = 5  # answers a label, beyond which a scale is better than states
MAX_ON_SCALE = 2_000_000  # answers: some ten minutes on two cores


def which_contains(space: Space) -> tuple[str, str]:
    """Return the name of the model that suits, and why.

    Parameters
    ----------
    space
        Of kind contains.
    """
    answers = int(space.n.sum())
    each = answers / max(space.num_units, 1)
    scale = None
    if space.covariates is not None:
        scale = "it can use prior covariates of labels"
    elif space.groups is not None:
        scale = "it can use the groups that labels have"
    elif space.similar_sets is not None:
        scale = "it can use the similarity of labels"
    elif each > MANY:
        scale = f"with {each:.1f} answers a label a scale is better than states"
    if not space.identified.any():
        return "contains_counts", "no annotator has an id, so counts are all there is"
    if scale is None:
        return "contains_states", (
            f"with {each:.1f} answers a label, of which nothing else is known, a "
            "continuous scale would not be better than states, which give intervals"
        )
    if answers > MAX_ON_SCALE:
        return "contains_states", (
            f"{answers:,} answers are many: beyond {MAX_ON_SCALE:,} the closed form is "
            "taken"
        )
    return "contains", scale
