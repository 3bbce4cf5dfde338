"""Live values into YAML that is there: what to write, and in place, comments and layout kept."""
