"""Reads what exists in an account, as cheaply as what is declared allows."""
