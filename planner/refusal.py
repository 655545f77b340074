"""How a service of the engine refuses a request, whether the program reached it over a socket or in its own process."""

from typing import NoReturn

import grpc

Context = grpc.ServicerContext | None
"""The call's context where a request came over a socket; none where the program runs in this process."""


class Refusal(grpc.RpcError):
    """An answer that the SDK turns into an exception of the program, as it does with errors of the engine."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def code(self) -> grpc.StatusCode:
        """Return the status that carries a text and nothing else."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return the text."""
        return self.text


def refuse(context: Context, text: str) -> NoReturn:
    """End a request with an error that the program sees.

    Raises:
        Refusal: where there is no context to end.
    """
    if context is not None:
        context.abort(grpc.StatusCode.UNKNOWN, text)
    raise Refusal(text)
