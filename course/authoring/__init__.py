"""Makes notebooks and hand-outs from the lessons' sources, and checks that the course is whole."""
