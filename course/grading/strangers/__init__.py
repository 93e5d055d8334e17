"""Strangers' code, judged without trust.

    grader                              one process for each submission, forked from a warm server
    ------                              ----------------------------------------------------------
    reads the source, refuses what      imports the files, differentiation being off before the first line of theirs
    an answer has no need of
    asks for a function at some shapes  traces it on abstract values, audits the program, exports it
    draws the inputs, runs the program, (never sees a value, an oracle, the grader, or anybody else's answer)
    judges it

What can't be traced is run in that process on the numbers themselves; the verdict says so. Across the boundary go JSON,
raw arrays and exported programs, all of limited size, and nothing pickled.

What remains open, for a teacher who reads the file:

- A derivative that was worked out by a program at home and typed in as a formula is a formula.
- On single numbers differences cost no more than a derivation, and are exact enough; only their cost shows.
- An answer that makes itself untraceable where it need not be traceable runs on numbers: NumPy's differences pass.
- What is counted, and the marks of differentiation, are found in the submission's own process. Only what gets past the
  reading of the source could forge them; the grader looks for marks in the exported program again.
"""
