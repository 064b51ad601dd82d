"""The one error base of Harken: what a user can mend, said in one line."""


class HarkenError(Exception):
    """A mistake or a broken input that the user can mend.

    The message says what was wrong, with the value, and what to do about it.
    The command line prints it in one line and exits with code 2.
    """
