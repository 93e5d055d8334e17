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
"""
