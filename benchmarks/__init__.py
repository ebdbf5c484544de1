"""Speed, memory and accuracy beside peers: `python -m benchmarks [name ...] [--quick]`.

Each figure is taken in a process of its own, in turn with its peer, and kept with its
peer in `results/`.
"""
