"""The one layout of a file, and the proof that what it says stays."""
