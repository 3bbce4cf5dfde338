"""The pure middle: who is who, what differs, what to do. No clock, files, network or pydantic here."""
