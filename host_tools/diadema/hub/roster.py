"""The site's badges as the ledger and the checks of sessions know them: by their keyed hashes."""

from datetime import date, datetime, time, timedelta

from diadema.site.badges import badge_hash
from diadema.site.description import Site
from diadema.store.badges import Badge


def badges_of(site: Site, badge_key: str, now_ms: int) -> list[Badge]:
    """Every badge that the site names; one that is hers for good is so from now on."""
    key = bytes.fromhex(badge_key)
    rows = []
    for agent in site.agents:
        for badge in agent.badges:
            rows.append(Badge(badge_hash(key, badge), agent.id, now_ms, None))
        for lent in agent.day_badges:
            start, end = _day(lent.day, site)
            rows.append(Badge(badge_hash(key, lent.badge), agent.id, start, end))
    return rows


def _day(day: date, site: Site) -> tuple[int, int]:
    """Its bounds in UTC milliseconds; not each has 24 hours."""
    first, last = (
        datetime.combine(one, time(), site.tz).timestamp() for one in (day, day + timedelta(1))
    )
    return int(first * 1000), int(last * 1000)
