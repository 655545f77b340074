"""`python -m lab.issuer`: print tokens, honest and forged; play an outage of the key set, or a change of keys."""

import argparse
import json
import sys

from lab.issuer import Algorithm, Forgery, Issuer


def main(words: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lab.issuer", description="Tokens of the lab's issuer.")
    issuer = Issuer()
    commands = parser.add_subparsers(dest="command", required=True)
    token = commands.add_parser("token", help="print a token")
    for name in ("issuer", "audience", "subject"):
        token.add_argument(name)
    token.add_argument("claims", nargs="?", type=json.loads, default={}, help="JSON object; null leaves a claim out")
    token.add_argument("--alg", choices=[alg.value for alg in Algorithm], default=Algorithm.RS256)
    token.add_argument("--forged", choices=[kind.value for kind in Forgery])
    deeds = {
        "stop": (issuer.stop, "take the key set away"),
        "start": (issuer.start, "give it back"),
        "rotate": (issuer.rotate, "publish new keys beside those in use, and sign with them"),
        "withdraw": (issuer.withdraw, "take older keys than those in use out of the key set"),
        "restore": (issuer.restore, "go back to the first keys"),
    }
    for name, (_, said) in deeds.items():
        commands.add_parser(name, help=said)
    given = parser.parse_args(words)
    match given.command:
        case "token" if given.forged:
            print(issuer.forged(given.forged, given.issuer, given.audience, given.subject, **given.claims))
        case "token":
            print(issuer.token(given.issuer, given.audience, given.subject, alg=given.alg, **given.claims))
        case deed:
            deeds[deed][0]()


if __name__ == "__main__":
    main(sys.argv[1:])
