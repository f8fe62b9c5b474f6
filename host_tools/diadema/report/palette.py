"""The colours of every chart, on screen, on paper and in a workbook: none is a state's of the
floor (`web/static/floor.css`), whose blue is a call and whose green is somebody free. Each is
three times as light or as dark as its ground, and comes with a pattern, a mark or a word.
"""

# on a light ground, on a dark one
SERIES = (
    ("#3a2f7d", "#6f68e8"),
    ("#d8437f", "#ee4a94"),
    ("#a98716", "#a3852f"),
    ("#b067e0", "#b84df0"),
    ("#5e1638", "#f6ecdf"),
    ("#958a7d", "#8a6a60"),
)
LIGHT = [light for light, _ in SERIES]
DARK = [dark for _, dark in SERIES]
INK = "#1a1d22"  # of a target's line on paper
HEAT = ("#f3f1fa", "#a79ddb")  # of a map's cells, from none to most; the ink holds on both
HEAT_DARK = "#4a4390"  # of most, on a dark ground
