"""What a simulated run comes to: the JSON object for scripts, a short table for people."""

from typing import Any

from rich.console import Console
from rich.table import Table

from diadema_sim.centre import Centre
from diadema_sim.comparison import Comparison

_SHOWN = 10  # rows of a list that is there to be read


def shift_summary(centre: Centre, found: Comparison) -> dict[str, Any]:
    """Of a run with scripted people: events against the witness, contacts from the store."""
    contacts = centre.contacts()
    return {
        "stations": len(centre.desks),
        "events_journaled": found.journaled,
        "events_stored": found.stored,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "contacts": sum(contact.outcome == "answered" for contact in contacts),
        "typified": sum(contact.how in ("agent", "favourite") for contact in contacts),
    }


def print_shift(console: Console, summary: dict[str, Any]) -> None:
    table = Table("what", "n", show_header=False)
    for key, value in summary.items():
        table.add_row(key.replace("_", " "), str(value))
    console.print(table)


def print_replay(console: Console, summary: dict[str, Any]) -> None:
    table = Table("agent", "contacts", "in the file", "talk s", "in the file")
    for row in (*summary["agents"], {"agent": "total", **summary["total"]}):
        same = row["contacts"] == row["file_contacts"] and row["talk_s"] == row["file_talk_s"]
        cells = (row["contacts"], row["file_contacts"], row["talk_s"], row["file_talk_s"])
        table.add_row(row["agent"], *map(str, cells), style="" if same else "bold red")
    console.print(table)
    for name in ("impossible", "undelivered", "interrupted"):
        rows = summary[name]
        console.print(f"{name}: {len(rows)}")
        for row in rows[:_SHOWN]:
            console.print(f"  line {row['line']}, call {row['call_id']}: {row.get('why', '')}")
        if len(rows) > _SHOWN:
            console.print(f"  and {len(rows) - _SHOWN} more; --json lists them all")
    for name in ("hang", "phantom", "typified", "events_journaled", "lost", "doubled"):
        console.print(f"{name.replace('_', ' ')}: {summary[name]}")
