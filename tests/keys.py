"""A public key for issuers that gateways know the keys of: an Ed25519 key in PEM, whose private half nobody has."""

PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAoPtMe80aM436pc22+bTRgu0CZZ2+qiEK7nSUX/MbEf8=
-----END PUBLIC KEY-----
"""
