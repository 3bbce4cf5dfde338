"""What an apply needs that is not about a terminal.

`leadstate` itself names the public part (docs/reference/python.md).
"""
