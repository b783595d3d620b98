"""The shared package's macros as sqlfluff sees them in generated models: each call becomes a function of its name."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable[..., str]:
    """Any macro of the package, as a function from its arguments to SQL text."""
    if name.startswith("__"):
        raise AttributeError(name)

    def call(*arguments: object) -> str:
        return f"{name}({', '.join(str(argument) for argument in arguments)})"

    return call
