"""The published algorithms that aggregate labels, as their papers run them.

They take the codes of answers (item, annotator and label of each) and return arrays.
"""
