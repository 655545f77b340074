"""N12: identities of the system have few rights in the cloud's account."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N12(CloudRule):
    """An identity of the system may do what its task asks for, and keys, secrets and logs answer nobody else.

    Forbids:
        Of AWS:

        - a role that everybody, another account, any pod, a pod of another cluster, a service on behalf of any account, or what has another
          role of the program takes on; one that says which pods are behind the edge, and is not the load balancer controller's;
        - a role that may do a whole service (`s3:*`), something else than looking to everything (`*`), or what gives rights:
          `iam:PassRole` to more than one named role, `iam:Put...`, `sts:AssumeRole`; statements by exclusion (`NotAction`);
        - a role that may change the boundary, be it of one thing alone: groups, listeners, web ACLs, records, entries of the cluster,
          what runs elsewhere (`ec2:Authorize...`, `wafv2:Disassociate...`, `ssm:StartSession`); the pods of a service with a role at all;
        - a role that may do more with keys, secrets, buckets and logs than write logs (`secretsmanager:GetSecretValue`, `logs:Delete...`);
        - policies kept by AWS other than those for clusters and nodes (`AdministratorAccess`), or those at another role; roles that the program
          does not make; pods on the way of requests with a role;
        - a key, a secret, a bucket or a log that answers everybody, be it of this account alone, another account, a role of the program, or a
          service on behalf of any account;
          a bucket that may be opened to everybody, or without a block of that; an endpoint of the network that passes on requests of other accounts.

        Undecided is any other action: the tasks that identities of the system have are few, and known.

        Of Azure:

        - a role that is not in `policies/reading/cloud/azure/roles.py` (Owner, Contributor, User Access Administrator);
        - a role at more than a single resource of the type for which it is meant: a resource group, a subscription, a whole vault;
        - a role of somebody whom the program does not make;
        - a vault with access policies in the place of roles; a vault or a storage account that answers the internet, or by a key;
        - a provider that makes everything in another subscription than the stack file names;
        - a vault that answers users of another tenant; a private endpoint to what the program does not make;
        - a role that another layer has than the one whose task it is, or that stands at somebody else's resource; an identity, a vault, a key
          or a private zone of somebody else in which something of the program is kept, or with which it acts;
        - a certificate that the edge shows clients, or a key of disks, from a vault of somebody else whom the stack file does not name.

    Why:
        The boundary is made of resources of the account. A pod whose role may change them needs no way through the boundary: it
        opens a security group, reads the keys of another layer from the vault, or gives itself the right to.

    Instead:
        One role for each identity, with the actions and the things of its task::

            type: aws:iam/rolePolicy:RolePolicy
            inputs:
              policy: >
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                 "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
                 "Resource": ["arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-*/*"]}]}
    """

    id = "N12"
    name = "rights-are-few"
    severity = Severity.HIGH
    frameworks = ("IAM.1", "IAM.21", "KMS.1", "S3.6", "CIS AWS 1.16", "CKV_AWS_60", "CKV_AWS_63", "CKV_AZURE_189")
