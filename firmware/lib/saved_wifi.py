"""The network that a browser told a station without a hub (`lib.improv`), in a file of its own
until a configuration names one.
"""

from lib import checked

_FILE = "wifi.json"


def save(wifi):
    """`wifi`: ssid and password, as a configuration has them."""
    checked.write(_FILE, wifi)


def settle(config):
    """Give it to a configuration that names none; one that does replaces it for good. Raises
    kept.Damaged.
    """
    if config.wifi:
        remove()
    else:
        config.wifi = checked.read(_FILE)


def remove():
    checked.remove(_FILE)
