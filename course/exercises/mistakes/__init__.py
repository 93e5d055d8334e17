"""The mistakes with a name that each exercise's task knows: one module a lesson, one tuple an exercise."""
