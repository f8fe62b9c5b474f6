"""Who does not hold the broker's next CA yet: stations of the site, and gateways on other
machines.
"""

from collections.abc import Callable, Mapping

from diadema.base.credentials import Secrets, gateway_password
from diadema.site.description import Site
from diadema.store.station_state import Station


def stations_due(
    site: Site | None,
    stations: Mapping[str, Station],
    revoked: Callable[[str], bool],
    mark: str,
) -> list[str]:
    """Those of the site that may hold the old CA alone: each that connects by MQTT, was configured
    once, and has not said since, by its credential or over a cable after its proof, that it holds
    what has this mark.
    """
    if site is None or site.wifi is None:
        return []
    known = [stations[one.id] for one in site.stations if one.id in stations]
    return [
        one.station
        for one in known
        if (one.state.generation or one.hello.generation) and one.state.ca != mark
        if not revoked(one.station)
    ]


def gateways_due(stations: Mapping[str, Station], secrets: Secrets, mark: str) -> list[str]:
    """Those on other machines whose file has not both."""
    held = {(one.hello.gw, one.hello.gw_ca) for one in stations.values() if one.hello.gw_ca}
    return sorted({gw for gw, ca in held if ca != mark and gateway_password(secrets, gw)})
