"""Names of parameters that many models have."""

PREVALENCE, WEIGHT = "prevalence", "weight"
