"""The operations of the API: from query, path and body to a company and back."""
