"""What the server's output says of a request that was refused: one line, where an error of the program keeps its traceback."""

import logging

ERRORS_OF_THE_PROGRAM = 500


def shorten_refusal(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it is, without the traceback where Django says that it only refused (403, 409, 422 and the like)."""
    status = getattr(record, "status_code", None)
    if isinstance(status, int) and status < ERRORS_OF_THE_PROGRAM:
        record.exc_info = record.exc_text = None
    return record


class RefusalsInOneLine(logging.Filter):
    """For the handlers in the settings."""

    def filter(self, record: logging.LogRecord) -> bool:
        shorten_refusal(record)
        return True
