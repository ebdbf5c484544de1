"""The original files of two public studies of ImageNet.

**The multi-label study.** Nine annotators, who have no ids, named for each image one
label per object and the main one. Which labels they were shown is not among the
released files. Nobody was asked about 3,239 of the study's 10,000 images: a first stage
had found one label to be clear, or none. They are items without answers, which no fit
and no count uses.

**The reassessed labels.** 85 raters said no, maybe or yes to 184,962 pairs of image and
label, five to a pair. 78 of them, and five experts, answered the golden pairs once
more; the majority of the experts is the gold.

References
----------
Beyer, Henaff, Kolesnikov, Zhai and van den Oord (2020), Are we done with ImageNet?

Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), From ImageNet to Image
Classification: Contextualizing Progress on Benchmarks.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int, Int8

from consilience.errors import OptionError, SourceError
from consilience.imagenet.pickles import load_frame, load_object_array
from consilience.ragged import places_within
from consilience.responses.assemble import assemble
from consilience.responses.draft import Account, Draft
from consilience.responses.format_table import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import label_frame
from consilience.responses.sources.frames import Source, readable
from consilience.responses.sources.opening import fingerprints
from consilience.responses.table import Responses
from consilience.responses.text import Coded, encode, index, text_array
from consilience.validation_images import (
    FILE,
    lists_validation_images,
    validation_images,
)

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
MAIN, GOLDEN, EXPERTS = "raters.npz", "raters_golden.npz", "golden.npz"
NUM_LABELS = 1000


def _study_folder(sources: Sequence[Source], name: str) -> tuple[Path, list[Path]]:
    """Return the folder of a study, and the file that lists the validation images."""
    folder, *more = sources
    lists = [
        each / FILE
        for each in more
        if isinstance(each, Path) and lists_validation_images(each)
    ]
    if not isinstance(folder, Path) or len(more) > 1 or len(lists) < len(more):
        given = ", ".join(map(str, sources))
        raise OptionError(
            f"format {name!r} reads one folder, and after it the folder of ImageNetV2 "
            f"({FILE}), which names the classes of images; given: {given}"
        )
    return folder, lists


# The multi-label study


def read_imagenet_multilabel(
    sources: Sequence[Source], options: ReadOptions
) -> Responses:
    """Read the folder of the study."""
    folder, listing = _study_folder(sources, "imagenet_multilabel")
    paths = [folder / name for name in (ANSWERS, GROUPS, NAMES, WNIDS, PARENTS)]
    for path in paths:
        if not path.exists():
            raise SourceError(
                f"{path}: the file is missing; fetch the whole study again"
            )
    columns, images = load_frame(folder / ANSWERS)
    with readable(str(folder / ANSWERS), "not as it was published", "fetch it again"):
        draft = _multilabel_draft(columns, images, folder)
        items, note = _multilabel_items(columns, images, folder, listing)
        draft.account.notes.append(note)
        draft = replace(draft, items=items)
    responses = assemble(draft, options)
    return replace(responses, sources=fingerprints([*paths, *listing]))


def _multilabel_draft(
    columns: dict[str, np.ndarray], images: np.ndarray, folder: Path
) -> Draft:
    selected = columns["selected"]
    main = np.concatenate(list(columns["main"]))
    workers = np.array([len(answers) for answers in selected])
    sizes = np.array([len(labels) for labels in chain.from_iterable(selected)])
    if workers.sum() != len(main):
        raise SourceError(
            f"{folder / ANSWERS}: an image has more answers than main labels"
        )
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
        account=Account(
            unit="answers to an image", read=len(sizes), assumptions=[ANONYMOUS, OFFER]
        ),
        kind="objects",
        item=Coded(image[response].astype(np.int32), names),
        annotator=Coded.nothing(len(label)),
        label=encode(pa.array(label.astype(str), pa.string())),
        object=np.arange(len(label)) - (np.cumsum(sizes) - sizes)[response],
        main=(label == main[response]).astype(np.int8),
        response_id=Coded(response.astype(np.int32), text_array(ids)),
        row=response,
        where=lambda row: f"{folder / ANSWERS}, answer {ids[row]}",
        offer="unknown",
        labels=labels,
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


def _multilabel_items(
    columns: dict[str, np.ndarray], asked: np.ndarray, folder: Path, listing: list[Path]
) -> tuple[pd.DataFrame, str]:
    """All images of the study, those that were asked about first, and a note on them.

    Their group is the first stage's verdict on the data set's label: easy (one clear
    label), mis (it is wrong), amb (ambiguous), fu (asked about further).
    """
    groups, images = load_frame(folder / GROUPS)
    group = pd.Series(groups["annotation"], images, dtype="str")
    label = pd.Series(columns["imagenet_label"], asked).astype("str")
    if listing:
        classes = validation_images(listing[0].parent).set_index("item")
        label = label.reindex(images).fillna(classes["dataset_label"].reindex(images))
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


# The reassessed labels


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """One file: each annotator's answer to each pair."""

    path: Path
    item: Coded
    label: Coded
    annotator: Int[np.ndarray, " N"]
    pair: Int[np.ndarray, " N"]
    answer: Int8[np.ndarray, " N"]


def read_reassessed_imagenet(
    sources: Sequence[Source], options: ReadOptions, part: str = MAIN
) -> Responses:
    """Read the folder of the study, and of it the file of one round."""
    folder, listing = _study_folder(sources, "reassessed_imagenet")
    answers, used, gold = _read_answers(folder / part), [folder / part], None
    if (folder / EXPERTS).exists():
        gold = _gold(_read_answers(folder / EXPERTS))
        used.append(folder / EXPERTS)
    draft = _draft(answers, gold)
    if listing:
        draft = replace(draft, items=_items(draft.item, listing[0].parent))
    responses = assemble(draft, options)
    return replace(responses, sources=fingerprints([*used, *listing]))


def _draft(answers: _Answers, gold: pd.DataFrame | None) -> Draft:
    pair, raters = answers.pair, answers.annotator

    def where(row: int) -> str:
        return f"{answers.path}, rater {raters[row]}, pair {pair[row]}"

    ids, codes = np.unique(raters, return_inverse=True)
    return Draft(
        account=Account(unit="answers", read=len(raters)),
        kind="contains",
        item=answers.item.take(pair),
        annotator=Coded(codes.astype(np.int32), pa.array(ids.astype(str), pa.string())),
        label=answers.label.take(pair),
        answer=answers.answer,
        row=np.arange(len(raters)),
        where=where,
        labels=label_frame([str(i) for i in range(NUM_LABELS)]),
        gold=gold,
    )


def _read_answers(path: Path) -> _Answers:
    """Read one file, rater by rater, so that the whole cube is never in memory."""
    if not path.exists():
        raise SourceError(
            f"{path}: the file is missing; fetch it, or choose another format"
        )
    with readable(str(path), "not whole or not as published", "fetch it again"):
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pairs, ids = arrays["info"], arrays["ids"]
        by_rater = [
            (np.full(len(pair), rater), pair, answer)
            for rater, (pair, answer) in zip(ids, _cube(path), strict=True)
        ]
        annotator, pair, answer = map(np.concatenate, zip(*by_rater, strict=True))
        item, label = (encode(pa.array(pairs[:, k], pa.string())) for k in (0, 1))
    return _Answers(path, item, label, annotator, pair, answer)


def _cube(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs that each rater answered, and the answers: 0 no, 1 maybe, 2 yes."""
    with zipfile.ZipFile(path) as archive, archive.open("tensor.npy") as file:
        np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if fortran or len(shape) != 3 or shape[2] != 3 or dtype.hasobject:
            raise ValueError(f"tensor.npy is of type {dtype}, shape {shape}")
        num_raters, num_pairs, _ = shape
        size = num_pairs * 3 * dtype.itemsize
        for _ in range(num_raters):
            marks = np.frombuffer(file.read(size), dtype).reshape(num_pairs, 3)
            pair = np.flatnonzero(marks.any(axis=1))
            answer = marks[pair].argmax(axis=1).astype(np.int8)
            if not np.array_equal(marks[pair], np.eye(3)[answer]):
                raise ValueError("a rater gave several answers to one pair")
            yield pair, answer


def _pairs(answers: _Answers) -> pd.DataFrame:
    columns = {"item": answers.item, "label": answers.label}
    texts = {n: index(c.values).take(c.codes) for n, c in columns.items()}
    return pd.DataFrame(texts)


def _items(item: Coded, folder: Path) -> pd.DataFrame:
    """Return the images that were asked about, with their classes."""
    names = pd.Series(index(item.values), dtype="str", name="item")
    classes = validation_images(folder)[["item", "dataset_label"]]
    return names.drop_duplicates().to_frame().merge(classes, how="left", on="item")


def _gold(experts: _Answers) -> pd.DataFrame:
    """Majority of the experts: yes if more than half of them answered yes."""
    num_pairs = len(experts.item)
    num_experts = len(np.unique(experts.annotator))
    n_yes = np.bincount(experts.pair[experts.answer == 2], minlength=num_pairs)
    answer = np.where(2 * n_yes > num_experts, "yes", "no")
    return _pairs(experts).assign(
        answer=pd.Series(answer, dtype="str"), n_yes=n_yes.astype(np.int64)
    )


MULTILABEL = Reader(
    name="imagenet_multilabel",
    what="the folder of the ImageNet multi-label study (MadryLab/ImageNetMultiLabel)",
    read=read_imagenet_multilabel,
)
REASSESSED = Reader(
    name="reassessed_imagenet",
    what="the folder of the reassessed ImageNet labels (raters.npz, golden.npz)",
    read=read_reassessed_imagenet,
)
REASSESSED_GOLDEN = Reader(
    name="reassessed_imagenet_golden",
    what="the same folder: the second round, about the golden pairs",
    read=partial(read_reassessed_imagenet, part=GOLDEN),
)
