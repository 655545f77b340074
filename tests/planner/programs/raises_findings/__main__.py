"""Fails with an error that carries several findings, as the loader of a model does."""


class ModelError(Exception):
    def __init__(self, findings: list[object]) -> None:
        self.findings = findings
        super().__init__(f"{len(findings)} findings")


raise ModelError(["a.yaml: services.cart: no owner", "a.yaml: services.pay: calls itself"])
