"""Who may read the developer portal of API Management. Its settings are no resources of the provider's: a template makes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.ids import group_of, name_of
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_known, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

DEPLOYMENT: Final = "azure-native:resources:Deployment"
SETTINGS: Final = "Microsoft.ApiManagement/service/portalsettings"
SIGN_IN: Final = "signin"


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """One setting of a portal, as a template makes it."""

    deployment: Resource
    service: str
    """Name of the service that it is of."""
    name: str
    properties: Any

    @property
    def enabled(self) -> Any:
        """Return what `enabled` says; None where it says nothing.

        Raises:
            UnknownValueError: if that is not known.
        """
        return _literal(self.deployment, mapping(self.properties).get("enabled"))

    def is_of(self, service: Resource) -> bool:
        """Say whether it is a setting of a service of the program: of its name, in its resource group."""
        return self.service.lower() == name_of(service).lower() and group_of(self.deployment) == group_of(service)


def settings(deployment: Resource) -> Iterator[Setting]:
    """Yield the settings of portals that a template makes. What else it makes, P07 names.

    Raises:
        UnknownValueError: if it is not known which those are.
    """
    template = deployment.at("properties", "template", default=None)
    if not is_known(template, dict):
        raise UnknownValueError(f"{deployment}: properties.template", "not there to be read, so what it makes is not known")
    for each in sequence(mapping(template).get("resources")):
        made = mapping(each)
        if made.get("type") == SETTINGS:
            service, _, name = _literal(deployment, made.get("name")).rpartition("/")
            yield Setting(deployment=deployment, service=service, name=name.lower(), properties=made.get("properties"))


def _literal(deployment: Resource, value: Any) -> Any:
    """Return a value of a template that says by itself what it is."""
    if bool(value) and str(value).startswith("["):  # an unknown raises with its own path
        raise UnknownValueError(f"{deployment}: {value}", "an expression, which Azure alone evaluates")
    return value


def asks_who_reads(service: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A06, for the developer portal: on, unless the service says otherwise."""
    if service.at("developerPortalStatus", default="Enabled") == "Disabled":
        return
    found = [each for deployment in stack.of(DEPLOYMENT) for each in settings(deployment) if each.name == SIGN_IN and each.is_of(service)]
    if not found:
        yield Flaw(
            message="its developer portal shows APIs to whoever reaches it: nothing in the program asks for a sign-in",
            fix="deploy a template with its `portalsettings` `signin`, `enabled: true`",
        )
    for each in found:
        if each.enabled is not True:
            yield Flaw(
                message=f"the developer portal of {service} shows APIs to whoever reaches it: its sign-in is not required",
                fix="write `enabled: true`",
                resource=each.deployment,
            )


def is_our_own(deployment: Resource, stack: "Stack") -> Iterator[Flaw]:
    """P02, for templates: what they set up is the program's own."""
    for each in settings(deployment):
        if not any(each.is_of(service) for service in stack.of(SERVICE)):
            yield Flaw(
                message=f"sets up the service {each.service}, which this program does not have",
                fix="name the program's own service",
                undecided=True,
            )


READERS: Final = (
    Reader(rule="A06", kinds=(SERVICE,), look=asks_who_reads),
    Reader(rule="P02", kinds=(DEPLOYMENT,), look=is_our_own),
)
