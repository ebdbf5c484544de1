"""Models compared by how well they predict answers, and mixed accordingly."""
