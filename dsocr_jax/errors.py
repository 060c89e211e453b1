"""The one error that users are meant to meet."""


class UserError(Exception):
    """Something that the user can mend: the message says what is wrong, where, and what to do.

    The command-line doors print it as one line and exit with status 1; Python callers catch it as usual.
    """
