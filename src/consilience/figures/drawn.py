"""Charts as files: SVG that follows a page's colours, SVG and PNG that stand alone."""

from typing import Any

from consilience.figures.colours import FAINT, INK, for_light

WIDTH, HEIGHT = 520, 260
# Names may be wider in the font of the page than in that of the chart.
_MARGIN = {"left": 48, "right": 16, "top": 6, "bottom": 6}


def svg(chart: Any, *, described: bool = True) -> str:
    """Return a chart as SVG whose colours are the variables of a page."""
    import altair as alt  # noqa: PLC0415 (an extra)
    import vl_convert  # noqa: PLC0415

    styled = _style(_sized(chart), described=described)
    with alt.data_transformers.enable("default", max_rows=None):
        specification = styled.to_dict()
    return str(vl_convert.vegalite_to_svg(specification))


def alone(drawing: str) -> str:
    """Return a drawing with its own colours, on white."""
    return for_light(drawing).replace(
        "><", '><rect width="100%" height="100%" fill="#ffffff"/><', 1
    )


def png(drawing: str) -> bytes:
    """Return a drawing, made to stand alone, as PNG at twice its size."""
    import vl_convert  # noqa: PLC0415 (an extra)

    return bytes(vl_convert.svg_to_png(drawing, scale=2))


def _sized(chart: Any) -> Any:
    """Give a chart without a size the usual one, or one that its names need."""
    import altair as alt  # noqa: PLC0415 (an extra)

    if isinstance(chart, alt.FacetChart):
        return chart
    if not isinstance(chart.width, int | float):
        chart = chart.properties(width=WIDTH)
    return (
        chart if chart.height is not alt.Undefined else chart.properties(height=HEIGHT)
    )


def _style(chart: Any, *, described: bool) -> Any:
    return (
        chart.configure(
            background="transparent",
            font="sans-serif",
            aria=described,
            **({"padding": _MARGIN} if described else {}),
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            gridColor=FAINT,
            domainColor=FAINT,
            tickColor=FAINT,
            titleFontWeight="normal",
            labelFontSize=11,
            titleFontSize=12,
        )
    )
