"""The rival: what a good engineer builds in a week from the same ears and rules."""
