"""One HTML file to look at: a frozen record of what was found, and the page of it.

No statistic is computed here: the tables of a run and the functions of `analysis` are
asked, and what they say is drawn.
"""

from consilience.report._gather import gather
from consilience.report.installed import can_draw, check_installed
from consilience.report.record import Report, Run
from consilience.report.study_folder import PAGE, is_study, write_study
from consilience.report.written import check_place, page, write

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
    "write",
    "write_study",
]
