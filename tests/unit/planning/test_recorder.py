"""The recorder sees what an engine would see, and one run leaves no trace in the next."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import cast

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random
import pytest
from pulumi_kubernetes.core.v1 import ConfigMap, Service, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from planning.fakes import UnknownProviderError
from planning.monitor import DuplicateUrnError, UnexpectedInvokeError
from planning.recorder import record
from planning.recording import UNKNOWN
from tests.harness import programs


def test_urns_name_every_ancestor() -> None:
    recording = record(programs.nested)
    assert recording["outer-inner-config"].urn == (
        "urn:pulumi:test::elab::elab:test:Outer$elab:test:Inner$kubernetes:core/v1:ConfigMap::outer-inner-config"
    )


def test_options_are_recorded() -> None:
    recording = record(programs.nested)
    config = recording["outer-inner-config"]
    assert recording["outer-inner-password"].protect
    assert recording["outer-inner-key"].retain_on_delete
    assert config.aliases == ("name=old",)
    assert config.timeouts == {"create": "5m"}
    assert config.ignore_changes == ("data",)
    assert config.parent == recording["outer-inner"].urn
    assert config.dependencies == (recording["outer-inner-secret"].urn,)
    assert config.provider.startswith(recording["cluster"].urn + "::")


def test_inputs_are_resolved_through_outputs_of_other_resources() -> None:
    assert record(programs.nested)["outer-inner-config"].inputs["data"] == {"secret": "see keys"}


def test_secrets_are_unwrapped_and_remembered() -> None:
    recording = record(
        programs.nested,
        config={"elab:ldap_bind_password": "hunter-two"},
        secret_keys=frozenset({"elab:ldap_bind_password"}),
    )
    secret = recording["outer-inner-secret"]
    assert len(secret.inputs["stringData"]["password"]) == 20
    assert len(bytes.fromhex(secret.inputs["stringData"]["key"])) == 32
    assert secret.secret_paths == {("stringData",)}
    assert {*secret.inputs["stringData"].values(), "hunter-two"} <= recording.secrets
    assert recording.outputs == {"bind": "hunter-two", "plain": "text"}
    assert recording.secret_outputs == {"bind"}


def test_two_runs_agree_even_in_their_order() -> None:
    first, second = (record(programs.nested).resources for _ in range(2))
    assert first == second


def test_a_component_that_registers_no_outputs_is_noticed() -> None:
    def program() -> None:
        pulumi.ComponentResource("elab:test:Silent", "silent")
        programs.Outer("outer")

    recording = record(program)
    assert recording["silent"].urn not in recording.registered_outputs
    assert recording["outer"].urn in recording.registered_outputs


def test_whole_numbers_are_ints() -> None:
    def program() -> None:
        Service(
            "s",
            metadata=ObjectMetaArgs(name="s"),
            spec=ServiceSpecArgs(session_affinity="None", health_check_node_port=3),
        )

    assert repr(record(program)["s"].inputs["spec"]["healthCheckNodePort"]) == "3"


def test_a_preview_leaves_what_only_an_up_can_know_unknown() -> None:
    recording = record(programs.nested, preview=True)
    assert recording["outer-inner-secret"].inputs["stringData"] is UNKNOWN
    assert recording["outer-inner-config"].inputs["data"] == {"secret": "see keys"}


def test_two_resources_of_one_urn_are_refused() -> None:
    def program() -> None:
        ConfigMap("same")
        ConfigMap("same")

    with pytest.raises(DuplicateUrnError, match="ConfigMap::same"):
        record(program)


def test_an_invoke_is_refused() -> None:
    def program() -> None:
        pulumi.export("x", pulumi.Output.from_input(pulumi.runtime.invoke("cloud:index:getZones", {}).value))

    with pytest.raises(UnexpectedInvokeError, match="getZones"):
        record(program)


def test_a_resource_of_an_unknown_provider_is_refused() -> None:
    def program() -> None:
        pulumi.CustomResource("cloud:index:Disk", "disk", {"size": 1})

    with pytest.raises(UnknownProviderError, match="cloud:index:Disk"):
        record(program)


def test_an_output_in_an_f_string_is_refused() -> None:
    def program() -> None:
        first = ConfigMap("first", metadata=ObjectMetaArgs(name="first"))
        ConfigMap("second", data={"name": f"{first.metadata.name}"})

    with pytest.raises(Exception, match="Calling __str__ on an Output"):
        record(program)
    assert "PULUMI_ERROR_OUTPUT_STRING" not in os.environ


def test_what_the_program_raises_reaches_the_caller() -> None:
    def program() -> None:
        raise LookupError("from the program")

    with pytest.raises(LookupError, match="from the program"):
        record(program)


def test_what_a_function_of_an_output_raises_reaches_the_caller() -> None:
    def program() -> None:
        config = ConfigMap("config", metadata=ObjectMetaArgs(name="config"))
        config.metadata.name.apply(lambda name: {}[name])
        ConfigMap("other", data={"name": config.metadata.name})

    with pytest.raises(KeyError, match="config"):
        record(program)


def test_an_output_that_the_program_waits_for_beside_is_recorded() -> None:
    async def late() -> str:
        await asyncio.sleep(0.01)
        return "late"

    def program() -> None:
        first = ConfigMap("first", metadata=ObjectMetaArgs(name="first"), data={"when": late()})
        ConfigMap("second", data={"when": first.data.apply(lambda data: data["when"])})

    assert record(program)["second"].inputs["data"] == {"when": "late"}


def test_a_run_leaves_pythons_own_settings_alone() -> None:
    record(programs.claim)
    with pytest.raises(ZeroDivisionError):
        record(lambda: _drop(cast(pulumi.Resource, 1 // 0)))
    assert gc.isenabled()
    assert not hasattr(sys, "tracebacklimit")


@pytest.mark.parametrize("ending", [SystemExit, ZeroDivisionError, pulumi.RunError])
def test_a_run_that_an_error_ends_leaves_nothing_that_waits(
    ending: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_data: object) -> None:
        raise ending("of the test")

    def program() -> None:
        first = ConfigMap("first", data={"a": "b"})
        pulumi.export("never", first.data.apply(end))
        ConfigMap("second", data={"a": first.data.apply(lambda data: data["a"])})

    # What other tests have left is not this run's, and takes a second to look through.
    gc.freeze()
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    with pytest.raises(ending):
        record(program)
    gc.collect()
    assert [str(one) for one in complaints] == []


def test_a_stack_transformation_does_not_leak_into_the_next_run() -> None:
    def label(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        return pulumi.ResourceTransformationResult(
            {**args.props, "immutable": True} if args.type_.endswith("ConfigMap") else args.props, args.opts
        )

    def transformed() -> None:
        pulumi.runtime.register_stack_transformation(label)
        ConfigMap("c")

    assert record(transformed)["c"].inputs["immutable"] is True
    assert "immutable" not in record(lambda: _drop(ConfigMap("c")))["c"].inputs


def _drop(_resource: pulumi.Resource) -> None:
    """Lets a lambda end in None, as programs do."""


def test_a_main_file_runs_as_main_with_its_configuration(tmp_path: Path) -> None:
    main = tmp_path / "__main__.py"
    main.write_text(
        "import pulumi\n"
        "assert __name__ == '__main__'\n"
        "pulumi.export('size', pulumi.Config('elab').require_object('hub')['size'])\n"
        "pulumi.export('stack', pulumi.get_stack())\n"
    )
    recording = record(main, stack="prod", config={"elab:hub": '{"size": 3}'})
    assert recording.outputs == {"size": 3, "stack": "prod"}


def test_a_looked_up_resource_is_not_managed() -> None:
    recording = record(lambda: _drop(ConfigMap.get("existing", "kube-system/settings")))
    assert recording["existing"].read
    assert list(recording.kubernetes()) == []


def test_an_unnamed_object_gets_a_name_as_the_provider_would_give() -> None:
    def program() -> None:
        first = ConfigMap("first")
        ConfigMap("second", data={"name": first.metadata.name})

    assert record(program)["second"].inputs["data"]["name"].startswith("first-")


def test_a_provider_keeps_its_settings() -> None:
    recording = record(lambda: _drop(k8s.Provider("p", enable_config_map_mutable=True)))
    assert recording["p"].inputs["enableConfigMapMutable"] == "true"
    assert not recording["p"].is_kubernetes


def test_warnings_of_the_program_are_kept() -> None:
    assert [(m.severity, m.text) for m in record(programs.claim).messages] == [("warning", "1Gi is small")]


def test_a_random_value_stays_secret_wherever_it_goes() -> None:
    def program() -> None:
        password = pulumi_random.RandomPassword("password", length=20)
        ConfigMap("careless", data={"file": pulumi.Output.concat("password: ", password.result)})

    assert record(program)["careless"].secret_paths == {("data", "file")}


def test_a_run_leaves_the_callers_runtime_alone() -> None:
    record(programs.nested, stack="other", config={"elab:size": "3"})
    assert pulumi.Config("elab").get("size") is None
    assert pulumi.get_stack() != "other"
    assert pulumi.runtime.get_root_resource() is None


def test_a_run_does_not_see_the_callers_runtime() -> None:
    pulumi.runtime.set_all_config({"elab:size": "3"})
    pulumi.runtime.settings.set_root_resource(cast(pulumi.Resource, object()))
    recording = record(lambda: pulumi.export("size", pulumi.Config("elab").get("size")))
    assert recording.outputs == {}
