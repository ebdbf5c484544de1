"""One HTML file to look at: a frozen record of what was found, and the page of it.

No statistic is computed here: the tables of a run and the functions of `analysis` are
asked, and what they say is drawn.
"""

from consilience.reports._gather import gather, report
from consilience.reports.content import Report, Run, can_draw, check_installed
from consilience.reports.written import (
    PAGE,
    check_place,
    is_study,
    page,
    write,
    write_study,
)

__all__ = [
    "PAGE",
    "Report",
    "Run",
    "can_draw",
    "check_installed",
    "check_place",
    "gather",
    "is_study",
    "page",
    "report",
    "write",
    "write_study",
]
