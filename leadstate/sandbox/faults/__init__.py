"""Faults on request: what goes wrong, and with which requests."""
