from .writing import write_tasks

__all__ = ["write_tasks"]
