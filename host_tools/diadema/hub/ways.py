"""Where what is said to a station goes: its own topics for Wi-Fi, and those of the cable that its
gateway named. By a cable whose station proved nothing goes no command but an update.
"""

from collections.abc import Callable

from diadema.ingest.core import Ingest

_TOPICS = "diadema.v1."
_CONFIG, _UPDATE = b'{"cmd":"config"', b'{"cmd":"update"'


class Ways:
    def __init__(self, ingest: Ingest, giving: Callable[[str], str | None]) -> None:
        """`giving`: the key that goes to a station now, on the port that was named."""
        self._ingest = ingest
        self._giving = giving

    def __call__(self, s: str, leaf: str, text: bytes) -> list[str]:
        """The subjects for `text`, an `ack` or a `cmd`; both ways where no link is known."""
        station = self._ingest.stations.get(s)
        if station is None:
            return [f"{_TOPICS}{s}.{leaf}"]
        hello = station.hello
        config, giving = text.startswith(_CONFIG), self._giving(s) is not None
        free = leaf == "ack" or hello.proven or text.startswith(_UPDATE) or (config and giving)
        ways = []
        if hello.gw and hello.links != ("wifi",) and free:
            ways.append(f"{_TOPICS}gw-{hello.gw}.{s}.{hello.port}.{leaf}")
        # a program that keeps no key would lose it by a configuration without one
        if hello.links != ("usb",) and not (config and (giving or not hello.keeps)):
            ways.append(f"{_TOPICS}{s}.{leaf}")
        return ways

    def configures(self, s: str) -> bool:
        """Whether a configuration can go there now."""
        return bool(self(s, "cmd", _CONFIG))
