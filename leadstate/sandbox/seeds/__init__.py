"""Seed documents: companies as plain JSON, read with errors that name their place."""
