"""What is asked of each item, before it takes the form of a tool."""

from collections.abc import Sequence
from dataclasses import dataclass

from consilience.responses.columns.on_screen import OnScreen

QUESTIONS = {
    "choice": "Which of these is in the image?",
    "contains": "Which of these are in the image? Select all that apply.",
    "objects": "Which objects are in the image? Select one name for each object.",
}
MAIN_QUESTION = "Which of them is the main object?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item: its image, and the labels on the screen in their order."""

    image: str
    shown: OnScreen


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All tasks and their question."""

    tasks: Sequence[Task]
    kind: str
    question: str
    remote: bool
