"""Why a pair costs more than it need, read off its program: work done twice, for nothing, or in a wider type.

numbering   which steps are one computation, and which of them only backward does
work        what is computed again, once a parameter, on zeros, or in a wider type
saved       what is kept for backward without need
find        asks all of it, and puts it in sentences
"""
