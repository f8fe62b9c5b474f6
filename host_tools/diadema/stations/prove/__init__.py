"""What only a chip can say, measured on one station over its cable with a person at the keys, and
set beside the design's budgets and the simulated board. It needs no hub.
"""
