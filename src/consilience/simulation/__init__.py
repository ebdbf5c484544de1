"""Responses with known truth: drawn from a model, or object by object."""

from consilience.simulation.from_models import Simulated, simulate
from consilience.simulation.objects import simulate_objects
from consilience.simulation.one_item import ObjectsSettings

__all__ = ["ObjectsSettings", "Simulated", "simulate", "simulate_objects"]
