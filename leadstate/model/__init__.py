"""Data that every package shares: addresses, resources, plans, diagnostics. No clock, files, network or pydantic."""
