"""Gives out all that a centre has, as `second_opinion.raw` reads it: what `diadema export
cloudevents` and `diadema people export` write, with the directory as of each of some days.
"""

from diadema.exchange.cloud_events_export import Export
from diadema.site.directory.book import Directory
from diadema.site.directory.exporting import as_csv, rows_of
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people_of import people


def give_out(data, folder, days, log=None):
    """`log`: the queue_log's path as the switch wrote it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.jsonl").open("wb") as file:
        assert not Export(data, people(data)).write(file).unreadable
    with Directory(data.directory) as book:
        for day in days:
            place = folder / "people" / day.isoformat()
            place.mkdir(parents=True, exist_ok=True)
            for kind in KINDS:
                (place / f"{kind}.csv").write_bytes(as_csv(kind, rows_of(book, kind, day), "es"))
    if log is not None:
        (folder / "queue_log").write_bytes(log.read_bytes())
    return folder
