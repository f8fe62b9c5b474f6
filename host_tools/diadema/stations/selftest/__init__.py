"""The technician's bench test of a station: begun from here, played at the station, and kept as a
record that the hub signs.
"""
