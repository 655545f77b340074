"""Every image of the lab, under the names that manifests and charts use."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lab import settings
from lab.commands import run
from lab.digests import digest
from lab.oci import Image, merged, write
from lab.parts import CERT_MANAGER, ENVOY_GATEWAY, ISTIO
from lab.settings import CACHE

USERS: Final = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nnginx:x:101:101::/tmp:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n"
GROUP: Final = "root:x:0:\nnogroup:x:65534:\nnginx:x:101:\nistio-proxy:x:1337:\n"
TRUST: Final = "/etc/ssl/certs/ca-certificates.crt"
NOBODY: Final = "65532:65532"
BOOKINFO: Final = ("productpage-v1", "details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3")
TOOLS: Final = (
    "/usr/bin/bash",
    "/usr/bin/cat",
    "/usr/bin/ls",
    "/usr/bin/sleep",
    "/usr/bin/mkdir",
    "/usr/bin/env",
    "/usr/bin/id",
    "/usr/bin/rm",
    "/usr/bin/cp",
)
TABLES: Final = tuple(
    f"/usr/sbin/{family}{variant}{word}"
    for family in ("iptables", "ip6tables")
    for variant in ("-nft",)
    for word in ("", "-save", "-restore")
)
GRACEFULLY: Final = "SIGQUIT"
"""As in the published images of nginx, which by SIGTERM drops what it has begun."""
_VERSION: Final = "1"
"""Changes when images are put together in another way."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the contents of images come from; each folder is named by its content."""

    debian: Path
    wheels: Path
    programs: Mapping[str, Path]
    """Our builds' programs, by name."""
    bootstrap: Path
    """Template of sidecars' Envoy configuration."""
    rules: Path
    """The firewall's rule set."""
    trust: Path
    """Certificates of the authorities that images trust, in a file named by its content."""

    def program(self, name: str) -> Path:
        """Return a program that was built."""
        return self.programs[name]

    @property
    def envoy(self) -> Path:
        """Return Envoy."""
        return self.wheels / "envoy" / "_bin" / "envoy"


def images(s: Sources) -> list[Image]:
    """Return every image of the lab."""
    return [_with_common(image, s) for image in (*_cluster(s), *_platform(s), *_services(s))]


def archive(image: Image) -> Path:
    """Return the archive of an image, written once for each content."""
    target = CACHE / "images" / f"{key(image)}.tar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".draft")
        write(image, draft)
        draft.rename(target)
    return target


def key(image: Image) -> str:
    """Return the name of an image's content."""
    return digest((_VERSION, *image.key_parts()))


def forget_all_but(kept: Iterable[Image]) -> None:
    """Remove archives of images that are no longer used."""
    wanted = {f"{key(image)}.tar" for image in kept}
    for file in (CACHE / "images").glob("*"):
        if file.name not in wanted:
            file.unlink()


def _with_common(image: Image, s: Sources) -> Image:
    """Add what every image has: users, trusted authorities."""
    return replace(
        image,
        texts={"/etc/passwd": USERS, "/etc/group": GROUP, "/etc/nsswitch.conf": "hosts: files dns\n", **image.texts},
        files={TRUST: s.trust, **image.files},
        links={"/usr/bin/sh": "bash", **image.links} if "/usr/bin/bash" in image.files else image.links,
    )


def _cluster(s: Sources) -> Iterator[Image]:
    yield Image(names=(settings.SANDBOX_IMAGE,), entrypoint=("/pause",), user="65535:65535", files={"/pause": s.program("pause")})
    for name, program in (
        (settings.COREDNS_IMAGE, "coredns"),
        (settings.METRICS_IMAGE, "metrics-server"),
        (settings.COLLECTOR_IMAGE, "collector"),
    ):
        yield Image(names=(name,), entrypoint=(f"/{program}",), user=NOBODY, files={f"/{program}": s.program(program)})
    for part in ("controller", "webhook", "cainjector", "startupapicheck"):
        files = {"/app/cert-manager": s.program("cert-manager")}
        yield Image(
            names=(f"quay.io/jetstack/cert-manager-{part}:{CERT_MANAGER}",),
            entrypoint=("/app/cert-manager", part),
            user="1000",
            files=files,
        )


def _platform(s: Sources) -> Iterator[Image]:
    tools = _programs(s, TOOLS)
    envoy = {"/usr/local/bin/envoy": s.envoy, **_libraries(s, s.envoy)}
    curl = _programs(s, ("/usr/bin/curl",))
    yield Image(
        names=(f"registry.istio.io/release/pilot:{ISTIO}",),
        entrypoint=("/usr/local/bin/pilot-discovery",),
        user="1337:1337",
        files={**tools, "/usr/local/bin/pilot-discovery": s.program("pilot-discovery")},
    )
    extensions = {
        str(merged(f"/{file.relative_to(s.debian)}")): file for file in (s.debian / "usr/lib/x86_64-linux-gnu/xtables").glob("*.so")
    }
    yield Image(
        names=(f"registry.istio.io/release/proxyv2:{ISTIO}",),
        entrypoint=("/usr/local/bin/pilot-agent",),
        user="1337:1337",
        files={
            **tools, **curl, **envoy, **extensions, **_programs(s, ("/usr/sbin/xtables-nft-multi", "/usr/sbin/nft")),
            "/usr/local/bin/pilot-agent": s.program("pilot-agent"),
            "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": s.bootstrap,
        },
        links={name: "xtables-nft-multi" for table in TABLES for name in (table, table.replace("-nft", ""))},
    )  # fmt: skip
    yield Image(
        names=(f"docker.io/envoyproxy/gateway:{ENVOY_GATEWAY}",),
        entrypoint=("/usr/local/bin/envoy-gateway",),
        user=NOBODY,
        files={**tools, "/usr/local/bin/envoy-gateway": s.program("envoy-gateway")},
        folders=("/var/lib/eg",),
    )
    yield Image(
        names=("docker.io/envoyproxy/envoy:distroless-v1.39.1",),
        entrypoint=("/usr/local/bin/envoy",),
        user=NOBODY,
        files={**tools, **curl, **envoy},
    )
    nginx = {**tools, **_programs(s, ("/usr/sbin/nginx", "/usr/bin/curl")), "/etc/nginx/mime.types": s.debian / "etc/nginx/mime.types"}
    waf = Path("usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
    rules = {f"/opt/owasp-crs/rules/{file.name}": file for file in s.rules.iterdir()}
    yield Image(
        names=("docker.io/owasp/modsecurity-crs:4.28.0-nginx-alpine-202607160307",),
        user="101",
        files={**nginx, **rules, f"/{waf}": s.debian / waf, **_libraries(s, s.debian / waf)},
        # Where the published image has its modules: relative to the prefix that its nginx was built with.
        links={"/etc/nginx/modules": "/usr/lib/nginx/modules", "/usr/share/nginx/modules": "/usr/lib/nginx/modules"},
        folders=("/var/lib/nginx", "/var/log/nginx"),
        stop_signal=GRACEFULLY,
    )
    folders = ("/var/lib/nginx", "/var/log/nginx")
    yield Image(
        names=("docker.io/nginxinc/nginx-unprivileged:1.29.1-alpine",),
        entrypoint=("/usr/sbin/nginx",),
        user="101",
        files=nginx,
        stop_signal=GRACEFULLY,
        folders=folders,
    )
    redis = _programs(s, ("/usr/bin/redis-server", "/usr/bin/redis-cli"))
    yield Image(
        names=("docker.io/library/redis:8.2.1-alpine",), entrypoint=("/usr/bin/redis-server",), user="999", files={**tools, **redis}
    )
    yield Image(
        names=("docker.io/envoyproxy/ratelimit:8fe6ea42",),
        entrypoint=("/bin/ratelimit",),
        user=NOBODY,
        files={**tools, "/usr/bin/ratelimit": s.program("ratelimit")},
    )


def _services(s: Sources) -> Iterator[Image]:
    podinfo = {**_programs(s, (*TOOLS, "/usr/bin/curl")), "/home/app/podinfo": s.program("podinfo")}
    yield Image(
        names=("ghcr.io/stefanprodan/podinfo:6.9.2",), entrypoint=("/home/app/podinfo",), user="100", workdir="/home/app", files=podinfo
    )
    # The echo is started by the command that the manifests have for podinfo.
    echo = {"/home/app/podinfo": s.program("echo")}
    yield Image(names=(settings.ECHO_IMAGE,), entrypoint=("/home/app/podinfo",), user="100", workdir="/home/app", files=echo)
    bookinfo = tuple(f"docker.io/istio/examples-bookinfo-{name}:1.20.3" for name in BOOKINFO)
    yield Image(
        names=bookinfo, entrypoint=("/home/app/podinfo", "--port=9080", "--grpc-port=0"), user="1000", workdir="/home/app", files=echo
    )
    probe = _programs(
        s, (*TOOLS, "/usr/bin/curl", "/usr/bin/openssl", "/usr/bin/seq", "/usr/bin/base64", "/usr/bin/xargs", "/usr/bin/grep")
    )
    yield Image(names=(settings.PROBE_IMAGE,), entrypoint=("/usr/bin/sleep", "infinity"), user=NOBODY, workdir="/tmp", files=probe)  # noqa: S108 # in the image


def _programs(s: Sources, programs: Iterable[str]) -> dict[str, Path]:
    """Return Debian programs with the libraries that they load."""
    found: dict[str, Path] = {}
    for name in programs:
        source = (s.debian / name.lstrip("/")).resolve()
        found[name] = source
        found.update(_libraries(s, source))
    return found


_LOADED: Final[dict[Path, dict[str, Path]]] = {}


def _libraries(s: Sources, program: Path) -> dict[str, Path]:
    """Return what the dynamic loader would load for a program, by path in the image."""
    if program not in _LOADED:
        loader = s.debian / "usr/lib64/ld-linux-x86-64.so.2"
        text = run("images", (loader, "--library-path", s.debian / "usr/lib/x86_64-linux-gnu", "--list", program))
        libraries = {f"/usr/lib/x86_64-linux-gnu/{Path(path).name}": Path(path).resolve() for path in re.findall(r"=> (/\S+) \(0x", text)}
        _LOADED[program] = {"/usr/lib64/ld-linux-x86-64.so.2": loader.resolve(), **libraries}
    return _LOADED[program]


def trust(debian: Path, authority: Path) -> Path:
    """Return a file with the world's authorities and the lab's own, named by its content."""
    text = "".join(file.read_text() for file in sorted((debian / "usr/share/ca-certificates").rglob("*.crt"))) + authority.read_text()
    target = CACHE / "trust" / f"{digest((text,))}.crt"
    if not target.exists():
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(parents=True)
        target.write_text(text)
    return target
