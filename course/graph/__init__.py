"""The graph stepper: a primal's forward and backward pass recorded, laid out, and drawn as one page that steps."""
