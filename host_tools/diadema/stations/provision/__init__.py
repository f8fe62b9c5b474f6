"""Gives a station on a technician's cable its seat, and all that follows from it: the hub makes
its credential and its configuration, and the station says when it has them.
"""
