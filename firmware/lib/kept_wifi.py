"""The network that a browser told a station without a hub (`lib.improv`), in a file of its own
until a configuration names one.
"""

import json
import os

_FILE = "wifi.json"


def keep(wifi):
    """`wifi`: ssid and password, as a configuration has them."""
    with open(_FILE + ".new", "w") as file:
        json.dump(wifi, file)
    os.rename(_FILE + ".new", _FILE)


def settle(config):
    """Give it to a configuration that names none; one that does replaces it for good."""
    if config.wifi:
        remove()
        return
    try:
        with open(_FILE) as file:
            kept = json.load(file)
        config.wifi = {name: kept[name] for name in ("ssid", "password")}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none is kept; that of a torn file is told again


def remove():
    for file in (_FILE, _FILE + ".new"):
        try:
            os.remove(file)
        except OSError:
            pass  # it was not there
