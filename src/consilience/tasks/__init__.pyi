from .writing import write_tasks as write_tasks
