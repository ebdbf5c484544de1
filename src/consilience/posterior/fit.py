"""What a fit leaves: one ArviZ DataTree, and the tables read from it.

Whichever model and engine wrote it, the tree means the same. Draws have the dimensions
chain and draw, one of each for a point estimate; a *unit* is an item, or for contains
an item and a label asked about, and lies along the dimension item.

posterior
    Parameters of the model. Table models have prevalence(true_class) and
    confusion([annotator,] true_class, given_class); those of many labels have
    prevalence(true_class) and accuracy(annotator). Where candidates have columns,
    weight(covariate) of each and worth of all together; for choice prevalence is then
    that of an item of which they say nothing, and mean_prior(true_class) the mean over
    the items of what was believed before anyone answered.
summary
    confusion_mean, confusion_lower, confusion_upper, where draws would be too large.
truth
    probability, lower, upper (item, candidate); NaN at padding and where the engine
    states no bounds. Where residuals of annotators can be correlated, also the other
    posterior, as raw_probability and so on or tempered_probability and so on, and
    design_effect(item). Attributes: told (raw or tempered), residual_correlation,
    residual_z.
comparison
    model, elpd, se, difference, difference_se, weight, best and seconds along
    candidate_model (model "auto").
constant_data
    candidate_class([item,] candidate), an index into true_class or -1 for padding;
    log_prior(item, candidate) where candidates have weights or items have gold;
    superclass(true_class) where labels have one;
    unit_group(item), an index into group, where labels have groups; similar_set(item)
    and shown_set(item), codes of the similar labels of an item, and of those shown
    together (contains, where somebody says what is similar); what is known
    beforehand: beforehand(item, [candidate,] covariate), covariate_centre and
    covariate_spread (covariate);
    num_responses(item); annotator_responses and annotator_known (annotator);
    votes(given_class, true_class); unit_item(item); for contains unit_label(item) and
    present(true_class); for objects, where candidates were asked about as well,
    asked(item, place, asked_answer), how many said no, maybe and yes of each.
observed_data
    annotator, item, answer and n along response, as codes.
log_likelihood
    responses(chain, draw, item), the truth summed out.
sample_stats
    diverging, energy, num_steps, accept_prob (NUTS).
optimization
    objective(restart, sweep), NaN after the end; converged(restart); chosen (EM, VB,
    SVI).
diagnostics
    name, value, limit, ok and remedy along check.
objects
    Kind objects, models with a likelihood: beyond(item, candidate, share), P(a label is
    valid at a share of annotators); main_share and candidate_label (item, candidate),
    -1 for padding; several(population_draw, tau) and differs(population_draw, panel),
    the shares of items with several objects, and with another main label than the data
    set's as a panel of so many finds (0: in the limit).
worlds
    Kind objects, models with a likelihood: hundredths(parameter_draw, item_draw, cell),
    the share of annotators who name a candidate's object in a drawn world; levels, the
    share up to which the candidate is valid; and facts of it as bits (the name that its
    object goes by most, a name of the main object, the main label); cell_item and
    cell_label, of each candidate.
tables
    A group for each table that the fit holds as it is, along row: what a rule states.

Attributes of the root: model, engine, engine_reason, kind, seed, mass, seconds,
version, and as JSON assumptions, sources, settings, the types that items, annotators
and labels had in the source (id_types), and the classifiers whose predictions were told
beforehand (told_of).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from consilience.posterior import tempering
from consilience.posterior.objects import stored_objects as objects
from consilience.posterior.objects import styles
from consilience.posterior.results import (
    annotators,
    comparison,
    confusion,
    covariate_effects,
    diagnostics,
    items,
    labels,
    sparse_confusion,
)
from consilience.responses.tables.id_types import Types, restored, text_of


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted model.

    Attributes
    ----------
    data
        Draws, truth, observations and diagnostics, as an ArviZ DataTree.
    """

    data: xr.DataTree

    @property
    def types(self) -> Types:
        """Type of items, annotators and labels, which every table gives them."""
        found: Types = json.loads(self.data.attrs.get("id_types", "{}"))
        return found

    def labels(self, *, tau: float | None = None) -> pd.DataFrame:
        """Posterior probability of each label of each item.

        Parameters
        ----------
        tau
            Kind objects: a label is valid if its object is named by more than this
            share of annotators, and it is a right name for it
            (`consilience.objects.posterior.right_names`); one half where it is not
            told.

        Returns
        -------
        Columns item, label, probability, lower, upper; at another `tau`, item, label,
        probability.

        Raises
        ------
        OptionError
            `tau` is no share, or the fit knows of no such threshold.
        """
        if tau is None:
            return restored(labels.labels(self.data), self.types)
        # It needs JAX, which only fits of objects do.
        from consilience.posterior.objects import tables  # noqa: PLC0415

        return restored(tables.labels_at(self.data, tau), self.types)

    def items(self) -> pd.DataFrame:
        """Best label of each item, its probability, and what is left uncertain.

        Returns
        -------
        Columns item, label, probability, entropy, responses, tied.
        """
        return restored(items.items(self.data), self.types)

    def annotators(self) -> pd.DataFrame:
        """Skill of each annotator with an id.

        Returns
        -------
        Columns annotator, responses, accuracy, lower, upper; for contains also
        sensitivity and specificity with their bounds; where the model knows spammers,
        how often each answers by habit.
        """
        return restored(annotators.annotators(self.data), self.types)

    def confusion(
        self,
        *,
        true_label: object = None,
        superclasses: bool = False,
        groups: bool = False,
    ) -> pd.DataFrame:
        """P(answer | truth) of the population and of each annotator with an id.

        Parameters
        ----------
        true_label
            For this true label alone, of the population (choice).
        superclasses
            Between superclasses of labels, of the population (choice).
        groups
            In each group of labels, of the population (contains): with a column group
            in the stead of annotator.

        Returns
        -------
        Columns annotator (null: the population), true_label, given_label, probability,
        lower, upper. A model of many labels has rows of the population alone, for the
        pairs of labels that occur.

        Raises
        ------
        OptionError
            There is no such label, no label has a superclass, or the fit tells no
            groups apart.
        """
        if groups:
            return restored(confusion.of_groups(self.data), self.types)
        if true_label is not None:
            return restored(
                sparse_confusion.confusion_of_label(
                    self.data, text_of(pd.Series([true_label]))[0]
                ),
                self.types,
            )
        if superclasses:
            return sparse_confusion.confusion_of_superclasses(self.data)
        return restored(confusion.confusion(self.data), self.types)

    def objects(self, *, loss: str = "binder") -> pd.DataFrame:
        """Objects of each item and what they are called (kind objects).

        Parameters
        ----------
        loss
            The partition told is the one of which this loss is least expected, exactly,
            of all there are: "binder", the pairs of labels it errs on, or "vi", the
            variation of information.

        Returns
        -------
        Columns item, object, label, share (of the object's namings), probability (that
        the object is there), main_probability (that it is the main one); a row for
        each label of each object.

        Raises
        ------
        OptionError
            The fit is of another kind, or there is no such loss.
        """
        return restored(objects.objects(self.data, loss), self.types)

    def object_counts(self) -> pd.DataFrame:
        """Return how probable each number of objects is, of each item (kind objects).

        Returns
        -------
        Columns item, tau (how often an object must be named to count; NaN for a rule
        that has no such threshold), objects, probability.

        Raises
        ------
        OptionError
            The fit is of another kind.
        """
        return restored(objects.object_counts(self.data), self.types)

    def same_object(self) -> pd.DataFrame:
        """Return how probably two labels are names of one object (kind objects).

        Returns
        -------
        Columns item, label_a, label_b, probability; a row for each pair of candidates.

        Raises
        ------
        OptionError
            The fit tells of no such probability.
        """
        return restored(objects.same_object(self.data), self.types)

    def ambiguity(self) -> pd.DataFrame:
        """Return what is ambiguous about each item, in nats (kind objects).

        Returns
        -------
        Columns item, structure (which objects), naming (which word), salience (which is
        the main one).

        Raises
        ------
        OptionError
            The fit tells of no ambiguity.
        """
        return restored(objects.ambiguity(self.data), self.types)

    def panel(self, annotators: int) -> pd.DataFrame:
        """Return what a fresh panel would find of each item (kind objects).

        Parameters
        ----------
        annotators
            How many annotators it has, none of whom has answered yet: up to 9, 15 or
            25; 0 stands for ever more.

        Returns
        -------
        Columns item; several, the probability that the number of labels which most of
        them name is above one; differs, that the label which most give as the main one
        is not the data set's own (NaN where an item has none).

        Raises
        ------
        OptionError
            The fit tells of no panels, or of none of that size.
        """
        return restored(objects.panel(self.data, annotators), self.types)

    def diagnostics(self) -> pd.DataFrame:
        """Verdicts of the checks, each with a remedy.

        Returns
        -------
        Columns name, value, limit, ok, remedy.
        """
        return diagnostics.diagnostics(self.data)

    def comparison(self) -> pd.DataFrame:
        """How the models stand that were compared (model "auto").

        Returns
        -------
        Columns model, elpd, se, difference, difference_se, weight, best, seconds, the
        best first; empty when one model was named.
        """
        return comparison.comparison(self.data)

    def covariate_effects(self) -> pd.DataFrame:
        """Weights of what was known of labels before anyone answered.

        Returns
        -------
        Columns column (of the candidates), weight, lower, upper (change in log-odds for
        a standard deviation of the column), slope (for a unit of it); empty where
        candidates had no columns of numbers, or the model makes nothing of them.
        """
        return covariate_effects.covariate_effects(self.data)

    def styles(self) -> pd.DataFrame:
        """Return how people in general answer who name objects.

        Returns
        -------
        See `posterior.styles.styles`.
        """
        return styles.styles(self.data)

    def relative_information(self) -> pd.DataFrame:
        """Return what is known beforehand, in answers of a random annotator.

        Returns
        -------
        One row with worth, lower, upper; none where candidates had no columns.
        """
        return covariate_effects.relative_information(self.data)

    def with_truth(self, which: tempering.Which) -> "Fit":
        """Return the same fit, telling the raw or the tempered posterior of the truth.

        Parameters
        ----------
        which
            "raw", as the model has it, or "tempered", as of fewer answers where
            annotators err together.

        Raises
        ------
        OptionError
            There is no such posterior of this fit.
        """
        return Fit(tempering.with_truth(self.data, which))

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the run folder, whole or not at all.

        Parameters
        ----------
        folder
            Where to write it.
        overwrite
            Replace a run that is there already.

        Raises
        ------
        FolderExistsError
            When the folder is there already, and is no run or `overwrite` is false.
        CannotWriteError
            When the disk refuses.
        """
        # The store needs Fit for `load`; imported here, neither waits for the other.
        from consilience.posterior.stored_fit import store  # noqa: PLC0415

        store.save(self, folder, overwrite=overwrite)
