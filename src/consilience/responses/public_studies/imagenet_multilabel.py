"""The Classify answers of the ImageNet multi-label study, from its original files.

Nine annotators, who have no ids, named for each image one label per object and the main
one. Which labels they were shown is not among the released files. Nobody was asked
about 3,239 of the study's 10,000 images: a first stage had found one label to be clear,
or none. They are items without answers, which no fit and no count uses.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), From ImageNet to Image
Classification: Contextualizing Progress on Benchmarks.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from consilience.errors import UnreadableFileError
from consilience.ragged import places_within
from consilience.responses.assemble import assemble
from consilience.responses.draft import Draft
from consilience.responses.format_table import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.public_studies import study_folder
from consilience.responses.sources.frames import Source
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.opening import fingerprints
from consilience.responses.table import Responses
from consilience.responses.tables.safe_pickle import load_frame, load_object_array
from consilience.responses.text import Coded, encode, nothing, text_array
from consilience.validation_images import validation_images

ANSWERS = "annotations_classify_task.pkl"
GROUPS = "image_info.pkl"
NAMES = "imagenet_label_map.npy"
WNIDS = "imagenet_label_to_wnid.npy"
PARENTS = "superclasses.npy"

OFFER = (
    "The labels that each annotator was shown are not released: the labels that other "
    "annotators named for the image, and the data set's own label, stand in for them."
)
ANONYMOUS = "The study releases no annotator ids: every answer is anonymous."


def read_imagenet_multilabel(
    sources: Sequence[Source], options: ReadOptions
) -> Responses:
    """Read the folder of the study."""
    folder, listing = study_folder(sources, "imagenet_multilabel")
    paths = [folder / name for name in (ANSWERS, GROUPS, NAMES, WNIDS, PARENTS)]
    for path in paths:
        if not path.exists():
            msg = f"{path}: the file is missing; fetch the whole study again"
            raise UnreadableFileError(msg)
    columns, images = load_frame(folder / ANSWERS)
    with readable(str(folder / ANSWERS), "not as it was published", "fetch it again"):
        draft = _draft(columns, images, folder, fingerprints([*paths, *listing]))
        items, note = _items(columns, images, folder, listing)
        draft = replace(draft, items=items, notes=(note,))
    return assemble(draft, options)


def _draft(
    columns: dict[str, np.ndarray],
    images: np.ndarray,
    folder: Path,
    sources: dict[str, str],
) -> Draft:
    selected = columns["selected"]
    main = np.concatenate(list(columns["main"]))
    workers = np.array([len(answers) for answers in selected])
    sizes = np.array([len(labels) for labels in chain.from_iterable(selected)])
    if workers.sum() != len(main):
        msg = f"{folder / ANSWERS}: an image has more answers than main labels"
        raise UnreadableFileError(msg)
    label = np.fromiter(
        chain.from_iterable(chain.from_iterable(selected)), np.int64, sizes.sum()
    )
    response = np.repeat(np.arange(len(sizes)), sizes)
    image = np.repeat(np.arange(len(images)), workers)
    labels = _labels(folder)
    order = places_within(workers)
    names = text_array(images)
    ids = [f"{images[i]}/{k + 1}" for i, k in zip(image, order, strict=True)]
    return Draft(
        kind="objects",
        item=Coded(image[response].astype(np.int32), names),
        annotator=nothing(len(label)),
        label=encode(pa.array(label.astype(str), pa.string())),
        object=np.arange(len(label)) - (np.cumsum(sizes) - sizes)[response],
        main=(label == main[response]).astype(np.int8),
        response_id=Coded(response.astype(np.int32), text_array(ids)),
        row=response,
        where=lambda row: f"{folder / ANSWERS}, answer {ids[row]}",
        num_read=len(sizes),
        unit="answers to an image",
        assumptions=(ANONYMOUS, OFFER),
        offer="unknown",
        labels=labels,
        sources=sources,
    )


def _labels(folder: Path) -> pd.DataFrame:
    """All classes with name, wnid and superclass."""
    names, wnids, parents = (
        load_object_array(folder / name) for name in (NAMES, WNIDS, PARENTS)
    )
    with readable(f"{folder}, class names", "not as published", "fetch them again"):
        parent = {i: name for name, classes in parents.items() for i in classes}  # type: ignore[attr-defined]
        classes = sorted(names)  # type: ignore[call-overload]
        frame = {
            "label": [str(i) for i in classes],
            "name": [names[i] for i in classes],  # type: ignore[index]
            "parent": [parent[i] for i in classes],
            "wnid": [wnids[i] for i in classes],  # type: ignore[index]
        }
    return pd.DataFrame(frame, dtype="str")


def _items(
    columns: dict[str, np.ndarray],
    asked: np.ndarray,
    folder: Path,
    listing: list[Path],
) -> tuple[pd.DataFrame, str]:
    """All images of the study, those that were asked about first, and a note on them.

    Their group is what the first stage said of the data set's label: easy (one clear
    label), mis (it is wrong), amb (ambiguous), fu (asked about further).
    """
    groups, images = load_frame(folder / GROUPS)
    group = pd.Series(groups["annotation"], images, dtype="str")
    label = pd.Series(columns["imagenet_label"], asked).astype("str")
    if listing:
        classes = validation_images(listing[0].parent).set_index("item")[
            "dataset_label"
        ]
        label = label.reindex(images).fillna(classes.reindex(images))
    names = np.concatenate([asked, images[~np.isin(images, asked)]])
    items = pd.DataFrame(
        {
            "item": pd.Series(names, dtype="str"),
            "dataset_label": label.reindex(names).astype("str").to_numpy(),
            "group": group[names].to_numpy(),
            "asked": np.isin(names, asked),
        }
    )
    sizes = group.value_counts().sort_index()
    counts = ", ".join(f"{number:,} {name}" for name, number in sizes.items())
    note = f"the study holds {len(items):,} images ({counts}); only fu were asked about"
    unknown = int(items["dataset_label"].isna().sum())
    if unknown:
        note += (
            f"; the folder does not name the class of {unknown:,} others: read it "
            "together with the folder of ImageNetV2"
        )
    return items, note


READER = Reader(
    name="imagenet_multilabel",
    what="the folder of the ImageNet multi-label study (MadryLab/ImageNetMultiLabel)",
    read=read_imagenet_multilabel,
)
