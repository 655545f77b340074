"""A project folder: what `Pulumi.yaml` and a stack file say, read as Pulumi reads them."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from planner import wire
from planner.documents import Document, load_document
from planner.errors import PlanError

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")
_ORGANIZATION = "organization"
"""What `pulumi.get_organization()` says where the state is kept by no service (`pkg/backend/diy`)."""

_CALLER = "config given by the caller"

_SCHEMA_KEYS = frozenset({"type", "description", "secret", "default", "value", "items"})
"""Keys by which an entry of `config` in Pulumi.yaml is a declaration and not a value (`workspace.ProjectConfigType`)."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program with everything the language host is told about it.

    Attributes:
        project: the project's name.
        stack: the stack's name.
        organization: what owns the stack.
        root: the absolute folder of Pulumi.yaml.
        folder: the absolute folder to run in.
        entry: what to run there: `.` for `__main__.py`, or a file.
        config: the value of each key `namespace:name`, as the engine hands it over: strings, objects as JSON.
        secret_keys: the keys whose value is a secret.
        stack_file: the stack's own configuration.
    """

    project: str
    stack: str
    organization: str
    root: Path
    folder: Path
    entry: str
    config: Mapping[str, str]
    secret_keys: tuple[str, ...]
    stack_file: Path


def load_program(root: Path, stack: str, overrides: Mapping[str, str]) -> Program:
    """Return a project's program for one of its stacks.

    Args:
        root: the folder of Pulumi.yaml.
        stack: the stack's name; its file is `<stackConfigDir>/Pulumi.<stack>.yaml`.
        overrides: values for config keys, in place of the file's. A key that is secret in the file stays secret.

    Raises:
        PlanError: with every reason for which there is no such program.
    """
    root = root.resolve()
    path, project = _project_file(root)
    settings = project.value
    findings = [*project.findings, *_project_findings(path, settings)]
    stack_folder = _stack_folder(root, settings)
    stack_file = _stack_file(stack_folder, stack)
    if stack_file is None:
        findings.append(f"{stack_folder / f'Pulumi.{stack}.yaml'}: there is no such file. {_known(stack, stack_folder)}")
    given = load_document(stack_file) if stack_file else Document(file=stack_folder, value={})
    stack_settings = given.value
    findings += given.findings
    if stack_settings.get("environment"):
        findings.append(
            f"{given.at('environment')}: `environment` takes values from Pulumi Cloud, which is out of reach here. Give them as config of the stack instead."
        )
    name = str(settings.get("name"))
    sources: list[tuple[Document | None, Mapping[str, Any]]] = [
        (project, _defaults(settings)),
        (given, _given(given, findings)),
        (None, overrides),
    ]
    config, secret_keys, more = _config(name, sources)
    folder, entry = _entry(root, path, settings, findings)
    if findings or more or stack_file is None:
        raise PlanError([*findings, *more])
    return Program(
        project=name,
        stack=stack,
        organization=_ORGANIZATION,
        root=root,
        folder=folder,
        entry=entry,
        config=config,
        secret_keys=secret_keys,
        stack_file=stack_file,
    )


def _project_file(root: Path) -> tuple[Path, Document]:
    path = next((file for name in _PROJECT_FILES if (file := root / name).is_file()), None)
    if path is None:
        raise PlanError([f"{root / _PROJECT_FILES[0]}: there is no such file. Give the folder of a Pulumi project."])
    return path, load_document(path)


def _project_findings(path: Path, settings: Mapping[str, Any]) -> list[str]:
    findings: list[str] = []
    if not isinstance(settings.get("name"), str):
        findings.append(f"{path}: `name` is missing or no text. A project has a name, for it is part of every urn.")
    runtime = settings.get("runtime")
    language = cast(Mapping[str, Any], runtime).get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        findings.append(f"{path}: runtime {language!r}: only Python programs can be planned. Write `runtime: python`.")
    return findings


def _legacy_stack_folder(settings: Mapping[str, Any]) -> str:
    """Return `config`, which named the folder of the stack files before `stackConfigDir` did."""
    config = settings.get("config")
    return config if isinstance(config, str) else ""


def stacks_of(root: Path) -> tuple[str, ...]:
    """Return the names of a project's stacks that have a file; none where its own file cannot be read."""
    try:
        _, project = _project_file(root.resolve())
    except PlanError:
        return ()
    return _stacks_in(_stack_folder(root.resolve(), project.value))


def _stack_folder(root: Path, settings: Mapping[str, Any]) -> Path:
    return root / str(settings.get("stackConfigDir") or _legacy_stack_folder(settings))


def _stack_file(folder: Path, stack: str) -> Path | None:
    return next((file for suffix in ("yaml", "yml") if (file := folder / f"Pulumi.{stack}.{suffix}").is_file()), None)


def _stacks_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(match[1] for file in folder.glob("Pulumi.*") if (match := re.fullmatch(r"Pulumi\.(.+)\.ya?ml", file.name))))


def _known(stack: str, folder: Path) -> str:
    names = _stacks_in(folder)
    near = difflib.get_close_matches(stack, names, n=1)
    meant = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{meant}Stacks with a file: {', '.join(names)}." if names else "No stack has a file there."


def _entry(root: Path, path: Path, settings: Mapping[str, Any], findings: list[str]) -> tuple[Path, str]:
    """Return where to run and what (`workspace.GetPwdMain`)."""
    main = root / str(settings.get("main") or "")
    folder, entry = (main, ".") if main.is_dir() else (main.parent, main.name)
    if not (main / "__main__.py" if main.is_dir() else main).is_file():
        findings.append(f"{path}: there is no program {main / '__main__.py' if main.is_dir() else main}. `main` names its folder or file.")
    return folder, entry


def _defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that Pulumi.yaml gives: `key: value`, or `value` or `default` of a declaration."""
    declared = settings.get("config")
    found: dict[str, Any] = {}
    for key, entry in cast(dict[str, Any], declared).items() if isinstance(declared, dict) else ():
        if isinstance(entry, dict) and cast(dict[str, Any], entry).keys() <= _SCHEMA_KEYS:
            declaration = cast(dict[str, Any], entry)
            if "value" in declaration or "default" in declaration:
                found[key] = declaration.get("value", declaration.get("default"))
        else:
            found[key] = entry
    return found


def _given(stack_file: Document, findings: list[str]) -> Mapping[str, Any]:
    given: object = stack_file.value.get("config") or {}
    if not isinstance(given, dict):
        findings.append(f"{stack_file.at('config')}: `config` holds no mapping. Expected keys with values, such as `shop:size: 3`.")
        return {}
    return cast(dict[str, Any], given)


def _config(
    project: str, sources: Iterable[tuple[Document | None, Mapping[str, Any]]]
) -> tuple[dict[str, str], tuple[str, ...], list[str]]:
    """Return values and secret keys of all sources, a later one's in place of an earlier one's, and what is wrong with them."""
    config: dict[str, str] = {}
    secrets: set[str] = set()
    findings: list[str] = []
    for source, entries in sources:
        for written, value in entries.items():
            key = _key(project, written)
            if key is None:
                place = source.at("config", str(written)) if source else _CALLER
                findings.append(f"{place}: {written!r} is no configuration key. Write `<namespace>:<name>`.")
                continue
            config[key], is_secret = _text(value)
            if is_secret:
                secrets.add(key)
    return config, tuple(sorted(secrets)), findings


def _key(project: str, written: object) -> str | None:
    """Return a key in its full form (`config.ParseKey`); one without a namespace is the project's."""
    parts = str(written).split(":")
    if len(parts) == 3 and parts[1] == "config":
        del parts[1]
    if len(parts) == 1:
        parts.insert(0, project)
    return ":".join(parts) if len(parts) == 2 and all(parts) else None


def _text(value: object) -> tuple[str, bool]:
    """Return a value as the engine hands it over and whether it is a secret: text as it is, everything else as JSON.

    What is encrypted in the file cannot be read here, so a placeholder takes its place.
    """
    plain, is_secret = _decrypted(value)
    if isinstance(plain, str):
        return plain, is_secret
    return json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False), is_secret


def _decrypted(value: object) -> tuple[object, bool]:
    if isinstance(value, dict):
        entries = cast(dict[object, object], value)
        if entries.keys() == {"secure"} and isinstance(entries["secure"], str):
            return wire.PLACEHOLDER, True
        members = {str(key): _decrypted(item) for key, item in entries.items()}
        return {key: item for key, (item, _) in members.items()}, any(secret for _, secret in members.values())
    if isinstance(value, list):
        items = [_decrypted(item) for item in cast(list[object], value)]
        return [item for item, _ in items], any(secret for _, secret in items)
    return value, False
