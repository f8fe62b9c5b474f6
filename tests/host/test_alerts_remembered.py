"""What a person has seen to is known again after the web begins anew."""

from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.site.directory.people import People
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Floor, Pace

from tests.host.test_projection import started, take


async def test_the_register_says_who_has_seen_to_what(ingest, reader, clock, tmp_path):
    take(ingest, started())
    acts = Actions(ingest, Commands(ingest, None), reader, None)
    seen = {"by": "aruiz", "who": "Ana Ruiz", "action": "acknowledge", "a": "a001"}
    acts.act(seen | {"rule": "help", "since": 77})
    acts.act({"by": "aruiz", "action": "note", "a": "a001", "kind": "orientacion", "note": "x"})
    clock.now += 3_600_000
    acts.act(seen | {"who": "", "rule": "link", "since": 78})
    data = DataDir(tmp_path)
    watch = Watch(Floor(), Pace(clock), People, None, lambda: None)
    await watch.remember(data)
    assert watch.seen == {("help", "a001", 77): "Ana Ruiz", ("link", "a001", 78): "aruiz"}
    clock.now += 24 * 3_600_000 - 3_600_000 + 1
    later = Watch(Floor(), Pace(clock), People, None, lambda: None)
    await later.remember(data)
    assert later.seen == {("link", "a001", 78): "aruiz"}
