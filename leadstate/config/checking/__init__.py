"""One file against the models: every complaint at its place, in our own words."""
