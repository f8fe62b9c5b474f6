"""Who has marked at any desk of the site, as the host tells it: people of this station's roster,
in memory only.
"""

from lib.desk import MARKS_SINCE_S


def learn(station, rows):
    """[agent, in or out, UTC] each; False when something else is among them."""
    if not isinstance(rows, list):
        return False
    newest = {}
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or row[1] not in ("in", "out"):
            return False
        if not isinstance(row[0], str) or not isinstance(row[2], int) or isinstance(row[2], bool):
            return False
        second = max(row[2] // 1000 - MARKS_SINCE_S, 2)
        newest[row[0]] = second if row[1] == "in" else -second
    for agent, mark in newest.items():
        if abs(mark) >= abs(station.marks.get(agent, 0)) and station.config.row(agent):
            station.marks[agent] = mark
    return True
