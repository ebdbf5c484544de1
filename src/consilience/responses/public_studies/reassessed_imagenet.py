"""The Contains answers of the reassessed ImageNet labels, from their original files.

85 raters said no, maybe or yes to 184,962 pairs of image and label, five to a pair. 78
of them, and five experts, answered the golden pairs once more; the majority of the
experts is the gold.

References
----------
Beyer, Henaff, Kolesnikov, Zhai and van den Oord (2020), Are we done with ImageNet?
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int, Int8

from consilience.errors import UnreadableFileError
from consilience.responses.account import Dropped
from consilience.responses.assemble import assemble
from consilience.responses.draft import Draft
from consilience.responses.format_table import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.public_studies import study_folder
from consilience.responses.sources.frames import Source
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.opening import fingerprints
from consilience.responses.table import Responses
from consilience.responses.text import Coded, concatenate, encode, index
from consilience.validation_images import validation_images

MAIN, GOLDEN, EXPERTS = "raters.npz", "raters_golden.npz", "golden.npz"
NUM_LABELS = 1000

type Part = Literal["main", "golden", "joint"]


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """One file: who said what of which pair."""

    path: Path
    item: Coded
    label: Coded
    annotator: Int[np.ndarray, " N"]
    pair: Int[np.ndarray, " N"]
    answer: Int8[np.ndarray, " N"]

    def only(self, kept: np.ndarray) -> "_Answers":
        """Take some of the answers."""
        return _Answers(
            self.path,
            self.item,
            self.label,
            self.annotator[kept],
            self.pair[kept],
            self.answer[kept],
        )


def read_reassessed_imagenet(
    sources: Sequence[Source], options: ReadOptions, part: Part = "main"
) -> Responses:
    """Read the folder of the study."""
    folder, listing = study_folder(sources, "reassessed_imagenet")
    rounds = [MAIN] if part == "main" else [GOLDEN]
    rounds = [MAIN, GOLDEN] if part == "joint" else rounds
    answers = [_read_answers(folder / name) for name in rounds]
    dropped: tuple[Dropped, ...] = ()
    if part == "joint":
        answers[0], dropped = _without(answers[0], answers[1])
    used = [folder / name for name in rounds]
    gold = None
    if (folder / EXPERTS).exists():
        gold = _gold(_read_answers(folder / EXPERTS))
        used.append(folder / EXPERTS)
    draft = _draft(answers, dropped, gold, fingerprints([*used, *listing]))
    if listing:
        draft = replace(draft, items=_items(draft.item, listing[0].parent))
    return assemble(draft, options)


def _draft(
    answers: list[_Answers],
    dropped: tuple[Dropped, ...],
    gold: pd.DataFrame | None,
    sources: dict[str, str],
) -> Draft:
    starts = np.cumsum([0] + [len(a.pair) for a in answers])

    def where(row: int) -> str:
        k = int(np.searchsorted(starts, row, side="right")) - 1
        a, i = answers[k], row - int(starts[k])
        return f"{a.path}, rater {a.annotator[i]}, pair {a.pair[i]}"

    raters = np.concatenate([a.annotator for a in answers])
    ids, codes = np.unique(raters, return_inverse=True)
    lost = sum(part.count for part in dropped)
    labels = pd.DataFrame({"label": [str(i) for i in range(NUM_LABELS)]}, dtype="str")
    return Draft(
        kind="contains",
        item=concatenate([a.item.take(a.pair) for a in answers]),
        annotator=Coded(codes.astype(np.int32), pa.array(ids.astype(str), pa.string())),
        label=concatenate([a.label.take(a.pair) for a in answers]),
        answer=np.concatenate([a.answer for a in answers]),
        row=np.arange(len(raters)),
        where=where,
        num_read=len(raters) + lost,
        unit="answers",
        dropped=dropped,
        labels=labels.assign(name=None, parent=None).astype("str"),
        gold=gold,
        sources=sources,
    )


def _read_answers(path: Path) -> _Answers:
    """Read one file, rater by rater, so that the whole cube is never in memory."""
    if not path.exists():
        msg = f"{path}: the file is missing; fetch it, or choose another format"
        raise UnreadableFileError(msg)
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
            msg = f"tensor.npy is of type {dtype}, shape {shape}"
            raise ValueError(msg)
        num_raters, num_pairs, _ = shape
        size = num_pairs * 3 * dtype.itemsize
        for _ in range(num_raters):
            marks = np.frombuffer(file.read(size), dtype).reshape(num_pairs, 3)
            pair = np.flatnonzero(marks.any(axis=1))
            answer = marks[pair].argmax(axis=1).astype(np.int8)
            if not np.array_equal(marks[pair], np.eye(3)[answer]):
                msg = "a rater gave several answers to one pair"
                raise ValueError(msg)
            yield pair, answer


def _without(main: _Answers, golden: _Answers) -> tuple[_Answers, tuple[Dropped, ...]]:
    """Drop the first round's answers to the golden pairs: they were asked again."""
    golden_pairs = pd.MultiIndex.from_frame(_pairs(golden))
    again = pd.MultiIndex.from_frame(_pairs(main)).isin(golden_pairs)[main.pair]
    if not again.any():
        return main, ()
    first = int(again.argmax())
    place = f"{main.path}, rater {main.annotator[first]}, pair {main.pair[first]}"
    reason = "the pair is golden and was asked again in the golden round"
    return main.only(~again), (Dropped(reason, int(again.sum()), place),)


def _pairs(answers: _Answers) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": index(answers.item.values).take(answers.item.codes),
            "label": index(answers.label.values).take(answers.label.codes),
        }
    )


def _items(item: Coded, folder: Path) -> pd.DataFrame:
    """Return the images that were asked about, with their classes."""
    names = pd.Series(index(item.values), dtype="str", name="item")
    classes = validation_images(folder)[["item", "dataset_label"]]
    return names.drop_duplicates().to_frame().merge(classes, how="left", on="item")


def _gold(experts: _Answers) -> pd.DataFrame:
    """Majority of the experts: yes if more than half of them said so."""
    num_pairs = len(experts.item)
    num_experts = len(np.unique(experts.annotator))
    n_yes = np.bincount(experts.pair[experts.answer == 2], minlength=num_pairs)
    answer = np.where(2 * n_yes > num_experts, "yes", "no")
    return _pairs(experts).assign(
        answer=pd.Series(answer, dtype="str"), n_yes=n_yes.astype(np.int64)
    )


READER = Reader(
    name="reassessed_imagenet",
    what="the folder of the reassessed ImageNet labels (raters.npz, golden.npz)",
    read=read_reassessed_imagenet,
)
GOLDEN_READER = Reader(
    name="reassessed_imagenet_golden",
    what="the same folder: the second round, about the golden pairs",
    read=partial(read_reassessed_imagenet, part="golden"),
)
JOINT_READER = Reader(
    name="reassessed_imagenet_joint",
    what="the same folder: both rounds, golden pairs by the second alone",
    read=partial(read_reassessed_imagenet, part="joint"),
)
