"""`python -m lab.issuer`: print tokens, honest and forged; play an outage of the key set."""

import argparse
import json
import sys

from lab.issuer import Algorithm, Forgery, Issuer


def main(words: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lab.issuer", description="Tokens of the lab's issuer.")
    commands = parser.add_subparsers(dest="command", required=True)
    token = commands.add_parser("token", help="print a token")
    for name in ("issuer", "audience", "subject"):
        token.add_argument(name)
    token.add_argument("claims", nargs="?", type=json.loads, default={}, help="JSON object; null leaves a claim out")
    token.add_argument("--alg", choices=[alg.value for alg in Algorithm], default=Algorithm.RS256)
    token.add_argument("--forged", choices=[kind.value for kind in Forgery])
    commands.add_parser("stop", help="take the key set away")
    commands.add_parser("start", help="give it back")
    given = parser.parse_args(words)
    issuer = Issuer()
    match given.command:
        case "token" if given.forged:
            print(issuer.forged(given.forged, given.issuer, given.audience, given.subject, **given.claims))
        case "token":
            print(issuer.token(given.issuer, given.audience, given.subject, alg=given.alg, **given.claims))
        case "stop":
            issuer.stop()
        case _:
            issuer.start()


if __name__ == "__main__":
    main(sys.argv[1:])
