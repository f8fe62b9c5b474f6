"""Where what is said to a station goes: its own topics for Wi-Fi, and those of the cable that its
gateway named.
"""

from diadema.ingest.core import Ingest

_TOPICS = "diadema.v1."


class Ways:
    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def __call__(self, s: str) -> list[str]:
        """Subjects without their last level, `ack` or `cmd`; both where no link is known."""
        station = self._ingest.stations.get(s)
        if station is None:
            return [f"{_TOPICS}{s}."]
        hello = station.hello
        ways = []
        if hello.gw and hello.links != ("wifi",):
            ways.append(f"{_TOPICS}gw-{hello.gw}.{s}.{hello.port}.")
        if hello.links != ("usb",):
            ways.append(f"{_TOPICS}{s}.")
        return ways
