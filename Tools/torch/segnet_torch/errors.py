"""Errors that users can do something about, and what they meant to write."""


class UserError(Exception):
    """The setting or the file, what was found, what to do. Printed without a traceback."""


def closest(name, known):
    """The known name with the fewest edits (Levenshtein), or None if none is near enough to be meant.

    At most a third of the letters, or one, may differ.
    """
    def distance(a, b):
        row = list(range(len(b) + 1))
        for i, x in enumerate(a):
            diagonal, row[0] = row[0], i + 1
            for j, y in enumerate(b):
                following = min(row[j] + 1, row[j + 1] + 1, diagonal + (x != y))
                diagonal, row[j + 1] = row[j + 1], following
        return row[-1]

    ranked = sorted((distance(name, other), other) for other in known)
    if not ranked or ranked[0][0] > max(1, len(name) // 3) or ranked[0][0] >= len(name):
        return None
    return ranked[0][1]


def hint(name, known):
    """" Did you mean 'x'?", or nothing."""
    found = closest(name, known)
    return f" Did you mean '{found}'?" if found else ""
