"""The station itself: its start, clock, configuration, health, parts, sound and self-test."""

from typing import Annotated

from msgspec import UNSET

from diadema.wire.letters import Count, Event, Maybe, Percent, Sequence, Utc, words

type Part = Annotated[
    str,
    words(
        "badge_reader", "codec", "audio", "keys", "headset", "lights", "screen", "journal",
        "uplink", "wifi", "config", "telephone", "switch",
    ),
]  # fmt: skip
type Check = Annotated[str, words("ok", "failed", "skipped")]


class StationBooted(Event, tag="station.booted", kw_only=True, gc=False):
    """`text`: the end of the traceback that ended the start before, where the cause is crash.
    `build`: MicroPython's own name for it, "" where it has none; `psram`: bytes, 0 without;
    `start`: number of the start files in the vfs; `ca`: mark of the broker's authorities it holds.
    """

    cause: Annotated[
        str,
        words(
            "power_on", "hard", "watchdog", "deep_sleep", "soft", "crash", "update",
            "power_unsteady",
        ),
    ]  # fmt: skip
    firmware: str
    board: str
    micropython: Maybe[str] = UNSET
    build: Maybe[str] = UNSET
    psram: Maybe[Count] = UNSET
    start: Maybe[Count] = UNSET
    ca: Maybe[str] = UNSET
    torn: Count = 0
    text: Maybe[str] = UNSET


class StationClock(Event, tag="station.clock", kw_only=True, gc=False):
    utc: Utc
    source: Annotated[str, words("host", "sntp")]
    uncertainty_ms: Count


class StationConfig(Event, tag="station.config", kw_only=True, gc=False):
    generation: Count
    hash: str
    ca: Maybe[str] = UNSET


class StationHealth(Event, tag="station.health", kw_only=True, gc=False):
    """Bytes free: `heap` is what Python can still get, `gc_free` what of it is its heap already;
    `idf…` the chip's internal RAM, for radio, TLS and DMA: now, largest block, least since power.
    """

    heap: Count
    gc_free: Maybe[Count] = UNSET
    idf: Maybe[Count] = UNSET
    idf_largest: Maybe[Count] = UNSET
    idf_least: Maybe[Count] = UNSET
    journal: Count
    discards: Count = 0
    bad_frames: Count = 0
    rssi: Maybe[int] = UNSET  # dBm, on Wi-Fi


class StationFault(Event, tag="station.fault", kw_only=True, gc=False):
    part: Part
    code: str | int


class StationFaultCleared(Event, tag="station.fault_cleared", kw_only=True, gc=False):
    part: Part
    code: str | int


class StationLost(Event, tag="station.lost", kw_only=True, gc=False):
    """In place of records that cannot be read: `n` to `to`."""

    to: Sequence
    boot: Count = 0
    uptime_ms: Count = 0


class StationSelftest(Event, tag="station.selftest", kw_only=True, gc=False):
    """The start of the shift: `fit` is «posición operativa», and `reason` says why it is not.

    `missing`: the materials that the agent does not have; `tools`: those that do not work; of both
    as many as there is room for. `skipped`: why it was not run to its end. `bench`: the
    technician's own test, nobody's shift; `reason` may be `left`.
    """

    checks: dict[str, Check]
    fit: bool
    bench: Maybe[bool] = UNSET
    reason: Maybe[str] = UNSET
    missing: Maybe[list[str]] = UNSET
    tools: Maybe[list[str]] = UNSET
    skipped: Maybe[str] = UNSET


class StationUpdate(Event, tag="station.update", kw_only=True, gc=False):
    """How an update of the program goes on, or `what` else it is of; `next` is the part that the
    station waits for.
    """

    phase: Annotated[
        str, words("receiving", "verified", "restarting", "good", "rolled_back", "refused")
    ]
    version: Maybe[str] = UNSET
    what: Maybe[Annotated[str, words("micropython")]] = UNSET
    next: Maybe[Count] = UNSET
    reason: Maybe[str] = UNSET
    detail: Maybe[str] = UNSET


class CommandRefused(Event, tag="command.refused", kw_only=True, gc=False):
    command: str
    reason: str
    detail: Maybe[str] = UNSET


class HeadsetPlugged(Event, tag="headset.plugged", kw_only=True, gc=False):
    pass


class HeadsetUnplugged(Event, tag="headset.unplugged", kw_only=True, gc=False):
    pass


class AudioChanged(Event, tag="audio.changed", kw_only=True, gc=False):
    volume: Percent
    mute: bool
    sidetone: Percent
