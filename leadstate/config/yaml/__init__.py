"""Files to values with places: YAML read without surprises, diagnostics that point into it. Knows no field by name."""
