"""The bench of known verdicts: `table.py` says what an entry is, the others enter some each."""
