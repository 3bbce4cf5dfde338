"""How the whole fits together: files merged, scopes, references, variables; accounts come out."""
