"""All rows, in the order of the table."""

from benchmarks.rows import applying, diffing, peers, reading, start, validating

ROWS = (*start.ROWS, *validating.ROWS, *diffing.ROWS, *reading.ROWS, *applying.ROWS, *peers.ROWS)
