import pytest
from pulumi_policy import proxy

from policies.reading.values import MARK, SIGNATURE, UNKNOWN_SENTINELS, UnknownValueError, is_unknown, known, unknowns


def test_every_spelling_of_an_unknown_value_is_known() -> None:
    spellings = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
    assert set(UNKNOWN_SENTINELS) == spellings


def test_the_list_of_what_a_provider_filled_in_is_left_out_and_what_it_filled_in_is_not() -> None:
    checked = {MARK: ["internal"], "internal": False, "subnets": [{MARK: [], "id": "subnet-1"}], "tags": {MARK: [], "Name": "edge"}}
    assert known(checked) == {"internal": False, "subnets": [{"id": "subnet-1"}], "tags": {"Name": "edge"}}


@pytest.mark.parametrize("value", ["open", {"open": True}, True])
def test_a_value_of_that_name_which_is_no_list_is_somebodys_own_and_stays(value: object) -> None:
    assert known({MARK: value}) == {MARK: value}


def test_an_unknown_list_of_that_name_stays_unknown() -> None:
    assert is_unknown(known({MARK: UNKNOWN_SENTINELS[0]})[MARK])


def test_what_is_secret_beside_a_list_of_what_was_filled_in_stays_secret() -> None:
    read = known({MARK: [], "secretString": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hush"'}})
    with pytest.raises(UnknownValueError, match="secretString is secret"):
        bool(next(unknowns(read)))
