import pytest

from policies.reading.nginx_units import size, time


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("16k", 16_384), ("1M", 1024**2), ("1g", 1024**3), ("much", None), ("-1", None)])
def test_a_size_is_read_in_bytes(text: str, expected: int | None) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("60", 60), ("500ms", 0.5), ("1m", 60), ("1M", 2_592_000), ("1d", 86_400), ("1h 30m", None), ("soon", None)]
)
def test_a_length_of_time_is_read_in_seconds(text: str, expected: float | None) -> None:
    assert time(text) == expected
