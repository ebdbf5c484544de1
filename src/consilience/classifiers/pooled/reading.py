"""Predictions from a folder, by what the folder holds."""

from dataclasses import replace
from pathlib import Path

from consilience.classifiers.pooled.predictions import Predictions, read_folder
from consilience.classifiers.pooled.rank_lists import from_arrays
from consilience.errors import SourceNotFoundError
from consilience.validation_images import lists_validation_images, validation_images


def read_predictions(folder: str | Path) -> Predictions:
    """Read a folder of predictions written by `classify`, or of ImageNetV2.

    Parameters
    ----------
    folder : str or Path
        The folder. That of ImageNetV2 has for each network a NumPy file of the best
        labels of ImageNet's validation images, which
        `imagenet-validation-original.json` names.

    Returns
    -------
    Predictions
        The predictions of all classifiers of the folder.

    Raises
    ------
    SourceNotFoundError
        If the folder holds no predictions.
    PredictionsError
        If a part is damaged, or there is none yet.

    See Also
    --------
    classify : Write the folder.
    candidates : Pool predictions into candidates.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.errors import SourceNotFoundError
    >>> try:
    ...     predictions = cs.read_predictions("predictions")
    ... except SourceNotFoundError:
    ...     print("run consilience classify first")
    run consilience classify first
    """
    place = Path(folder)
    return _validation(place) if lists_validation_images(place) else read_folder(place)


def _validation(folder: Path) -> Predictions:
    """Read what networks say of the validation images of ImageNet."""
    files = sorted(folder.glob("*.npy"))
    if not files:
        msg = f"{folder}: lists images, and holds no NumPy file (.npy) of predictions"
        raise SourceNotFoundError(msg)
    images = validation_images(folder)
    classes = images.drop_duplicates("dataset_label").set_index("dataset_label")["wnid"]
    labels = [str(number) for number in range(len(classes))]
    pooled = from_arrays(files, images["item"].tolist(), labels)
    return replace(
        pooled,
        images=pooled.images.assign(dataset_label=images["dataset_label"]),
        labels=pooled.labels.assign(wnid=classes[labels].to_numpy()),
    )
