"""Strangers' code, judged without trust.

    grader                              one process for each submission, forked from a warm server
    ------                              ----------------------------------------------------------
    reads the source, refuses what      imports the files, differentiation being off before the first line of theirs
    an answer has no need of
    asks for a function at some shapes  traces it on abstract values, audits the program, describes it
    makes the program anew, counts it,  (never sees a value, an oracle, the grader, or anybody else's answer)
    draws the inputs, runs it, judges

What can't be traced is run in that process on the numbers themselves; the verdict says so, and its cost does not count
as kept. Across the boundary go JSON and raw arrays, of limited size, and nothing pickled.

What is counted is what runs: one program, made here from primitives whose cost is known. Of the process's own word are
only faults, prints, the names of residuals, which expression of the submission made an operation, and that nothing was
differentiated.

What remains open, for a teacher who reads the file:

- A derivative that was worked out by a program at home and typed in as a formula is a formula.
- On single numbers differences cost no more than a derivation, and are exact enough; only their cost shows.
- An answer that makes itself untraceable where it need not be traceable runs on numbers: NumPy's differences pass.
- The marks of differentiation are found in the submission's own process. Only what gets past the reading of the source
  could hide them.
- Arithmetic on integers counts nothing: whoever computes in fixed point hides their FLOPs, and loses the digits.
"""
