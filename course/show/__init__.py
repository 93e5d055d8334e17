"""Draws records: terminal, notebook, plots. Computes nothing and imports no JAX."""
