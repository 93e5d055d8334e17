"""The kinds of task: what is asked, and how each kind is judged."""
