"""Files to values with places: YAML read without surprises, and findings that point into it. Knows no field by name."""
