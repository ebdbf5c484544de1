"""From responses to a fit."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consilience import annotators as annotator_models
from consilience.checks import all_checks, as_dataset
from consilience.continuing import journal
from consilience.errors import OptionError
from consilience.fitting.annotator_table import with_earlier
from consilience.fitting.automatic import fit_auto
from consilience.fitting.classes import fit_classes, fit_heuristic
from consilience.fitting.comparing import IF_ORDERED
from consilience.fitting.contains import fit_contains
from consilience.fitting.inputs import Table, check_order, with_order
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.fitting.with_gold import corrected, learns_from_gold
from consilience.inference import EngineOptions
from consilience.model import Heuristic, Model
from consilience.posterior import Fit
from consilience.posterior.tree import Outcome, with_groups
from consilience.posterior.trust import FAILED, diagnostics, tally
from consilience.progress import Reporter, logger, reporter
from consilience.responses import Responses
from consilience.truth import ChoiceSpace
from consilience.when_used import xr


def fit(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    *,
    model: str | Model[Any] = "auto",
    engine: str = "auto",
    seed: int = 0,
    candidates: Table | None = None,
    similarity: Table | None = None,
    gold: Table | None = None,
    annotators: Table | None = None,
    annotator_prior: Table | None = None,
    states: int | None = None,
    ordered: bool = False,
    copies: str = "merge",
    contains: Responses | Table | None = None,
    prior: Mapping[str, float] | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    max_seconds: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | Reporter = False,
) -> Fit:
    """Fit an annotator model: how reliable annotators are, and what is true.

    Parameters
    ----------
    responses : Responses, data frame, path or sequence of paths
        Responses, or anything that `read` accepts.
    model : str or Model, default "auto"
        Name of a model (see `consilience.annotators.names`), a model of one's own, or
        the name of its module (see `consilience.model.Model`). "auto" compares several
        models by how well they predict each answer from the others, and averages
        their posteriors of the truth. Annotators and confusions are those of
        `correlated_dawid_skene` or `ordinal_dawid_skene`; `Fit.comparison` shows the
        ranking. Where there is nothing to compare, "auto" is the pooled multinomial
        if no annotator has an id, and `structured` if a table of all labels would
        not fit in memory. `class_confusion` takes the label that the data set has for
        an item, or a gold label, for its truth, and main labels of kind objects for
        answers. For contains, "auto" averages `hierarchical_dawid_skene` and
        `contains_states`, and annotators are those of the former; it is
        `contains_counts` if no annotator has an id. The assumptions of the fit state
        what makes a label present, and the share of pairs by other meanings.
    engine : {"auto", "gibbs", "nuts", "vb", "em"}, default "auto"
        Inference engine. "auto" takes the one that answers in seconds, never nuts;
        `fit.data.attrs` records the choice and the reason. With the model "auto",
        another engine than gibbs or vb fits the best model alone.
    seed : int, default 0
        Seed of the random number generator.
    candidates : data frame or path, optional
        Columns item and label: the labels that can be true of an item (choice), or
        that were asked about (contains). Further columns of numbers are prior
        covariates, whose weights are learned. The column `log_odds` is used as it
        is (choice).
    similarity : data frame or path, optional
        Columns label, other_label and value: how similar two labels are (`structured`
        and models of objects), or which labels are similar, so that one makes a
        yes to the other more likely (`contains`). `co_confusion` returns such a
        table; a folder of candidates stands for it.
    gold : data frame or path, optional
        Columns item and label (contains: and answer; objects: all valid labels, or an
        answer): the truth of some items. It also corrects the posterior of all others,
        and annotators with it, as far as gold left out confirms that (table `gold`);
        rules, `contains` and models of classes take it for the truth of its items
        alone. A column `probability` says how sure a row is, `annotator` which expert
        it is of, and `inclusion`, of `gold_design`, how it was drawn.
    annotators : data frame or path, optional
        Column annotator, and group, repeat_of or both. Each group (experts, crowd,
        language models) has a population of its own in `correlated_dawid_skene` and
        `ordinal_dawid_skene`, which "auto" reports annotators by;
        the table `annotator_groups` compares them. An annotator with `repeat_of` is a
        sample of the one named there, such as of a language model: samples count as
        one annotator, and of its answers to one question the most frequent counts,
        or the first of equally frequent ones.
    annotator_prior : data frame or path, optional
        What annotators answered earlier to questions of known truth (choice). Columns
        annotator, true_label and given_label, and `n`, how often (by default once), or
        `probability` with `n`, how many answers to that label it is worth. Or a score:
        annotator, `right` or `accuracy`, and `n`, how many answers were judged. The
        posterior is that of these answers and the new ones together, except that they
        say nothing of how frequent labels are.
    states : {2, 3}, optional
        Number of states of a label's presence (contains); 3 adds *unclear*. By
        default the number that the model is meant for.
    ordered : bool, default False
        Whether labels are ordered, as ratings are (choice). Their order is that of
        the responses (`read(labels=[...])`); that of numbers and of well-known scales
        is known, and without a known order this is an error. "auto" then compares
        `ordinal_dawid_skene`, too, and `Fit.items` has the posterior median and mean.
        An ordered categorical column of labels says the same.
    copies : {"merge", "keep"}, default "merge"
        What becomes of answers that an annotator copied from another, where more than
        .9 sure (choice, contains). "merge" leaves them out, so that the two count as
        one; "keep" counts them. The assumptions of the fit, a flag and the check
        `annotators_alike` name both either way. To declare a copy, give `annotators`
        with `repeat_of`.
    contains : Responses, data frame or path, optional
        Responses of kind contains about the same items. With responses of kind
        objects they enter one likelihood (`objects`). Not needed if `responses`
        hold both kinds.
    prior : mapping of str to float, optional
        Settings of the model's prior to change, by name.
    effort : EngineOptions, optional
        Number of draws, restarts and steps, and the tolerance of the engine.
    max_seconds : float, optional
        Seconds after which the fit takes as few further steps as it can do with, and
        ends. The check `max_seconds` then says what was cut short. Compiling and the
        warm-up of nuts are not cut short. By default there is no limit.
    checkpoint : path, optional
        Folder in which a long fit saves its state from time to time. The same call
        goes on from there after it was stopped, and has the same result. Remove the
        folder once the fit is saved.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.

    Returns
    -------
    Fit
        Posterior of the truth and of the parameters, with diagnostics.

    Raises
    ------
    OptionError
        If a name or a setting does not exist.
    ConsilienceError
        If the responses cannot be read or fitted; the message says how to fix them.

    See Also
    --------
    predict : Apply an earlier fit to new items.
    compare : Compare models on the same responses.
    Sequential : Update the truth of items as answers arrive.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
    >>> fit.items()[["item", "label", "probability"]].head(3).round(2)
            item     label  probability
    0  photo-001  malamute          1.0
    1  photo-002     husky          1.0
    2  photo-003   samoyed          1.0
    """
    name = "auto" if model == "auto" else annotator_models.find(model)
    if max_seconds is not None and not max_seconds > 0:
        raise OptionError(
            f"max_seconds is {max_seconds!r}; give a number above 0, or leave it out"
        )
    request = Request(
        model=name,
        engine=engine,
        seed=seed,
        states=states,
        ordered=ordered,
        copies=copies,
        prior=prior,
        effort=effort,
        progress=progress,
    )
    given, beside, has_order = with_order(responses, contains)
    if has_order:
        request = replace(request, ordered=True)
    if request.ordered or name in IF_ORDERED:
        check_order(given)
    tables = {
        "candidates": candidates,
        "similarity": similarity,
        "gold": gold,
        "annotators": annotators,
        "annotator_prior": annotator_prior,
    }
    chosen = None if name == "auto" else annotator_models.load(name, prior)
    if isinstance(chosen, Heuristic):
        return Fit(fit_heuristic(chosen, given, request, **tables, contains=beside))
    study = Study.read(given, beside, **tables)
    if chosen is None or not chosen.of_classes:
        study = study.with_copies(copies)
    asked = replace(request, progress=False, started=0.0)
    inputs = (version("consilience"), study, asked, chosen)
    folder = None if checkpoint is None else Path(checkpoint)
    with journal(folder, inputs, max_seconds):
        return _fit_study(study, request, chosen)


def _fit_study(study: Study, request: Request, chosen: Model[Any] | None) -> Fit:
    given, name = study.responses, request.model
    # JAX and NumPyro are loaded only where they are needed.
    if given.kind != "contains" and chosen is not None and chosen.of_classes:
        if study.annotator_prior is not None:
            raise OptionError(
                f"the model {name} does not use annotator_prior; leave it out, or "
                "choose another model (`consilience models`)"
            )
        outcome = fit_classes(study, request)
    elif given.kind == "choice":
        outcome = fit_choice(study, request)
    elif given.kind == "contains":
        outcome = fit_contains(study, request)
    else:
        from consilience.fitting.objects import fit_objects

        return Fit(_with_verdicts(fit_objects(study, request)))
    finish = outcome.finish
    outcome = replace(outcome, finish=lambda data: _with_verdicts(finish(data)))
    # Fits of kind choice alone have labels before they are laid out.
    return Fit(outcome if isinstance(outcome.space, ChoiceSpace) else outcome.tree())


def _with_verdicts(data: "xr.DataTree") -> "xr.DataTree":
    checked = with_groups(data, diagnostics=as_dataset(all_checks(data)))
    table = diagnostics(checked)
    if len(table):
        logger.info("%s: checks: %s", data.attrs["model"], tally(table))
    for row in table[table["outcome"] == FAILED].to_dict("records"):
        logger.info("check %s: %g; %s", row["name"], row["value"], row["remedy"])
    return checked


def fit_choice(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" compares several and mixes them."""
    table, remarks = None, tuple[str, ...]()
    given = learns_from_gold(study, request.model)
    with reporter(request.progress) as report:
        study_space: ChoiceSpace = study.space(fixed=not given)
        space = study_space
        if study.annotator_prior is not None:
            space, remarks = with_earlier(study.annotator_prior, study_space)
        if request.model == "auto":
            single, table = fit_auto(space, request, report)
        else:
            single = fit_one(request.model, space, request, report)
    single = single.first(study_space.num_units)
    taught = None
    if given:
        fixed: ChoiceSpace = study.space()
        taught = corrected(study_space, fixed, single, request, study.gold)
        study_space = fixed
    if taught is not None:
        single = taught.single
    outcome = fit_outcome(study, request, study_space, single, remarks)
    outcome = replace(outcome, comparison=table)
    return outcome if taught is None else replace(outcome, finish=taught.kept)
