"""`python -m lab start|stop|status|reset`, for who has no checkout of the command line."""

import sys

from lab import ConsoleProgress, LabError, reset, start, status, stop


def main(word: str) -> int:
    """Do what one word says."""
    try:
        match word:
            case "start":
                print(f"KUBECONFIG={start(ConsoleProgress()).kubeconfig}")
            case "stop":
                stop()
            case "reset":
                reset()
            case "status":
                print("\n".join(f"{name}: {words}" for name, words in status().items()))
            case _:
                print("usage: python -m lab start|stop|status|reset", file=sys.stderr)
                return 2
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
