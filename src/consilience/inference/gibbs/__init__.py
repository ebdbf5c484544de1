"""Gibbs sampling of annotators whose confusion rows have normal effects."""
