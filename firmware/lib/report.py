"""How the station is, for technicians: told every 15 minutes, and whenever somebody asks."""

import gc
import json


def health(app, u):
    """An event for the host's graphs, and everything else on the console."""
    app.record(
        {"k": "station.health", "heap": gc.mem_free(), "journal": app.journal.fill,
         "discards": app.discards, "bad_frames": app.host.decoder.bad}, u, True,
    )  # fmt: skip
    app.serial.log(json.dumps(dump(app)))


def audio_changed(app, codec):
    """An event that tells how the agent has her headset now."""
    app.record(
        {"k": "audio.changed", "volume": codec.volume, "mute": codec.muted,
         "sidetone": codec.sidetone}, app.clock.now(), True,
    )  # fmt: skip


def told(part):
    """What a part says of itself (a codec, a pad: registers, readings), else what is public in it:
    numbers and words, and of all else whether it is there; a badge's id stays here.
    """
    if hasattr(part, "dump"):
        return part.dump()
    found = {}
    for name, value in part.__dict__.items():
        if name[0] != "_":
            plain = value is None or isinstance(value, (bool, int, float, str))
            found[name] = value if plain else True
    return found


def dump(app):
    links, clock, journal = app.uplink.links, app.clock, app.journal
    u = clock.now()
    return {
        "links": dict(told(links), radio=told(links.radio), broker=told(links.client))
        if links else None,
        "clock": {"u": u, "source": clock.source, "uncertainty_ms": clock.uncertainty_ms(u)},
        "journal": dict(told(journal), first=journal.first, free=journal.free,
                        bad=len(journal.bad)),
        "uplink": told(app.uplink),
        "serial": told(app.serial),
        "parts": {role: told(device) for role, device in app.parts.made.items()},
        "crashes": app.crashes, "foreign": app.host.foreign,
        "late": app.host.late,
    }  # fmt: skip
