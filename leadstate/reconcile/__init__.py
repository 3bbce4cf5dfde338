"""Declared and live state to a plan: pure functions, no clock, files, network."""
