"""The tables of the pages: names to the left, figures to the right, sorted by what they mean."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

ROWS = 50  # of one screen

type Columns = Sequence[tuple[str, str]]  # field and title

_SORT = "(a, b, x, y) => (x.{by} ?? -1) - (y.{by} ?? -1)"


def figures_table(
    texts: Columns, figures: Columns, rows: list[dict[str, Any]], empty: str
) -> ui.table:
    """The first text column links to `link` of the row, where there is one. A figure `f` that is
    written as text is sorted by `f_by`.
    """
    columns: list[dict[str, Any]] = [
        {"name": name, "label": title, "field": name, "align": "left", "sortable": True}
        for name, title in texts
    ]
    for name, title in figures:
        column: dict[str, Any] = {
            "name": name, "label": title, "field": name, "align": "right", "sortable": True,
        }  # fmt: skip
        if rows and f"{name}_by" in rows[0]:
            column[":sort"] = _SORT.format(by=f"{name}_by")
        columns.append(column)
    table = ui.table(columns=columns, rows=rows, row_key="id", pagination=ROWS)
    table.classes("figures-table").props(f'flat dense no-data-label="{empty}"')
    if len(rows) <= ROWS:
        table.props("hide-pagination")
    first = texts[0][0]
    table.add_slot(
        f"body-cell-{first}",
        f'<q-td :props="props"><a v-if="props.row.link" :href="props.row.link">'
        f"{{{{ props.row.{first} }}}}</a>"
        f"<span v-else>{{{{ props.row.{first} }}}}</span></q-td>",
    )
    return table
