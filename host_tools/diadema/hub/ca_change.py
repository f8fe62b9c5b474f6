"""A change of the broker's CA: who does not hold the next one yet, and the steps once all do."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping

from diadema.base.certificates import Certificates
from diadema.base.credentials import Secrets
from diadema.base.paths import DataDir
from diadema.base.processes import reload_broker
from diadema.hub.broker import read_ports
from diadema.hub.mosquitto import Mosquitto, read_listener
from diadema.site.description import Site
from diadema.stations.fleet import gateways_due, stations_due
from diadema.store.station_state import Station

_LOOK_S = _ANSWER_S = 1.0
_AGAIN_S = 10.0  # a broker ends its connections when it reads its certificate again

log = logging.getLogger("diadema.ingest")


class CaChange:
    def __init__(
        self,
        data: DataDir,
        secrets: Secrets,
        mosquitto: Mosquitto,
        stations: Mapping[str, Station],
        revoked: Callable[[str], bool],
    ) -> None:
        self._data = data
        self._secrets = secrets
        self._mosquitto = mosquitto
        self._stations = stations
        self._revoked = revoked
        self._certificates = Certificates(data.tls)
        self._looked = -_AGAIN_S  # when we did
        self._reloaded = -_AGAIN_S  # when the listeners were told to read

    def begin(self) -> None:
        """Raises DiademaError while another one is not over."""
        self._certificates.begin()
        log.warning("the broker's CA is being changed; stations are told both")

    def unsaid(self, s: str) -> bool:
        """Whether a greeting is to be answered with the configuration, for it may have it without
        our having heard so from itself: of a program that says which CA it holds.
        """
        one = self._stations.get(s)
        if one is None or not self._certificates.changing:
            return False
        return one.hello.keeps and one.state.ca != self._certificates.mark()

    async def step(self, site: Site | None) -> bool:
        """Whether the old CA has just gone: everybody holds both, and every listener shows what
        the next one signed.
        """
        tls, now = self._certificates, time.monotonic()
        if now - self._looked < _LOOK_S or not tls.changing:
            return False
        self._looked = now
        mark = tls.mark()
        if stations_due(site, self._stations, self._revoked, mark):
            return False
        if gateways_due(self._stations, self._secrets, mark):
            return False
        tls.sign_by_next()
        if not await self._is_shown():
            if now - self._reloaded > _AGAIN_S:
                self._reloaded = now
                reload_broker(self._data)
                self._mosquitto.reload()
            return False
        tls.finish()
        log.warning("the broker's old CA is gone: all hold the next one")
        return True

    async def _is_shown(self) -> bool:
        """At the broker, and at mosquitto where that is the stations' listener."""
        ports, listener = read_ports(self._data), read_listener(self._data)
        listeners = [(ports.near, ports.mqtt)] if ports else []
        listeners += [(listener.near, listener.port)] if listener else []
        try:
            for where in listeners:
                shown = await asyncio.to_thread(
                    ssl.get_server_certificate, where, timeout=_ANSWER_S
                )
                if not self._certificates.is_shown(shown):
                    return False
        except OSError as error:
            log.warning("nobody shows the broker's certificate at %s:%d: %s", *where, error)
            return False
        return True
