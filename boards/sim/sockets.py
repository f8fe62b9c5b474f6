"""`socket` of the simulated board: the interpreter's own, but what is sent leaves at a time that
the world knows, and names are looked up as on the chip, in a C call that lets go of the lock.

The `names` command gives {"names": {name: address, or null for one that nobody answers}}.
"""

import builtin
import manners
import network
import threads
import wire

_own = builtin.socket
_names = {}
_UNKNOWN = -202  # EAI_FAIL of lwIP, as MicroPython raises it


def __getattr__(name):
    return getattr(_own, name)


def socket(*arguments):
    wire.land()
    return _own.socket(*arguments)


def _know(command):
    _names.clear()
    _names.update(command["names"])


wire.on("names", _know)


class _Address(bytes):
    """As the interpreter's own socket wants it, and (address, port) as the chip gives it."""

    def __getitem__(self, at):
        return self.pair[at]


def getaddrinfo(host, port, *more):
    if not host.replace(".", "").isdigit():
        address = _names.get(host, host)
        if address is None or not network.passing():
            threads.let_go(manners.dns_ms)
            raise OSError(_UNKNOWN)
        threads.let_go(manners.name_ms)
        host = address
    found = []
    for *kind, blob in _own.getaddrinfo(host, port, *more):
        address = _Address(blob)
        address.pair = (".".join(str(one) for one in _own.sockaddr(blob)[1]), port)
        found.append(tuple(kind) + (address,))
    return found
