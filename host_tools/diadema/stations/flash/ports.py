"""Which ports boards may be on."""

from serial.tools import list_ports

from diadema.base.errors import DiademaError
from diadema.gateway.serial_port import port_paths


def chosen(named: list[str], everything: bool) -> list[str]:
    """Raises DiademaError when there is none, or one is named twice."""
    if everything and named:
        raise DiademaError("either --port or --all")
    if named:
        return port_paths(named)
    if not everything:
        raise DiademaError("name a port with --port, as /dev/ttyUSB0, or take --all")
    found = sorted(one.device for one in list_ports.comports() if one.vid is not None)
    if not found:
        raise DiademaError(
            "no board is on any USB port. Plug one in; if its light is on, its cable may carry "
            "power only: take another cable"
        )
    return found
