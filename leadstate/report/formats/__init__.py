"""The forms of the report; each reads the document and nothing else."""
