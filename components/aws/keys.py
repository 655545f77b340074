"""Keys of the environment's own, renewed every year."""

import pulumi
from pulumi_aws import kms

from components.aws.names import Names
from components.aws.rights import Statement, document


def key(kind: str, names: Names, *, parent: pulumi.Resource, statements: tuple[Statement, ...] = ()) -> pulumi.Output[str]:
    """Register a key that is renewed every year; return its ARN.

    Args:
        kind: what it encrypts.
        names: of the environment.
        parent: the component that owns it.
        statements: who may use it beside those whom the account's own policies allow to.
    """
    options = pulumi.ResourceOptions(parent=parent)
    # In a key's policy `*` is the key itself. Without this sentence nobody could ever change the policy again (KMS, `key-policy-default`).
    account = {"AWS": names.arn("iam", "root", regional=False)}
    owner = Statement(sid="Account", actions=("kms:*",), resources=("*",), principals=account)
    made = kms.Key(
        f"key-{kind}",
        kms.KeyArgs(
            description=f"{names.name}: {kind}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=document(owner, *statements),
            tags=names.tags(f"key-{kind}"),
        ),
        opts=options,
    )
    kms.Alias(f"key-{kind}", kms.AliasArgs(name=f"alias/{names.of(kind)}", target_key_id=made.key_id), opts=options)
    return made.arn


def for_logs(names: Names) -> Statement:
    """Return the right of CloudWatch to the key of this account's log groups (CloudWatch Logs, `encrypt-log-data-kms`)."""
    return Statement(
        sid="Logs",
        actions=("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"),
        resources=("*",),
        principals={"Service": f"logs.{names.region}.amazonaws.com"},
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": names.log_group("*")}},
    )
