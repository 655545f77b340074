"""One control plane for the whole session: starting it takes seconds."""

from collections.abc import Generator
from pathlib import Path

import pytest

from deploy.processes import Tools
from tests.deploy.cluster import cluster


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Generator[Tools]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    with cluster(folder) as running:
        yield running
