"""Every reason for which there is no plan, and how it is said."""

from pathlib import Path

import pytest

from planner.errors import PlanError
from planner.program import plan_program
from planner.project import load_program
from tests.planner.running import HERE, findings


def test_a_urn_registered_twice_is_an_error_and_all_of_them_are_named():
    first, second = findings("twice")
    assert first.startswith("urn:pulumi:dev::twice::test:index:Part::a: registered twice.")
    assert second.startswith("urn:pulumi:dev::twice::test:index:Part::b: registered twice.")


def test_a_resource_without_a_provider_is_an_error_where_the_stack_forbids_default_ones():
    found = findings("default_provider", "strict")
    assert len(found) == 2
    assert "kubernetes:core/v1:ConfigMap::settings: missing provider: it names none for package kubernetes" in found[0]


def test_forbidding_the_default_provider_of_another_package_changes_nothing():
    plan_program(HERE / "programs" / "default_provider", "dev", {"pulumi:disable-default-providers": '["aws"]'})


def test_a_veto_that_is_no_list_is_an_error():
    assert findings("default_provider", config={"pulumi:disable-default-providers": "kubernetes"}) == (
        "config pulumi:disable-default-providers: 'kubernetes' is no list of packages. Write a list such as ['*'].",
    )


def test_an_unknown_invoke_is_named_once():
    (found,) = findings("unknown_invoke")
    assert found.startswith("unknown invoke aws:index/getRegion:getRegion: ")


def test_a_component_that_a_plugin_builds_cannot_be_planned():
    (found,) = findings("remote_component")
    assert found.startswith("kubernetes:helm.sh/v4:Chart 'istio' is a component that its provider's plugin builds")


def test_a_programs_error_is_shown_with_the_projects_own_lines():
    assert findings("raises") == (
        "the program raised KeyError: 'gateway'\n"
        '  __main__.py:5 in <module>\n    parts.build({"web": 80})\n'
        '  parts.py:2 in build\n    return ports["gateway"]',
    )


def test_an_error_in_apply_is_shown_with_the_projects_own_lines():
    (found,) = findings("raises_later")
    assert "invalid literal for int() with base 10: 'http'" in found
    assert found.endswith("  __main__.py:7 in port\n    return int(name)")
    assert "planner" not in found


def test_an_error_while_a_resource_is_registered_names_the_resource():
    (found,) = findings("bad_input")
    assert "While processing resource: 'a', type: 'test:index:Part'" in found
    assert "unexpected input of type object for size" in found


def test_a_syntax_error_is_shown_where_it_is(tmp_path: Path):
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    (tmp_path / "__main__.py").write_text("import part\n")
    (tmp_path / "part.py").write_text("\nimport = 1\n")
    with pytest.raises(PlanError) as caught:
        plan_program(tmp_path, "dev")
    (found,) = caught.value.findings
    assert found.startswith("the program raised SyntaxError: ")
    assert found.endswith("  part.py:2\n    import = 1")


def test_an_error_that_carries_findings_comes_through_with_all_of_them():
    assert findings("raises_findings") == ("a.yaml: services.cart: no owner", "a.yaml: services.pay: calls itself")


def test_an_output_that_never_gets_a_value_is_an_error_that_names_what_waits():
    (found,) = findings("pending")
    assert found.startswith("the program ends with outputs that never get a value. Waiting: test:index:Part 'waits'.")


def test_an_error_that_the_program_logs_makes_the_plan_fail():
    assert findings("logs_error") == ("the program logged an error: no certificate",)


def test_a_warning_that_the_program_logs_is_passed_on():
    assert plan_program(HERE / "programs" / "warns", "dev").messages == ("warning: the certificate expires soon",)


def test_a_program_that_ends_itself_has_no_plan():
    (found,) = findings("exits")
    assert found.startswith("the program called sys.exit(0).")


def test_a_program_that_takes_its_process_down_is_shown_with_what_it_printed():
    assert findings("crashes") == ("the program's process ended with code 7 before the program did.\nabout to fail",)


def test_an_unknown_stack_is_an_error_that_lists_the_known_ones():
    assert findings("everything", "nope") == (
        f"{HERE / 'programs/everything/stacks/Pulumi.nope.yaml'}: there is no such file. Stacks with a file: dev, prod.",
    )


def test_a_folder_without_a_project_is_an_error(tmp_path: Path):
    with pytest.raises(PlanError, match=r"Pulumi\.yaml: there is no such file\. Give the folder of a Pulumi project\."):
        plan_program(tmp_path, "dev")


def test_everything_wrong_with_a_project_is_said_at_once(tmp_path: Path):
    (tmp_path / "Pulumi.yaml").write_text("runtime: go\nmain: nowhere\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("environment: [shared]\nconfig:\n  a:b:c: 1\n")
    with pytest.raises(PlanError) as caught:
        plan_program(tmp_path, "dev")
    assert [finding.partition(": ")[2][:40] for finding in caught.value.findings] == [
        "`name` is missing or no text. A project ",
        "runtime 'go': only Python programs can b",
        "`environment` takes values from Pulumi C",
        "there is no program " + str(tmp_path / "nowhere")[:20],
        "'a:b:c' is no configuration key. Write `",
    ]


def test_a_stack_file_that_is_no_yaml_is_an_error(tmp_path: Path):
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: [\n")
    with pytest.raises(PlanError, match=r"Pulumi\.dev\.yaml:2: is not YAML: expected the node content"):
        plan_program(tmp_path, "dev")


def project(folder: Path, stack: str) -> Path:
    """Return a project with one stack that says this."""
    (folder / "Pulumi.yaml").write_text("name: a\nruntime: python\n", encoding="utf-8")
    (folder / "Pulumi.dev.yaml").write_text(stack, encoding="utf-8")
    (folder / "__main__.py").touch()
    return folder


def refused(folder: Path, stack: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        load_program(project(folder, stack), "dev", {})
    return [finding.removeprefix(f"{folder}/Pulumi.dev.yaml") for finding in caught.value.findings]


def test_keys_that_are_written_twice_are_all_said_with_both_lines(tmp_path: Path):
    assert refused(tmp_path, "config:\n  a:b: 1\n  a:c: {d: 1, d: 2}\n  a:b: [1]\nconfig: {}\n") == [
        ":3: a:c.d: is written twice, first on line 3. Merge the two.",
        ":4: a:b: is written twice, first on line 2. Merge the two.",
        ":5: config: is written twice, first on line 1. Merge the two.",
    ]


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (
            "config:\n\ta:b: 1\n",
            ":2: is not YAML: found character '\\t' that cannot start any token. Use spaces: the line is indented with a tab.",
        ),
        ("config:\n  a:b: !vault x\n", ":2: is not YAML: could not determine a constructor for the tag '!vault'."),
        ("config:\n  a:b: *gone\n", ":2: is not YAML: found undefined alias 'gone'."),
        ("config: &x\n  a:b: *x\n", ":2: holds an alias of a value inside of which it stands. Write the value."),
        ("a: 1\n---\nb: 2\n", ":2: is not YAML: expected a single document in the stream but found another document."),
        ("- a\n", ":1: holds no mapping. Expected keys with values, such as `name: shop`."),
        ("config:\n  a:b: 08\n", ":2: 08 cannot be read as a value. Write it in quotes."),
        ("config:\n  a:b: !!int x\n", ":2: x cannot be read as a value. Write it in quotes."),
        ("config:\n  a:b:c: 1\n", ":2: 'a:b:c' is no configuration key. Write `<namespace>:<name>`."),
        (f"a: {'[' * 100}{']' * 100}\n", ":1: is nested deeper than a stack is."),
        (f"a: {'[' * 5000}{']' * 5000}\n", ": is nested deeper than a stack is."),
    ],
)
def test_what_is_wrong_with_a_stack_file_is_said_at_its_line(tmp_path: Path, stack: str, said: str):
    assert refused(tmp_path, stack) == [said]


def test_aliases_of_aliases_make_no_gigabytes(tmp_path: Path):
    levels = [f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 10)}]" for each in range(1, 9)]
    (found,) = refused(tmp_path, "\n".join(["a0: &a0 [1]", *levels]))
    assert found.endswith("repeats more values by aliases than a stack has. Write them out.")


def test_aliases_and_merged_keys_are_read_as_pulumi_reads_them(tmp_path: Path):
    stack = "x: &x {d: 1, e: 2}\nconfig:\n  a:b: {<<: *x, e: 3}\n  a:c: *x\n"
    assert load_program(project(tmp_path, stack), "dev", {}).config == {"a:b": '{"d":1,"e":3}', "a:c": '{"d":1,"e":2}'}


def test_a_stack_that_is_misspelled_is_told_with_the_one_that_was_meant():
    (found,) = findings("everything", "prd")
    assert found.endswith('Did you mean "prod"? Stacks with a file: dev, prod.')


@pytest.mark.parametrize("stack", ["", "---\n", "# nothing yet\n"])
def test_an_empty_stack_file_configures_nothing(tmp_path: Path, stack: str):
    assert load_program(project(tmp_path, stack), "dev", {}).config == {}
