"""Says what went wrong with one resource, what was seen of it in the cluster, and what to do."""

from typing import Final

from deploy.api import Api, ApiError, Object
from deploy.errors import DeployError, Trouble
from deploy.symptoms import pods_in, symptoms

_AGAIN: Final = "Mend the cause and run the command again: it continues where it stopped."


class Interrupted(Exception):
    """Something was not seen through, because the run ends."""


class NotReady(Exception):
    """An object that was not ready in its time, or never will be."""

    def __init__(self, said: str, live: Object) -> None:
        super().__init__(said)
        self.live = live


def trouble(api: Api, name: str, error: Exception) -> Trouble:
    """Return what to tell of an error.

    Args:
        api: the cluster, in which more is looked up.
        name: the resource, as people call it.
        error: what was raised for it.
    """
    seen: list[str] = []
    said = str(error) or type(error).__name__
    match error:
        case NotReady():
            seen = symptoms(api, error.live)
        case ApiError():
            said = f"{error} ({error.reason or error.status})"
            seen = [f"cause: {cause}" for cause in error.causes] if len(error.causes) > 1 else []
        case DeployError() if name.startswith("Release "):
            seen = pods_in(api, name.split()[1].partition("/")[0])
        case _:
            pass
    return Trouble(resource=name, said=said, seen=seen, advice=_AGAIN)
