"""The virtual desk: one simulated station in a browser, for training and for a first look.

Its page exists only in the process of `diadema desk`; a hub never serves it.
"""
