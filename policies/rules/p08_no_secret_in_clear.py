"""P08: no secret stands in a plan in clear."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.cloud_rule import in_clouds
from policies.reading.credentials import credentials, is_credential
from policies.reading.normalise import RELEASE
from policies.reading.opaque import is_kubernetes_object
from policies.reading.pods import TEMPLATES, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import is_unknown, mapping
from policies.rule import Finding, Rule, Severity

KONG_CREDENTIAL: Final = "konghq.com/credential"
PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    "acl": frozenset({"group"}),
    "jwt": frozenset({"algorithm", "key", "rsa_public_key"}),
}
"""Fields of a Kong credential that are no secret, by its type: the `key` of `jwt` is the name of the issuer."""


KEEP: Final = "keep it in a Secret, referred to by name: a service's by `secrets` of its version in the topology"


class P08(Rule):
    """A secret is made on deployment, or marked as one; nothing else in the plan holds one.

    Forbids:
        - a Secret whose `data` or `stringData` stands in the plan in clear, whatever it depends on besides;
        - a private key, a token or a password in a URL in any field of any object or chart's values, base64 included;
        - a variable called `..._PASSWORD`, `..._TOKEN`, `..._SECRET`, `..._KEY` with its value written out;
        - a secret of a cloud's vault, or a key of its API gateway, with its value written out, or put where the program makes no secret.

    Why:
        A plan is printed, stored beside the stack's state, attached to changes and sent to reviewers. A key that stands in it has
        as many owners as the plan has readers, and rotating it means another deployment. A private key among them proves an
        identity of the boundary to whoever has read it.

    Instead:
        Let cert-manager make certificates and `components/keys.py` API keys: the plan shows them as secret. What somebody else
        gives belongs into a Secret that is made outside the program, referred to by name.
    """

    id = "P08"
    name = "no-secret-in-clear"
    severity = Severity.CRITICAL
    frameworks = ("C-0012", "CKV_K8S_35", "CWE-312")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for credentials in every object and every chart's values."""
        yield from self.over(stack.of("Secret"), self._secret)
        others = (each for each in stack.resources if each.kind != "Secret" and (is_kubernetes_object(each) or each.token == RELEASE))
        yield from self.over(others, self._shapes)
        yield from self.over(stack.of(*TEMPLATES), self._variables)
        yield from in_clouds(self, stack)

    def _secret(self, secret: Resource) -> Iterator[Finding]:
        public = PUBLIC.get(str(secret.labels.get(KONG_CREDENTIAL, "")), frozenset[str]())
        for field in ("data", "stringData"):
            given: Any = secret.props.get(field)
            if is_unknown(given):
                continue
            clear = sorted(key for key, value in mapping(given).items() if not is_unknown(value) and key not in public)
            if clear:
                yield self.broken(
                    secret,
                    f"{field} holds {', '.join(clear)} in clear: everybody who reads the plan knows it",
                    "let the program make the value and mark it as secret, or make the Secret outside the program",
                )

    def _shapes(self, resource: Resource) -> Iterator[Finding]:
        for path, kind in credentials(resource.props):
            yield self.broken(resource, f"{path} holds {kind} in clear: everybody who reads the plan knows it", KEEP)

    def _variables(self, resource: Resource) -> Iterator[Finding]:
        pod = pod_of(resource)
        for container, variable, value in pod.env() if pod else ():
            if is_credential(variable, value):
                yield self.broken(
                    resource,
                    f"variable {variable} of container {container} holds a credential in clear",
                    KEEP,
                )
