"""Everything that a table does not accept is named."""

from policies.reading.allowed_values import ANY, unaccepted

TABLE = {"image": r"docker\.io/.*", "labels.*": ANY, "ports.*.name": ANY, "debug": "false"}


def test_accepted_values_are_silent() -> None:
    value = {"image": "docker.io/a:1", "labels": {"example.com/a.b": "c"}, "ports": [{"name": "x"}], "debug": False}
    assert list(unaccepted(value, TABLE)) == []


def test_another_value_is_named_with_its_path() -> None:
    assert list(unaccepted({"image": "images.example/a:1", "debug": True}, TABLE)) == [("image", "images.example/a:1"), ("debug", "true")]


def test_another_field_is_named_without_its_value() -> None:
    assert list(unaccepted({"extra": {"deep": [1]}}, TABLE)) == [("extra.deep.0", "")]


def test_a_star_inside_a_path_stands_for_one_part_alone() -> None:
    assert list(unaccepted({"ports": [{"target": {"name": "x"}}]}, TABLE)) == [("ports.0.target.name", "")]


def test_an_empty_mapping_counts_where_it_means_something() -> None:
    assert list(unaccepted({"http3": {}}, TABLE)) == []
    assert list(unaccepted({"http3": {}}, TABLE, empty=True)) == [("http3.", "")]


def test_a_key_with_a_dot_is_not_the_path_that_it_spells() -> None:
    table = {"tls.enabled": "true", "x.*.y": ANY, "labels.example.com/a": ANY}
    assert list(unaccepted({"x": {"a.y": 1}}, table)) == [(r"x.a\.y", "")]
    assert list(unaccepted({"x": {"a.b": {"y": 1}}}, table)) == []
    assert list(unaccepted({"tls.enabled": True}, table)) == [(r"tls\.enabled", "")]
    assert list(unaccepted({"tls": {"enabled": True}, "labels": {"example.com/a": "b"}}, table)) == []
