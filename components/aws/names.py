"""Names and ARNs of AWS, which follow from the stack file: known before anything exists."""

from dataclasses import dataclass

from components.aws.settings import AwsSettings


@dataclass(frozen=True, kw_only=True)
class Names:
    """Account, region and name of an environment: what every name and ARN in it begins with."""

    account: str
    region: str
    name: str

    def of(self, kind: str) -> str:
        """Return the name of the only resource of a kind: `shop-dev-edge`."""
        return f"{self.name}-{kind}"

    def unique(self, kind: str) -> str:
        """Return a name that no other account and region has, for what shares one name space with all of AWS."""
        return f"{self.name}-{kind}-{self.account}-{self.region}"

    def arn(self, service: str, path: str, *, regional: bool = True) -> str:
        """Return an ARN of this account: `arn:aws:eks:eu-central-1:123456789012:cluster/shop-dev`."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{path}"

    def role(self, kind: str) -> str:
        """Return the ARN of a role by the kind in its name."""
        return self.arn("iam", f"role/{self.of(kind)}", regional=False)

    def log_group(self, name: str) -> str:
        """Return the ARN of a log group."""
        return self.arn("logs", f"log-group:{name}")

    @property
    def cluster(self) -> str:
        """ARN of the cluster."""
        return self.arn("eks", f"cluster/{self.name}")

    def tags(self, kind: str) -> dict[str, str]:
        """Return the tags of a resource, which tell it from those of other environments in the same account."""
        return {"Name": self.of(kind), "perimeter.dev/environment": self.name}


def names_of(settings: AwsSettings) -> Names:
    """Return the names of an environment."""
    return Names(account=settings.account_id, region=settings.region, name=settings.name)
