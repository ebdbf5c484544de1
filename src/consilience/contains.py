"""What follows from answers yes, maybe and no: decisions, questions, further answers.

The functions take responses or a fit of kind contains.
"""

from consilience.analysis.decisions import Decision, decide, filtering, leading_question
from consilience.analysis.further_answers import more_answers
from consilience.analysis.selection import frequencies, selection_frequencies

__all__ = [
    "Decision",
    "decide",
    "filtering",
    "frequencies",
    "leading_question",
    "more_answers",
    "selection_frequencies",
]
