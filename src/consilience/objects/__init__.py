"""The model of objects: which objects an item holds, and under which names."""
