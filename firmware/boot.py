"""Runs first on every start: only what must be there before anything can fail."""

import micropython

micropython.alloc_emergency_exception_buf(100)
