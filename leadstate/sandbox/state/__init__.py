"""The companies of the embedded Pipedrive: rows, rules, limits, and where they are kept."""
