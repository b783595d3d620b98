"""What can go wrong in the server: a sentence, its keys, and the HTTP status a caller sees."""


class ServerError(Exception):
    """One sentence that names the thing and what to do, then its keys."""

    status = 500
    title = "server-error"

    def __init__(self, sentence: str, **keys: object) -> None:
        self.sentence = sentence
        self.keys = keys
        detail = ", ".join(f"{name}={value!r}" for name, value in keys.items())
        super().__init__(f"{sentence} ({detail})" if detail else sentence)


class PermanentError(ServerError):
    """Bad input, refused, or needs a person: the same call fails again."""

    status = 400
    title = "bad-request"


class RetryableError(ServerError):
    """A time-out or a lost connection: the same call may succeed later."""

    status = 503
    title = "try-again"


class UnauthorizedError(PermanentError):
    """No credentials, or wrong ones."""

    status = 401
    title = "unauthorized"


class NotFoundError(PermanentError):
    """An id that names nothing here."""

    status = 404
    title = "resource-not-found"


class ConflictError(PermanentError):
    """The thing is busy, and the sentence names with what."""

    status = 409
    title = "conflict"


class RefusedError(PermanentError):
    """Understood, and not accepted: the sentence says what would be."""

    status = 422
    title = "unprocessable-entity"


class ConnectorError(PermanentError):
    """A connector said no; the sentence is the connector's, without secrets."""

    status = 400
    title = "connector-failed"


class ConnectorTroubleError(RetryableError):
    """A connector failed in a way that may pass; the sentence is the connector's, without secrets."""

    status = 400
    title = "connector-failed"


class ConnectorTimeoutError(RetryableError):
    """A connector took longer than it may."""

    status = 400
    title = "connector-timed-out"
