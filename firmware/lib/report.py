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


def dump(app):
    links = app.uplink.links
    return {
        "links": links.dump() if links else None, "clock": app.clock.dump(),
        "journal": app.journal.dump(), "uplink": app.uplink.dump(),
        "serial": app.serial.dump(), "parts": app.parts.dump(),
        "crashes": app.crashes, "foreign": app.host.foreign,
        "late": app.host.late,
    }  # fmt: skip
