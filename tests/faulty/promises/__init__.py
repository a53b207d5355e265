"""The promises, each in a file of the same shape: `NAME`, `GOAL`, `ROUNDS`, `ROUNDS_SHORT`, `CONTROL`, `run`, `control`."""
