"""The validation images of ImageNet and their classes, by a file of ImageNetV2.

`imagenet-validation-original.json` lists the 50,000 images, class by class. The folder
that holds it has for each of several networks an array of the best labels of these
images, in this order.

References
----------
Recht, Roelofs, Schmidt and Shankar (2019), Do ImageNet classifiers generalize to
ImageNet?
"""

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from consilience.errors import SourceError

FILE = "imagenet-validation-original.json"


class _Listing(msgspec.Struct):
    """The part of the file that is used: names of images with their synsets."""

    image_filenames: list[tuple[str, str]]


def lists_validation_images(folder: Path) -> bool:
    """Say whether a folder holds the list of images."""
    return (folder / FILE).is_file()


def validation_images(folder: Path) -> pd.DataFrame:
    """Return the images in the order of the file: item, dataset_label and wnid.

    The labels of ImageNet are the places of the synsets in the order of their ids, as
    text, from 0.
    """
    path = folder / FILE
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=_Listing).image_filenames
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        why = getattr(error, "strerror", None) or error
        raise SourceError(
            f"{path}: not the list of images of ImageNetV2 ({why}); fetch it again"
        ) from None
    frame = pd.DataFrame(listed, columns=["item", "wnid"], dtype="str")
    if not len(frame) or frame["item"].duplicated().any():
        raise SourceError(f"{path}: lists no image, or one twice; fetch it again")
    label = np.unique(frame["wnid"].to_numpy(), return_inverse=True)[1].astype(str)
    frame.insert(1, "dataset_label", pd.Series(label, dtype="str"))
    return frame
