"""The built-in study: what is true is known, so that what is found can be judged."""

from consilience.demo.outcome import Outcome, run
from consilience.demo.simulated import Study, study

__all__ = ["Outcome", "Study", "run", "study"]
