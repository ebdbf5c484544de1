"""Responses with known truth: drawn from a model, or object by object."""

from consilience.simulation.from_models import simulate
from consilience.simulation.objects import ObjectsSettings, Simulated, simulate_objects

__all__ = ["ObjectsSettings", "Simulated", "simulate", "simulate_objects"]
