"""The prior of the truth, and what covariates say of it."""
