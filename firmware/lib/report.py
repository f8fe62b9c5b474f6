"""How the station is, for technicians: told every 15 minutes, and whenever somebody asks."""

import json

from lib import chip
from micropython import const

# ms of an anchor's age for a millisecond more of doubt: 50 ppm, twice what IEEE 802.11 allows a
# radio's crystal
_AGEING = const(20_000)


def health(app, u):
    """An event for the host's graphs, and everything else on the console."""
    sectors = app.journal.sectors
    fill = (sectors - app.journal.free) * 100 // sectors  # percent not yet acknowledged
    event = {
        "k": "station.health", "journal": fill,
        "discards": app.discards, "bad_frames": app.host.decoder.bad,
    }  # fmt: skip
    event.update(chip.memory())
    wifi = app.parts.get("wifi")
    if wifi and wifi.connected:
        event["rssi"] = wifi.dump()["rssi"]
    app.record(event, u, True)
    app.serial.log(json.dumps(dump(app)))


def audio_changed(app, codec):
    """An event that tells how the agent's headset is set now."""
    app.record(
        {"k": "audio.changed", "volume": codec.volume, "mute": codec.muted,
         "sidetone": codec.sidetone}, app.clock.now(), True,
    )  # fmt: skip


def state_of(part):
    """What a part says of itself (a codec, a pad: registers, readings), else what is public in it:
    numbers and words; of a badge only that it is there.
    """
    if hasattr(part, "dump"):
        return part.dump()
    found = {}
    for name, value in part.__dict__.items():
        if isinstance(value, bytes):
            value = True
        if name[0] != "_" and (value is None or isinstance(value, (bool, int, float, str))):
            found[name] = value
    return found


def uncertainty_ms(clock, u):
    """How far UTC at `u` may be off, or None while unknown."""
    return clock.source and clock.uncertainty_ms + abs(u - clock.anchored) // _AGEING


def dump(app):
    links, clock, journal = app.uplink.links, app.clock, app.journal
    u = clock.now()
    return {
        "links": dict(
            state_of(links), radio=links.radio and state_of(links.radio),
            broker=state_of(links.client),
        ) if links else None,
        "clock": {"u": u, "source": clock.source, "uncertainty_ms": uncertainty_ms(clock, u)},
        "journal": dict(state_of(journal), first=journal.first, free=journal.free,
                        bad=len(journal.bad)),
        "uplink": dict(state_of(app.uplink), link=app.uplink.link),
        "serial": state_of(app.serial),
        "parts": {role: state_of(device) for role, device in app.parts.made.items()},
        "crashes": app.crashes, "foreign": app.host.foreign,
        "late": app.host.late, "memory": chip.memory(),
    }  # fmt: skip
