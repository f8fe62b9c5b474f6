"""Runs broker, ingest and web on one data directory, and speaks to the stations.

`async with Hub(...) as hub` for programs; `diadema hub` for people.
"""
