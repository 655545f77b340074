"""The OWASP Core Rule Set of the firewall's image, from a published Go module: Debian's is that of 2022."""

import re
import shutil
from pathlib import Path
from typing import Final

from lab.builder import download
from lab.digests import digest
from lab.parts import Module
from lab.settings import CACHE

MODULE: Final = Module(
    name="github.com/corazawaf/coraza-coreruleset/v4", version="v4.25.0", sum="h1:tqFO1lfVpTiyWtlN618OXpZMfw+nnN0Q4///W5W+/HM="
)

_STATEMENT: Final = re.compile(r"\n(?=[ \t]*Sec[A-Z])")


def spaced(text: str) -> str:
    """Return rules with an empty line before each statement.

    The module leaves such lines out; libmodsecurity then reads the statement after a rule without actions as its actions.
    """
    return _STATEMENT.sub("\n\n", text)


def rule_set(toolchain: Path) -> Path:
    """Return the folder of the rules and their data; made once.

    Raises:
        LabError: the module cannot be had.
    """
    folder = CACHE / "rules" / digest((MODULE.name, MODULE.version, MODULE.sum, _STATEMENT.pattern))
    if not folder.is_dir():
        source = download("firewall rules", MODULE, toolchain) / "rules" / "@owasp_crs"
        draft = folder.with_name(f".{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for file in source.iterdir():
            if file.suffix == ".conf":
                (draft / file.name).write_text(spaced(file.read_text()))
            else:
                shutil.copyfile(file, draft / file.name)
        draft.rename(folder)
    return folder
