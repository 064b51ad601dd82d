"""Training: what is frozen, what learns, and the one loop that teaches it.

Needs the extra `train` (torch).
"""
