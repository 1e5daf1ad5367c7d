"""The few errors this library raises; the command line turns them into exit code 2, the service into problem+json."""


class TriageError(Exception):
    """Anything a caller can mend: the message names the field, the value and what was expected."""


class InputError(TriageError):
    """A complaint, a file or an argument is not what it must be.

    Args:
        field: the field or argument, as the caller spells it.
        value: what was found; shown shortened, so never pass unmasked free text here.
        expected: what would have been right.
        row: 1-based row of a file, where there is one.
    """

    def __init__(self, field: str, value: object, expected: str, row: int | None = None):
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        where = f"row {row}: " if row is not None else ""
        super().__init__(f"{where}{field}: got {shown}, expected {expected}")
        self.field, self.value, self.expected, self.row = field, value, expected, row


class ConfigError(TriageError):
    """The installation is incomplete or contradicts itself: a dictionary, calendar or setting is missing or wrong."""


class ArtifactError(TriageError):
    """A model folder is missing, incomplete, or not what its manifest vouches for."""


class ConflictError(TriageError):
    """The request contradicts what is stored: the same caller id with another content, a forbidden change of status."""


class NotFoundError(TriageError):
    """Nothing is stored under that id."""
