from pulumi_policy import proxy

from policies.reading.values import UNKNOWN_SENTINELS


def test_every_spelling_of_an_unknown_value_is_known() -> None:
    spellings = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
    assert set(UNKNOWN_SENTINELS) == spellings
