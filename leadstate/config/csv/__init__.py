"""Leads in the rows of CSV files, as the mappings that YAML would have."""
