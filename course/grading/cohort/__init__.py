"""A class: who handed in what, workers that judge it, a ledger that survives a crash, a table and a page for each."""
