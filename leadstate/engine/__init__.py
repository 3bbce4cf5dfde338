"""Observes and changes accounts. Receives declared state and clients; knows no files, flags, formats or terminals."""
