"""Exports of labelling tools: works of annotators, made responses in one way."""
