"""Does an answer end in circles? Told from its text alone, for answers of any program."""

import numpy as np

#: An answer loops if its last characters repeat with a period of at most this,
MAX_PERIOD = 1000
#: for at least so many characters beyond the first period,
LEAST_CHARACTERS = 200
#: and at least so many times in all. Dotted leaders, rows of a table and refrains stay below both.
LEAST_REPEATS = 8


def ends_in_loop(text: str) -> bool:
    """Whether the end of ``text`` repeats itself; white space at the very end does not count.

    The last repetition may be cut off, as a limit of tokens leaves it.
    """
    codes = np.frombuffer(text.rstrip()[-(MAX_PERIOD * LEAST_REPEATS) :].encode("utf-32-le", "surrogatepass"), "<u4")
    for period in range(1, min(MAX_PERIOD, len(codes) - 1) + 1):
        wanted = max(LEAST_CHARACTERS, (LEAST_REPEATS - 1) * period)
        if wanted + period > len(codes):
            return False  # so would all longer periods
        # A quick look at the last character before the whole stretch is compared.
        if codes[-1] == codes[-1 - period] and np.array_equal(codes[-wanted:], codes[-wanted - period : -period]):
            return True
    return False
