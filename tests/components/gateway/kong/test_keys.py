import pytest

from components.gateway.kong.keys import algorithm

P256 = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHLt3oih27Yyi8LWeHhEQCRjbFUt8
Suwv+B5JB6N6UHeq+qEpQrY73NO/akNpoPPFhtpO9AvGxKcQNK/hK0aNzw==
-----END PUBLIC KEY-----
"""
KEYS = {
    "RS256": """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx517OhOxYmcQxaRwpOvS
pvh65CwkUqoB9Km1EkYBsXgnZ6vhYA1dDNjIuBGZHjf0niyWQWxmga0L3AXoDiz7
2mVIScTsQak303zN0iGW3DSIKhwvZ6wdYpIWq9aN/5akHelUpwvnepILcWddVdBc
RCPLZwJbJuPboTl8/+Gqzp54+2GUG+u9ljxsNqdzVJlaQ/kM0gbJa/ho3MMPN/O+
bEoTCQJ7AFnTh1DcbVG9xWriJ4O5wk7gXhkTFJ4qtvPiQo0QfhQzeHOfWB2vP0GJ
opPrUGzX/MfuGSdKzOmB7QGHV6ryUd53KMJK2XVH4peCR86G0oBH+NOYjkGcIj+A
OQIDAQAB
-----END PUBLIC KEY-----
""",
    "ES256": P256,
    "ES384": """\
-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEVyT79ndFSXTe0E5vdWmYAfIZJx9EuFuc
eZu1visfLAD8gsudGOOaPSZBJOLLdO63O+1Me/Kfi2Z4OT09XyDjyOpoSQbZbpwD
ShmmOIEXXqcQeg0RLHsAZhiOTAQRBHYt
-----END PUBLIC KEY-----
""",
    "ES512": """\
-----BEGIN PUBLIC KEY-----
MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBeCaRN1Xd4JZuKL9b5I61lMVmgRBe
KZIoCfLZnGCPzl05o3Flpd9G4BOSBU0RPxrMUcAGzHzcZ8nR8MwDoM2EQscARd7l
70jvTlT9RhY48IeWZeOJ3KoX3bB52S5Q2UQk8L4VfWTi+nL5iX9h1G3DCluZJ6hp
nhFg25srfX8YdAN31LI=
-----END PUBLIC KEY-----
""",
    "EdDSA": """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAoPtMe80aM436pc22+bTRgu0CZZ2+qiEK7nSUX/MbEf8=
-----END PUBLIC KEY-----
""",
}
UNUSABLE = {
    "Ed448, which Kong does not know": """\
-----BEGIN PUBLIC KEY-----
MEMwBQYDK2VxAzoABfNQozcgO3X57tb5Z7SNOrIb5MjfxCypkZpn6dqqoR0OegN0
90ia9X7Of3DY/8smURNFE4cQseoA
-----END PUBLIC KEY-----
""",
    "secp256k1, which Kong does not know": """\
-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEwRKzsSRe97fQMWGVRxsjqEGwinWCIrfi
9DAIloIZPyQNXQmuAbolwdIgzkUiIafzbD2YopdkYDLC+Wz29uB0Qg==
-----END PUBLIC KEY-----
""",
    "two keys": P256 + P256,
    "a private key": P256.replace("PUBLIC", "PRIVATE"),
    "a certificate": P256.replace("PUBLIC KEY", "CERTIFICATE"),
    "broken base64": P256.replace("==", "=*"),
    "base64 cut short": P256.replace("==", ""),
    "a word": "secret",
    "nothing": "",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_says_the_algorithm_of_its_signatures(name: str) -> None:
    assert algorithm(KEYS[name]) == name


def test_line_ends_and_space_around_a_key_do_not_matter() -> None:
    assert algorithm("\n  " + P256.replace("\n", "\r\n") + "\n") == "ES256"


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
def test_a_text_that_is_no_usable_key_has_no_algorithm(text: str) -> None:
    assert algorithm(text) is None
