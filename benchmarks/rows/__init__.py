"""All rows, in the order of the table."""

from benchmarks.rows import applying, days, diffing, peers, reading, start, validating

ROWS = (*start.ROWS, *validating.ROWS, *diffing.ROWS, *reading.ROWS, *days.ROWS, *applying.ROWS, *peers.ROWS)
