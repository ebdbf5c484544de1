"""What the answers themselves show, before any model: agreement of annotators."""

from consilience.analysis.agreement import Agreement, agreement

__all__ = ["Agreement", "agreement"]
