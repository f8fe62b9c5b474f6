"""Diadema host tools."""
