"""The telephone exchange: a station's keys answer its calls, and its queues are seen live."""
