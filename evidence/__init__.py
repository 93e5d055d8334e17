"""The judge is judged: what it refuses, accepts, names and misses, written to docs/evidence.md."""
