"""Prevalence and the weights of columns of candidates: Newton steps and draws."""
