"""Names the line of the primal at which a backward pass goes wrong, with no list of mistakes written beforehand.

A cotangent flows back along every operand of every equation of the primal's program. A *gate* on such an edge is the
identity, whose backward pass multiplies the cotangent by m. The cotangents of the inputs are affine in each single m,
so an answer that is wrong at this one edge is

    answer = truth + c * (truth - cut)        cut: the cotangents with m = 0
    c = -1: the path is missing      c = -2: its sign is turned      c = 1: it is counted twice

Beside the gates stand the *rules*: an equation's local derivative replaced by one that people write in its place. All
that is known of an answer here are its numbers; nothing is said that they do not support.
"""
