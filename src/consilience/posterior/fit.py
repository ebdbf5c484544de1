"""A fit: one ArviZ DataTree (see `tree`), and the tables computed from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Never

import pandas as pd

from consilience.posterior import confusion, labels, objects, store, tables
from consilience.posterior.flags import flagged_annotators
from consilience.posterior.tables import DescribedTable
from consilience.posterior.tree import Outcome
from consilience.posterior.truth import Which, with_prob, with_truth
from consilience.responses.id_types import Types, restored, text_of
from consilience.when_used import xr


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A fitted model.

    The tables that most fits have are methods; `table` returns all tables by name.

    See Also
    --------
    consilience.fit : Fit a model.
    consilience.load : Read a fit that was saved.
    consilience.export : Write tables of a fit to files.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
    >>> fit.data.attrs["model"], fit.data.attrs["engine"]
    ('dawid_skene', 'em')
    """

    _made: xr.DataTree | Outcome

    @cached_property
    def data(self) -> xr.DataTree:
        """Draws, truth, observations and diagnostics, as an ArviZ DataTree."""
        return self._made.tree() if isinstance(self._made, Outcome) else self._made

    def __reduce__(self) -> tuple[type[Fit], tuple[xr.DataTree]]:
        """Copy and pickle a fit as its tree."""
        return Fit, (self.data,)

    def __repr__(self) -> str:
        """Say what was fitted, whether checks passed, and which tables there are."""
        return tables.text(self.data)

    def _repr_html_(self) -> str:
        """Return what was fitted and the first rows of its tables, for a notebook."""
        return tables.html(self.data, self.types)

    def __getattr__(self, name: str) -> Never:
        """Say how a table is had."""
        is_table = name in {**tables.TABLES, **tables.ASKED}
        how = f"; the table is `fit.table({name!r})`" if is_table else ""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}{how}"
        )

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
        if isinstance(self._made, Outcome):
            types: Types = self._made.attributes["id_types"]
        else:
            types = json.loads(self.data.attrs.get("id_types", "{}"))
        return types

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that the fit has.

        See Also
        --------
        Fit.table : Return a table by its name.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
        >>> ", ".join(name for name in fit.tables if name.startswith("c"))
        'confusion, comparison, check'
        """
        return (*tables.names_of(self.data), *tables.asked(self.data))

    def table(self, name: str) -> DescribedTable:
        """Return a table by its name.

        The table `check` is made when it is asked for: the items that an expert should
        see first, and why.

        Parameters
        ----------
        name : str
            One of `tables`, the names of all tables that the fit has.

        Returns
        -------
        pandas.DataFrame
            The table, empty where the fit has no groups, covariates or styles; its
            attribute `meanings` has the meaning of each column by name.

        Raises
        ------
        OptionError
            If there is no such table, or the fit is of another kind.

        See Also
        --------
        Fit.with_ : Intervals of another probability, and the raw posterior.

        Examples
        --------
        >>> import consilience as cs
        >>> study = cs.simulate(
        ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
        ... )
        >>> fit = cs.fit(study.responses, engine="em")
        >>> table = fit.table("same_object")
        >>> table.head(3).round(1)
            item   label other_label  probability  synonyms
        0  item0  class4      class5          0.7       0.0
        1  item1  class0      class1          0.0       0.0
        2  item1  class0      class3          0.1       0.0
        >>> table.meanings["probability"]
        'that both are names of one object'
        """
        return tables.named_table(self.data, name, self.types)

    def labels(self, *, threshold: float | None = None) -> pd.DataFrame:
        """Return the posterior probability of each label of each item.

        Parameters
        ----------
        threshold : float, optional
            Kind objects: a label is valid if more than this share of annotators name
            its object, and if it is a right name of it
            (`consilience.objects.response_panels`). One half by default.

        Returns
        -------
        pandas.DataFrame
            Columns item, label, probability, lower and upper. With `threshold`, the
            columns item, label and probability.

        Raises
        ------
        OptionError
            If `threshold` is not between 0 and 1, the fit has none, or it keeps only
            bounds of another probability than `with_` asked for.

        See Also
        --------
        Fit.items : The best label of each item.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> fit = cs.fit(study(0, num_photos=30).responses(), model="multinomial")
        >>> fit.labels()[["item", "label", "probability"]].head(3).round(2)
                item     label  probability
        0  photo-001       fox         0.00
        1  photo-001     husky         0.01
        2  photo-001  malamute         0.61
        """
        if threshold is not None:
            table = objects.labels_at(self.data, threshold)
        elif isinstance(self._made, Outcome) and self._made.space.kind != "contains":
            table = self._made.labels()
        else:
            table = labels.labels(self.data)
        return restored(table, self.types)

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
        >>> responses = study(0, num_photos=30).responses()
        >>> fit = cs.fit(responses, model="multinomial")
        >>> fit.items().head(3).round(2)
                item     label  probability  entropy  responses   tied
        0  photo-001  malamute         0.61     0.72          6  False
        1  photo-002      wolf         0.50     1.04          6  False
        2  photo-003   samoyed         0.99     0.07          6  False
        """
        return restored(labels.items(self.data), self.types)

    def annotators(self) -> pd.DataFrame:
        """Return the skill of each annotator with an id, and who to talk to.

        Returns
        -------
        pandas.DataFrame
            Columns annotator, responses, accuracy, lower and upper; for contains also
            sensitivity and specificity; of ordered labels bias, precision and
            extremity; of `mace` spammer. Last flag, flag_probability and evidence.

        See Also
        --------
        Fit.confusion : Which labels are confused.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
        >>> fit.annotators()[["annotator", "responses", "accuracy"]].head(3).round(2)
          annotator  responses  accuracy
        0       Ada         10      0.59
        1       Ben          6      0.63
        2     Chloe          9      0.61
        """
        return restored(flagged_annotators(self.data), self.types)

    def confusion(
        self, *, true_label: object = None, level: int = 0, groups: bool = False
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
        >>> fit = cs.fit(study(0, num_photos=30).responses(), model="multinomial")
        >>> table = fit.confusion(true_label="husky")
        >>> table[["given_label", "probability"]].head(3).round(2)
          given_label  probability
        0         fox         0.02
        1       husky         0.73
        2    malamute         0.20
        """
        if groups:
            table = confusion.group_confusion(self.data)
        elif true_label is not None:
            label = text_of(pd.Series([true_label]))[0]
            table = confusion.confusion_of_label(self.data, label)
        elif level:  # of other labels than those that were read
            table = confusion.confusion_at_level(self.data, level)
            people = {r: t for r, t in self.types.items() if r == "annotator"}
            return restored(table, people)
        else:
            table = confusion.confusion(self.data)
        return restored(table, self.types)

    def diagnostics(self) -> pd.DataFrame:
        """Return the result of each check, with a remedy where it fails.

        Returns
        -------
        pandas.DataFrame
            Columns name, value, limit, outcome, ok and remedy. Printed, it has a line
            for each check that did not pass, with what to do.

        See Also
        --------
        consilience.checks.Verdict : The result of one check.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
        >>> fit.diagnostics()[["name", "ok"]]
                       name    ok
        0        not_finite  True
        1     stopped_early  True
        2    objective_fall  True
        3  objective_spread  True
        4   label_switching  True
        5  annotators_alike  True
        6      independence  True
        """
        return self.table("diagnostics")

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
        >>> fit = cs.fit(study(0, num_photos=30).responses())
        >>> sorted(fit.comparison()["model"])
        ['community_bcc', 'correlated_dawid_skene', 'ebcc', 'shared_errors']
        """
        return tables.comparison(self.data)

    def draws(
        self, name: str = "truth", *, number: int = 200, seed: int = 0
    ) -> xr.DataArray:
        """Return joint draws of the truth, from which anything can be computed.

        Each draw takes the parameters from a draw of the posterior and then the truth
        of every item, so that what is unknown of annotators moves all items together.

        Parameters
        ----------
        name : str, default "truth"
            The truth, or a parameter of `data["posterior"]`.
        number : int, default 200
            Draws of the truth. Of a parameter all are returned.
        seed : int, default 0
            Of the draws of the truth.

        Returns
        -------
        xarray.DataArray
            Dimensions draw and item, the labels (ordered labels as numbers); of kind
            contains draw and pair, with coordinates item and label, and one where the
            label is present. Of a parameter, draw and its own dimensions.

        Raises
        ------
        OptionError
            If there is no such parameter, or the fit is of kind objects.

        See Also
        --------
        consilience.analysis.mean_ratings : Means of ordered labels.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
        >>> truth = fit.draws(number=100)
        >>> truth.sizes["draw"], truth.sizes["item"]
        (100, 30)
        >>> share = (truth == "wolf").mean("item")  # of wolves, draw by draw
        >>> bool(0.1 < share.mean() < 0.4)
        True
        """
        from consilience.posterior.truth import joint_draws_of  # noqa: PLC0415

        return joint_draws_of(self.data, name, number, seed)

    def with_(self, *, prob: float | None = None, truth: Which | None = None) -> Fit:
        """Return the same fit with other intervals, or the other posterior.

        Parameters
        ----------
        prob : float, optional
            Probability that an interval holds, between 0 and 1: of all tables and
            plots of the fit that is returned. Bounds of which a fit keeps no draws (of
            a mixture of models, of kind objects) move as those of a normal
            distribution of the log-odds, each side apart.
        truth : {"raw", "tempered"}, optional
            "raw" is the posterior of the model; "tempered" counts answers for less
            where annotators make the same errors.

        Returns
        -------
        Fit
            The fit, whose tables have such intervals and that posterior.

        Raises
        ------
        OptionError
            If `prob` is not between 0 and 1, or the fit has no such posterior.

        See Also
        --------
        Fit.diagnostics : The check of correlated errors.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
        >>> narrow, wide = fit.with_(prob=0.5).annotators(), fit.annotators()
        >>> bool((narrow["upper"] < wide["upper"]).all())
        True
        >>> raw, tempered = fit.with_(truth="raw"), fit.with_(truth="tempered")
        >>> raw.items().equals(tempered.items())
        False
        """
        data = self.data
        if truth is not None:
            data = with_truth(data, truth)
        if prob is not None:
            data = with_prob(data, prob)
        return self if data is self.data else Fit(data)

    def save(self, out: str | Path, *, overwrite: bool = False) -> None:
        """Write the run folder; if that fails, nothing is left behind.

        Parameters
        ----------
        out : str or Path
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
        >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(Path(folder) / "run")
        ...     cs.load(Path(folder) / "run").items().equals(fit.items())
        True
        """
        store.write(self.data, self.types, out, overwrite=overwrite)
