"""The hub: runs the broker, the ingest and the web on one data directory, and speaks to stations.

`async with hub.Hub(...) as hub` for programs; `diadema hub` for people.
"""
