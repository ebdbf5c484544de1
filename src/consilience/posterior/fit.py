"""A fit: one ArviZ DataTree, and the tables computed from it.

Whichever model and engine wrote it, the tree means the same. Draws have the dimensions
chain and draw, one of each for a point estimate; a *unit* is an item, or for contains
an item and a label asked about, and lies along the dimension item.

posterior
    Parameters of the model. Table models have prevalence(true_class) and
    confusion([annotator,] true_class, given_class); those of many labels have
    prevalence(true_class) and accuracy(annotator). Where candidates have columns,
    weight(covariate) of each and relative_information of all together; for choice
    prevalence is then that of an item of which they say nothing, and
    mean_prior(true_class) the mean over the items of what was believed before anyone
    answered.
summary
    confusion_mean, confusion_lower, confusion_upper, where draws would be too large.
truth
    probability, lower, upper (item, candidate); NaN at padding and where the engine
    states no bounds. Where residuals of annotators can be correlated, also the other
    posterior, as raw_probability and so on or tempered_probability and so on, and
    design_effect(item). Attributes: reported (raw or tempered), residual_correlation,
    residual_z, and residual_shrunk, by which intervals of annotators are wider.
comparison
    model, elpd, se, difference, difference_se, weight, best and seconds along
    candidate_model (model "auto").
constant_data
    candidate_class([item,] candidate), an index into true_class or -1 for padding;
    log_prior(item, candidate) where candidates have weights or items have gold;
    superclass(true_class) where labels have one;
    unit_group(item), an index into group, where labels have groups; similar_set(item)
    and shown_set(item), codes of the similar labels of an item, and of those shown
    together (contains, where somebody says what is similar);
    covariates(item, [candidate,] covariate), covariate_centre and covariate_spread
    (covariate), where candidates have columns;
    aside_unit, aside_label and aside_n (aside), labels named besides main labels, where
    these are the answers; num_responses(item); annotator_responses,
    annotator_identified and group_of_annotator (annotator), an index into
    annotator_group, where annotators have groups;
    first_label and second_label (pair), the labels of pairs that have a parameter;
    votes(given_class, true_class); unit_item(item); for contains unit_label(item) and
    present(true_class); for objects, where candidates were asked about as well,
    contains_counts(item, place, contains_answer), how many said no, maybe and yes of
    each.
observed_data
    annotator, item, answer and n along response, as codes.
log_likelihood
    responses(chain, draw, item), the truth summed out.
sample_stats
    diverging, energy, num_steps, accept_prob (NUTS).
convergence
    rhat, ess_bulk, ess_tail, and the lowest and highest mean of a chain along
    quantity, what tables give (NUTS, Gibbs; at most
    200 of a kind, those whose chains differ most), of the draws before modes were
    weighted; mode_of_chain(chain) and mode_weight(mode); the attribute modes says in
    what modes differ.
optimization
    objective(restart, sweep), NaN after the end; converged(restart); chosen (EM, VB,
    SVI).
diagnostics
    name, value, limit, ok and remedy along check.
objects
    Kind objects, models with a likelihood: beyond(item, candidate, share), P(a label is
    valid at a share of annotators); main_share and candidate_label (item, candidate),
    -1 for padding; several(population_draw, tau), the share of items with several
    objects; judged_several and differs (population_draw, panel), the shares that a
    panel of so many, those who have answered among them, finds to have several objects,
    and another main label than the data set's (0: in the limit).
joint_draws
    Kind objects, models with a likelihood: hundredths(parameter_draw, item_draw, cell),
    the share of annotators who name a candidate's object in a drawn world; levels, the
    share up to which the candidate is valid; and facts of it as bits (the name that its
    object goes by most, a name of the main object, the main label); cell_item and
    cell_label, of each candidate.
tables
    A group for each table that the fit holds as it is, along row: what a rule states.

Attributes of the root: model, engine, engine_reason, kind, seed, prob, seconds,
version, and as JSON assumptions, sources, settings, the types that items, annotators
and labels had in the source (id_types), and the classifiers whose predictions were
covariates (classifiers).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.posterior import interval_prob, tempering
from consilience.posterior.interval_prob import Outcome
from consilience.posterior.objects import stored_objects as objects
from consilience.posterior.results import (
    annotators,
    confusion,
    diagnostics,
    items,
    labels,
)
from consilience.responses.tables.id_types import Types, restored, text_of
from consilience.when_used import xr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fit:
    """A fitted model.

    Attributes
    ----------
    data : xarray.DataTree
        Draws, truth, observations and diagnostics, as an ArviZ DataTree.

    See Also
    --------
    consilience.fit : Fit a model.
    consilience.load : Read a fit that was saved.
    consilience.export : Write tables of a fit to files.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> fit.data.attrs["model"], fit.data.attrs["engine"]
    ('dawid_skene', 'em')
    """

    data: xr.DataTree
    _outcome: Outcome | None = field(default=None, init=False, repr=False)

    def __repr__(self) -> str:
        """Say what was fitted and whether the checks passed."""
        return items.text(self.data)

    def _repr_html_(self) -> str:
        """Return what was fitted and the first rows of its tables, for a notebook."""
        return items.html(self.data, self.types)

    @property
    def types(self) -> Types:
        """Types of items, annotators and labels in the source, by role.

        All tables of the fit have these types.

        See Also
        --------
        consilience.Responses.typed : The same for tables of responses.

        Examples
        --------
        >>> import consilience as cs
        >>> import pandas as pd
        >>> rows = [(1, "ann", "cat"), (1, "bob", "dog"), (2, "ann", "cat")]
        >>> answers = pd.DataFrame(rows, columns=["item", "annotator", "label"])
        >>> cs.fit(answers, model="majority").types
        {'item': 'int64', 'annotator': 'str', 'label': 'str'}
        """
        if (outcome := self._outcome) is not None:
            return outcome.types
        types_by_role: Types = json.loads(self.data.attrs.get("id_types", "{}"))
        return types_by_role

    def labels(
        self, *, tau: float | None = None, prob: float | None = None
    ) -> pd.DataFrame:
        """Return the posterior probability of each label of each item.

        Parameters
        ----------
        tau : float, optional
            Kind objects: a label is valid if more than this share of annotators name
            its object, and if it is a right name of it
            (`consilience.objects.posterior.response_panels`). One half by default.
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns item, label, probability, lower and upper. With `tau`, the columns
            item, label and probability.

        Raises
        ------
        OptionError
            If `tau` or `prob` is not between 0 and 1, the fit has no such threshold, or
            it keeps only bounds of another probability.

        See Also
        --------
        Fit.items : The best label of each item.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="multinomial")
        >>> fit.labels()[["item", "label", "probability"]].head(3).round(2)
                item     label  probability
        0  photo-001       fox         0.00
        1  photo-001     husky         0.01
        2  photo-001  malamute         0.61
        """
        if tau is None and prob is not None:
            return self.with_prob(prob).labels()
        if tau is None:
            outcome = self._outcome
            table = labels.labels(self.data) if outcome is None else outcome.labels()
            return restored(table, self.types)
        # It needs JAX, which only fits of objects do.
        from consilience.posterior.objects import tables  # noqa: PLC0415

        return restored(tables.labels_at(self.data, tau), self.types)

    def items(self) -> pd.DataFrame:
        """Return the best label of each item, its probability and its entropy.

        Returns
        -------
        pandas.DataFrame
            Columns item, label, probability, entropy (nats), responses and tied.

        See Also
        --------
        Fit.labels : The probability of every label.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="multinomial")
        >>> fit.items().head(3).round(2)
                item     label  probability  entropy  responses   tied
        0  photo-001  malamute         0.61     0.72          6  False
        1  photo-002      wolf         0.50     1.04          6  False
        2  photo-003   samoyed         0.99     0.07          6  False
        """
        return restored(items.items(self.data), self.types)

    def annotators(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return the accuracy of each annotator with an id.

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns annotator, responses, accuracy, lower and upper; for contains also
            sensitivity and specificity with their bounds; where the model has spammers,
            how often each annotator answers at random.

        See Also
        --------
        Fit.confusion : Which labels are confused.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
        >>> fit.annotators().head(3).round(2)
          annotator  responses  accuracy  lower  upper
        0       Ada         10      0.59   0.45   0.72
        1       Ben          6      0.63   0.49   0.77
        2     Chloe          9      0.61   0.45   0.73
        """
        return restored(annotators.annotators(self._at(prob)), self.types)

    def annotator_groups(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return the accuracy of each group of annotators.

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns group, annotators (how many), responses, accuracy (the mean over
            the group's annotators) with lower and upper, and spread (their standard
            deviation) with its bounds. Empty unless `fit` was given the groups.

        See Also
        --------
        Fit.group_differences : Groups compared.
        Fit.annotators : The accuracy of each annotator.

        Examples
        --------
        >>> import pandas as pd
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> who = responses.table["annotator"].cat.categories
        >>> groups = ["expert" if name < "H" else "crowd" for name in who]
        >>> people = pd.DataFrame({"annotator": who, "group": groups})
        >>> model = "hierarchical_dawid_skene"
        >>> fit = cs.fit(responses, annotators=people, model=model)
        >>> fit.annotator_groups()[["group", "annotators", "responses"]]
            group  annotators  responses
        0   crowd          18        126
        1  expert           7         54
        """
        return annotators.annotator_groups(self._at(prob))

    def group_differences(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return by how much one group of annotators is more accurate than another.

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns group, other_group, difference (in mean accuracy), lower, upper and
            more_accurate, the probability that the difference is above zero. Empty
            unless `fit` was given the groups and has draws.

        See Also
        --------
        Fit.annotator_groups : The accuracy of each group.

        Examples
        --------
        >>> import pandas as pd
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> who = responses.table["annotator"].cat.categories
        >>> groups = ["expert" if name < "H" else "crowd" for name in who]
        >>> people = pd.DataFrame({"annotator": who, "group": groups})
        >>> model = "hierarchical_dawid_skene"
        >>> fit = cs.fit(responses, annotators=people, model=model)
        >>> fit.group_differences()[["group", "other_group"]]
           group other_group
        0  crowd  expert
        """
        return annotators.group_differences(self._at(prob))

    def confusion(
        self,
        *,
        true_label: object = None,
        level: int = 0,
        groups: bool = False,
        prob: float | None = None,
    ) -> pd.DataFrame:
        """Return p(answer | truth) of the population and of each annotator with an id.

        Parameters
        ----------
        true_label : optional
            Return the row of this true label only, of the population (choice).
        level : int, default 0
            Steps up the hierarchy of labels: 1 returns the confusion between their
            superclasses, 2 that between the superclasses of these where labels have
            such, of the population (choice). Fits of kind objects have the level 1, of
            annotators, too. A label that has none stays as it is.
        groups : bool, default False
            Return the confusion within each group of labels, of the population
            (contains), with a column group instead of annotator.
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns annotator (null: the population), true_label, given_label,
            probability, lower and upper. A model of many labels has rows of the
            population only, for the pairs of labels that occur.

        Raises
        ------
        OptionError
            If there is no such label or level, no label has a superclass, or the fit
            does not distinguish groups.

        See Also
        --------
        Fit.annotators : One number for each annotator.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="multinomial")
        >>> table = fit.confusion(true_label="husky")
        >>> table[["given_label", "probability"]].head(3).round(2)
          given_label  probability
        0         fox         0.02
        1       husky         0.73
        2    malamute         0.20
        """
        data = self._at(prob)
        if groups:
            return restored(confusion.group_confusion(data), self.types)
        if true_label is not None:
            label = text_of(pd.Series([true_label]))[0]
            return restored(confusion.confusion_of_label(data, label), self.types)
        if level:
            return confusion.confusion_at_level(data, level)
        return restored(confusion.confusion(data), self.types)

    def objects(self, *, loss: str = "binder") -> pd.DataFrame:
        """Return the objects of each item and their labels (kind objects).

        Parameters
        ----------
        loss : {"binder", "vi"}, default "binder"
            The point estimate of the partition minimizes the posterior expectation of
            this loss, exactly: "binder" counts the pairs of labels on which partitions
            differ; "vi" is the variation of information.

        Returns
        -------
        pandas.DataFrame
            One row per label of each object. Columns item, object, label, share (of the
            labels given to the object), right_name (probability that the label is a
            right name, if its object is present), probability (that the object is
            present) and main_probability (that it is the main one).

        Raises
        ------
        OptionError
            If the fit is of another kind, or there is no such loss.

        See Also
        --------
        Fit.object_counts : The number of objects.
        Fit.same_object : Which labels name one object.

        References
        ----------
        Binder (1978), Bayesian cluster analysis. Wade and Ghahramani (2018), Bayesian
        cluster analysis: point estimation and credible balls.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.objects()[["item", "object", "label", "probability"]].head(3).round(1)
            item  object   label  probability
        0  item0       1  class5          1.0
        1  item0       1  class4          1.0
        2  item1       1  class1          1.0
        """
        return restored(objects.objects(self.data, loss), self.types)

    def object_counts(self) -> pd.DataFrame:
        """Return the posterior of the number of objects of each item (kind objects).

        Returns
        -------
        pandas.DataFrame
            Columns item, tau (how often an object must be named to count; NaN for a
            heuristic that has no such threshold), objects and probability.

        Raises
        ------
        OptionError
            If the fit is of another kind.

        See Also
        --------
        Fit.objects : The objects themselves.
        consilience.study_summary : Shares of items with several objects.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.object_counts().columns.tolist()
        ['item', 'tau', 'objects', 'probability']
        """
        return restored(objects.object_table(self.data, "object_counts"), self.types)

    def same_object(self) -> pd.DataFrame:
        """Return the probability that two labels name one object (kind objects).

        Returns
        -------
        pandas.DataFrame
            One row per pair of candidates: item, label_a, label_b, probability and
            synonyms: P(they name one object, and each is a right name of it). Other
            names of one object are rivals, of which one is right.

        Raises
        ------
        OptionError
            If the fit has no such probability.

        See Also
        --------
        Fit.objects : The partition of the labels into objects.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.same_object().head(3).round(1)
            item label_a label_b  probability  synonyms
        0  item0  class4  class5          0.7       0.0
        1  item1  class0  class1          0.0       0.0
        2  item1  class0  class3          0.1       0.0
        """
        return restored(objects.object_table(self.data, "same_object"), self.types)

    def ambiguity(self) -> pd.DataFrame:
        """Return what is ambiguous about each item, in nats (kind objects).

        Returns
        -------
        pandas.DataFrame
            Columns item, structure (which objects there are), naming (which label an
            object gets) and salience (which object is the main one).

        Raises
        ------
        OptionError
            If the fit has no such decomposition.

        See Also
        --------
        Fit.items : The entropy of the label.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.ambiguity().head(2).round(1)
            item  structure  naming  salience
        0  item0        0.6     0.2       0.1
        1  item1        1.9     0.5       0.5
        """
        return restored(objects.object_table(self.data, "ambiguity"), self.types)

    def panel(self, annotators: int) -> pd.DataFrame:
        """Predict the answers of a new panel about each item (kind objects).

        Parameters
        ----------
        annotators : int
            Size of the panel, none of whom has answered yet: up to 9, 15 or 25; 0 is
            the limit of an infinite panel.

        Returns
        -------
        pandas.DataFrame
            Columns item, several (the probability that most of them name more than one
            label) and differs (that the label which most give as the main one is not
            the data set's; NaN where an item has none).

        Raises
        ------
        OptionError
            If the fit has no panels, or none of that size.

        See Also
        --------
        consilience.study_summary : The same for the study as a whole.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.panel(9)[["item", "several"]].head(3).round(1)
             item  several
        0   item0      0.0
        1   item1      0.5
        2  item10      0.0
        """
        return restored(objects.panel(self.data, annotators), self.types)

    def diagnostics(self) -> pd.DataFrame:
        """Return the result of each check, with a remedy where it fails.

        Returns
        -------
        pandas.DataFrame
            Columns name, value, limit, ok and remedy.

        See Also
        --------
        consilience.checks.Verdict : The result of one check.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="dawid_skene")
        >>> fit.diagnostics()[["name", "ok"]]
                       name    ok
        0        not_finite  True
        1     stopped_early  True
        2    objective_fall  True
        3  objective_spread  True
        4   label_switching  True
        5      independence  True
        """
        return diagnostics.diagnostics(self.data)

    def comparison(self) -> pd.DataFrame:
        """Return how the compared models rank (model "auto").

        Returns
        -------
        pandas.DataFrame
            Columns model, elpd, se, difference, difference_se, weight, best and
            seconds, the best model first; empty if a model was named.

        See Also
        --------
        consilience.compare : Compare models without a fit; explains the columns.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses)
        >>> sorted(fit.comparison()["model"])
        ['community_bcc', 'correlated_dawid_skene', 'ebcc', 'shared_errors']
        """
        return diagnostics.comparison(self.data)

    def __getattr__(self, name: str) -> Any:
        """Lay the data out, once."""
        if name == "data":
            if (outcome := self._outcome) is not None:
                object.__setattr__(self, "data", outcome.tree())
                object.__setattr__(self, "_outcome", None)
            return object.__getattribute__(self, "data")
        msg = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(msg)

    def covariate_effects(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return the weights of the prior covariates of labels.

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns column (of the candidates), weight, lower and upper (change in
            log-odds per standard deviation of the column) and slope (per unit). Empty
            where candidates had no columns of numbers, or the model does not use them.

        See Also
        --------
        Fit.relative_information : The information of all covariates together.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="multinomial")
        >>> fit.covariate_effects().empty  # no candidates, so no covariates
        True
        """
        return annotators.covariate_effects(self._at(prob))

    def styles(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return how a typical annotator answers (kind objects).

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            Columns style, share, lower and upper with the rows `single_label`
            (responses that name the main object only), `recall` (of exhaustive
            responses, how often an object that is not the main one is named), and
            `rival_name` and `synonym` (how often a further label of the same object is
            given, where its names are rivals and where they are synonyms).
            Empty for other kinds.

        See Also
        --------
        Fit.annotators : Skill of each annotator.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> fit.styles()[["style", "share"]].round(1)
                  style  share
        0  single_label    0.5
        1        recall    0.5
        2    rival_name    0.1
        3       synonym    0.5
        """
        return objects.styles(self._at(prob))

    def relative_information(self, *, prob: float | None = None) -> pd.DataFrame:
        """Return the information of the prior covariates, in answers of an annotator.

        Parameters
        ----------
        prob : float, optional
            Probability of the intervals; by default that of the fit (`with_prob`).

        Returns
        -------
        pandas.DataFrame
            One row with the columns relative_information, lower and upper; empty where
            candidates had no columns of numbers.

        See Also
        --------
        Fit.covariate_effects : The weight of each covariate.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="multinomial")
        >>> fit.relative_information().empty  # no candidates, so no covariates
        True
        """
        return annotators.relative_information(self._at(prob))

    def with_truth(self, which: tempering.Which) -> Fit:
        """Return the same fit with the raw or the tempered posterior of the truth.

        Parameters
        ----------
        which : {"raw", "tempered"}
            "raw" is the posterior of the model; "tempered" counts answers for less
            where annotators make the same errors.

        Returns
        -------
        Fit
            The fit, whose tables give that posterior.

        Raises
        ------
        OptionError
            If the fit has no such posterior.

        See Also
        --------
        Fit.diagnostics : The check of correlated errors.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="dawid_skene")
        >>> fit.with_truth("raw").items().equals(fit.with_truth("tempered").items())
        False
        """
        return Fit(tempering.with_truth(self.data, which))

    def with_prob(self, prob: float) -> Fit:
        """Return the same fit with intervals of another probability.

        Parameters
        ----------
        prob : float
            Probability that an interval holds, between 0 and 1.

        Returns
        -------
        Fit
            The fit, whose tables and plots have such intervals.

        Raises
        ------
        OptionError
            If `prob` is not between 0 and 1, or the fit keeps only bounds: of tables
            too large for their draws, and of kind objects. The error may come when such
            a table is asked for.

        See Also
        --------
        Fit.labels : Takes the probability as its argument, as other tables do.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
        >>> narrow, wide = fit.with_prob(0.5).annotators(), fit.annotators()
        >>> bool((narrow["upper"] < wide["upper"]).all())
        True
        """
        return Fit(interval_prob.with_prob(self.data, prob))

    def _at(self, prob: float | None) -> xr.DataTree:
        """Return the data for tables of parameters at a probability."""
        if prob is None:
            return self.data
        return interval_prob.with_prob(self.data, prob, truth=False)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the run folder; if that fails, nothing is left behind.

        Parameters
        ----------
        folder : str or Path
            The folder to write.
        overwrite : bool, default False
            Replace a run that already exists.

        Raises
        ------
        FolderExistsError
            If the folder exists, and is not a run or `overwrite` is false.
        CannotWriteError
            If the folder cannot be written.

        See Also
        --------
        consilience.load : Read the folder.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> answers = study(0, num_photos=30).answers
        >>> responses = cs.read(answers, item="photo", label="animal")
        >>> fit = cs.fit(responses, model="dawid_skene")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(Path(folder) / "run")
        ...     cs.load(Path(folder) / "run").items().equals(fit.items())
        True
        """
        # The store needs Fit for `load`; imported here, neither waits for the other.
        from consilience.posterior.stored_fit import store  # noqa: PLC0415

        store.save(self, folder, overwrite=overwrite)


def laid_out_later(outcome: Outcome) -> Fit:
    """Return a fit whose data are laid out when they are first asked for."""
    fit = object.__new__(Fit)
    object.__setattr__(fit, "_outcome", outcome)
    return fit
