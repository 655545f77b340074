def build(ports: dict[str, int]) -> int:
    return ports["gateway"]
