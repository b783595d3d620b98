"""The two kinds of error that Sluice knows, and the sentence each carries."""


class SluiceError(Exception):
    """One sentence that names the thing and what to do, then its keys, unless it quotes another's with theirs."""

    def __init__(self, sentence: str, **keys: object) -> None:
        self.sentence = sentence
        self.keys = keys
        detail = ", ".join(f"{name}={value!r}" for name, value in keys.items())
        super().__init__(f"{sentence} ({detail})" if detail and not sentence.endswith(")") else sentence)


class PermanentError(SluiceError):
    """Bad input, refused, or needs a person: the same call fails again."""


class RetryableError(SluiceError):
    """A time-out, a 5xx, a 429 or a lost connection: the same call may succeed later."""
