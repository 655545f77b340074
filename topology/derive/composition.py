"""One JSON answer made from several services: nginx asks them in parallel (server-side includes) and puts their answers together.

A part that fails, or answers with anything but success, becomes `null`. A part must answer with a body: nginx cannot tell a success
without one (204) from a finished answer. The client's query is not passed on; its identity and request id are.
"""

from collections.abc import Iterator
from typing import Any, Final

from topology.derive import draining, names
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.derive.workloads import (
    CONFIG_ANNOTATION,
    RESTRICTED_CONTAINER,
    SCRATCH,
    SCRATCH_MOUNT,
    SPREAD,
    Images,
    config_digest,
    deployment_name,
    places,
    pod_labels,
    pod_template,
    resources,
)
from topology.model.base import ServiceName
from topology.model.door import Composition
from topology.model.service import Resources
from topology.model.system import COMPOSITION_PORT

DIRECTORY: Final = "/etc/composition"
VERSION: Final = "v1"
"""A composition has one version, which follows from the topology."""

NO_ANSWER: Final = " ".join(map(str, [*range(300, 309), *range(400, 432), 451, *range(500, 512)]))
"""Statuses that are no answer to compose: nginx wants each by number."""

CONFIG: Final = """\
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {{
  worker_connections 1024;
}}
http {{
  server_tokens off;
  access_log off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  default_type application/json;
  proxy_http_version 1.1;
  proxy_pass_request_body off;
  proxy_intercept_errors on;
  proxy_connect_timeout 2s;
  proxy_read_timeout {timeout};
  server {{
    listen {port};
    root {directory};
    location / {{
      limit_except GET {{
        deny all;
      }}
      ssi on;
      ssi_types application/json;
      ssi_silent_errors on;
      error_page 403 405 = @refused;
      try_files /answer.json =404;
    }}
    location @refused {{
      return 405;
    }}
    location = /none {{
      internal;
      return 200 "null";
    }}
{parts}
  }}
}}
"""

PART: Final = """\
    location = /part/{key} {{
      internal;
      error_page {no_answer} =200 /none;
      proxy_pass http://{host}:{port}{path};
      proxy_set_header Host {host};
      proxy_set_header Connection "";
      proxy_set_header Accept-Encoding "";
      proxy_set_header Content-Length "";
      proxy_set_header If-None-Match "";
      proxy_set_header If-Modified-Since "";
      proxy_set_header Range "";
    }}"""

TIMEOUT: Final = "15s"


def configuration(r: Relations, composition: Composition) -> dict[str, str]:
    """Return the files of a composition: nginx's configuration and the answer with its gaps."""
    parts = [
        PART.format(no_answer=NO_ANSWER, key=key, host=names.address(r.t, part.service), port=r.port(part.service), path=part.path)
        for key, part in composition.parts.items()
    ]
    config = CONFIG.format(port=COMPOSITION_PORT, directory=DIRECTORY, timeout=TIMEOUT, parts="\n".join(parts))
    gaps = [f'"{key}":<!--# include virtual="/part/{key}" -->' for key in composition.parts]
    return {"nginx.conf": config, "answer.json": f"{{{','.join(gaps)}}}"}


def workload(r: Relations, name: ServiceName, images: Images) -> Iterator[Manifest]:
    """Yield what runs a composition: its configuration, and a Deployment in each datacenter."""
    composition, namespace = r.t.compositions[name], r.t.namespace_of(name)
    files = configuration(r, composition)
    yield manifest("v1", "ConfigMap", name, namespace, labels={names.APP_LABEL: name}, data=files)
    for place in places(r.t):
        labels = pod_labels(r.t, name, VERSION, place)
        volumes = [SCRATCH, {"name": "composition", "configMap": {"name": name}}]
        template = pod_template(labels, name, _container(name, images.composition), spread=SPREAD["zones"], volumes=volumes, place=place)
        template["metadata"] = {
            "labels": {**labels, **names.trust_label(r.t, r.t.mesh_of(name))},
            "annotations": {CONFIG_ANNOTATION: config_digest(files)},
        }
        template = draining.served_out(template, TIMEOUT)
        spec = {"replicas": composition.replicas, "selector": {"matchLabels": labels}, "template": template}
        yield manifest("apps/v1", "Deployment", deployment_name(name, VERSION, place), namespace, spec, labels=labels)


def _container(name: ServiceName, image: str) -> dict[str, Any]:
    check = {"tcpSocket": {"port": COMPOSITION_PORT}}
    return {
        "name": name,
        "image": image,
        "command": ["nginx", "-c", f"{DIRECTORY}/nginx.conf", "-g", "daemon off;"],
        "ports": [{"name": "http", "containerPort": COMPOSITION_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": resources(Resources()),
        "volumeMounts": [SCRATCH_MOUNT, {"name": "composition", "mountPath": DIRECTORY, "readOnly": True}],
        "readinessProbe": {**check, "periodSeconds": 5},
        "livenessProbe": {**check, "periodSeconds": 15, "failureThreshold": 4},
    }
