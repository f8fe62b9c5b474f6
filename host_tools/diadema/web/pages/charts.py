"""Charts that answer one question each, in the page's colours, light and dark. The same figures
stand in a table below, so that nobody depends on the picture.
"""

from typing import Any

from nicegui import ui

# for an axis in seconds, in the browser: `m:ss`
CLOCK = "s => Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0')"

GRID = {"left": 8, "right": 24, "top": 44, "bottom": 8, "containLabel": True}


def chart(title: str, options: dict[str, Any], *, height: int) -> ui.echart:
    """`colors` names states, whose colours the page knows; `legend`: whether; `height` in em. The
    browser's part (static/charts.js) puts in the colours of the theme and follows its switch.
    """
    names = options.pop("colors", [])
    if options.pop("legend", False):
        options["legend"] = {"top": 0, "left": 0, "itemWidth": 14, "itemHeight": 10}
    base: dict[str, Any] = {
        "animation": False,
        "grid": GRID,
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "confine": True},
        "aria": {"enabled": True, "decal": {"show": False}},
    }
    with ui.element("figure").classes("chart"):
        with ui.element("figcaption"):
            ui.label(title)
        made = ui.echart(base | options).style(f"height: {height}em")
        made.props(f'data-colors="{" ".join(names)}" data-chart')
    return made
