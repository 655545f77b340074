"""N07: Secrets of the cluster are encrypted with a key of the account's own."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N07(CloudRule):
    """Secrets of the cluster are encrypted with a key of the account's own.

    Forbids:
        An EKS cluster without `encryptionConfig` for `secrets`, or without a KMS key in it; a key that is not of the program is undecided. An AKS cluster with a key of a vault
        (`azureKeyVaultKms`) that is off, unnamed, of a vault that the program does not make, or asked for over the internet.

        A pool of AKS whose temporary disks are not encrypted (`enableEncryptionAtHost`). A launch template of EKS that does not say that
        disks are encrypted, by the names that they have on the nodes' image. A key that KMS does not renew every year. A log, a secret, a bucket or a disk in AWS that is encrypted with
        a key which is not of the program is undecided: whoever has it may take it back.

        An AKS cluster without one is no finding. Azure encrypts its store always, with a key of Azure's own; one's own key asks for
        more than it gives: the earlier way makes the cluster's identity Key Vault Contributor, which may open the vault (and whoever
        loses the key loses the cluster), the later one is in preview (Learn, `aks/kms-data-encryption`, `aks/use-kms-etcd-encryption`).

    Why:
        Secrets hold the keys by which layers prove who they are. Encrypted with a key of one's own they cannot be read from a
        copy of the cluster's store, every use of the key is written down, and taking the key away ends all of it.

    Instead:
        Name a key::

            type: aws:eks/cluster:Cluster
            inputs:
              encryptionConfig:
                provider: {keyArn: <arn of the key>}
                resources: [secrets]
    """

    id = "N07"
    name = "secrets-are-encrypted"
    severity = Severity.MEDIUM
    frameworks = ("EKS.3", "CKV_AWS_58", "CIS EKS 5.3.1")
