"""TLS of the clients that tests make."""

import ssl

from diadema.base.certificates import Certificates


def trusting(certificates: Certificates) -> ssl.SSLContext:
    """For a client that trusts this CA, and no other."""
    return ssl.create_default_context(cadata=certificates.ca_der())
