"""The answers: one module a lesson, each pair adjacent, forward first."""
