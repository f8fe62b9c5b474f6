"""The parts of the exchange that tests play: `tests.support.asterisk_peer` puts them together."""
