"""Names of the coefficients of agreement."""

from collections.abc import Mapping
from types import MappingProxyType

from consilience.analysis.reliability.agreement import Agreement

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "percent": "agreement",
        "cohen": "Cohen's kappa",
        "scott": "Scott's pi",
        "fleiss": "Fleiss's kappa",
        "conger": "Conger's kappa",
        "brennan_prediger": "Brennan-Prediger",
        "gwet_ac1": "Gwet's AC1",
        "gwet_ac2": "Gwet's AC2",
        "krippendorff": "Krippendorff's alpha",
    }
)


def coefficient_name(agreement: Agreement, coefficient: str) -> str:
    """Return what a coefficient is called, given what was compared."""
    name = NAMES[coefficient]
    if coefficient == "percent" and agreement.distance != "nominal":
        return "similarity"
    if coefficient == "cohen" and agreement.annotators != 2:
        return f"{name} (mean)"
    return name
