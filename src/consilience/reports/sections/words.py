"""Words for the identifiers of tables, so that a page can be read without a manual."""

TITLES = {
    "value": "Value",
    "who": "Who",
    "tau": "Threshold",
    "class_label": "Class",
    "label_a": "Label",
    "label_b": "Other label",
    "a_called_b": "Called by the other",
    "b_called_a": "The other called by it",
    "true_label": "Class",
    "given_label": "Called",
    "one_sided": "Difference of both",
    "together": "Together in",
    "dataset_accuracy": "Predicts the data set's label",
    "wrong": "Items with another true label",
    "right": "Share with this true label",
    "what": "Counted",
    "number": "Number",
    "group": "Bin",
    "stated": "Probability stated",
    "low": "From",
    "high": "To",
    "published": "Published",
    "source": "Source of the published value",
    "share": "Share",
    "mutual": "Both ways",
}

VALUES = {
    "several_objects": "several objects",
    "three_objects": "three objects",
    "two_objects": "two objects",
    "four_objects": "four objects or more",
    "one_object": "one object",
    "mean_objects": "mean number of objects",
    "other_main_label": "another main label",
    "other_main_label_several": "another main label, of several objects",
    "other_main_label_single": "another main label, of one object",
    "another_label_as_often": "another label gets yes as often",
    "label_wrong": "the data set's label is not true",
    "label_right": "the data set's label is true",
    "all": "all items",
    "accuracy": "a true label",
    "main_object": "a name of the main object",
    "main_label": "the main label",
    "dataset_accuracy": "the data set's label",
    "dataset_top_5": "the data set's label among five",
    "top_5": "a true label among five",
    "random_object": "one of the objects at random",
    "called_otherwise": "called otherwise",
    "inside": "of these, within the superclass",
    "group_kept": "superclass kept",
    "frequency": "share of yes",
    "less_dataset": "less that of the data set's label",
    "dataset": "data set",
    "contains": "labels, each asked about alone",
}


def title(column: str) -> str:
    """Return the words for a column."""
    return TITLES.get(column, column.replace("_", " ").capitalize())


def words(value: object) -> str:
    """Return the words for a value that may be an identifier."""
    return VALUES.get(str(value), str(value))
