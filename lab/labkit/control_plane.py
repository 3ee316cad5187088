"""etcd, API server, controller manager and scheduler: what a cluster without a node consists of."""

import ssl
import subprocess
import urllib.request

from . import pki, processes, settings

API_SERVER = ("etcd", "kube-apiserver")
DAEMONS = (*API_SERVER, "kube-controller-manager", "kube-scheduler")


def kubectl(*args: str, check: bool = False, text: str | None = None) -> str:
    """What kubectl prints, as administrator; `text` goes to its standard input."""
    return subprocess.run(
        [settings.BIN / "kubectl", f"--kubeconfig={pki.kubeconfig('admin')}", *args],
        check=check,
        text=True,
        input=text,
        stdout=subprocess.PIPE,
    ).stdout


def start_api_server(address: str, with_node: bool) -> None:
    """Start etcd and the API server, which listens on `address`."""
    client_url, peer_url = (f"http://127.0.0.1:{port}" for port in (settings.ETCD_PORT, settings.ETCD_PEER_PORT))
    processes.start(
        "etcd",
        [
            settings.BIN / "etcd",
            "--name=lab",
            f"--data-dir={settings.STATE / 'etcd'}",
            "--log-level=warn",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=lab={peer_url}",
            "--unsafe-no-fsync",
        ],
    )
    processes.start(
        "kube-apiserver",
        [
            settings.BIN / "kube-apiserver",
            f"--etcd-servers={client_url}",
            f"--bind-address={address}",
            f"--secure-port={settings.API_PORT}",
            f"--advertise-address={settings.NODE_IP}",
            # Without a node there is no one to whom the Service `kubernetes` could lead.
            f"--endpoint-reconciler-type={'lease' if with_node else 'none'}",
            f"--service-cluster-ip-range={settings.SERVICE_CIDR}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--anonymous-auth=true",
            f"--client-ca-file={pki.path('ca.crt')}",
            f"--tls-cert-file={pki.path('apiserver.crt')}",
            f"--tls-private-key-file={pki.path('apiserver.key')}",
            f"--kubelet-certificate-authority={pki.path('ca.crt')}",
            f"--kubelet-client-certificate={pki.path('apiserver-kubelet-client.crt')}",
            f"--kubelet-client-key={pki.path('apiserver-kubelet-client.key')}",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.path('service-account.pub')}",
            f"--service-account-signing-key-file={pki.path('service-account.key')}",
            f"--requestheader-client-ca-file={pki.path('front-proxy-ca.crt')}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.path('front-proxy-client.crt')}",
            f"--proxy-client-key-file={pki.path('front-proxy-client.key')}",
            f"--cert-dir={settings.STATE / 'apiserver'}",
        ],
    )


def start_controllers() -> None:
    """Start the controller manager and the scheduler; the API server must be ready."""
    processes.start(
        "kube-controller-manager",
        [
            settings.BIN / "kube-controller-manager",
            *_client_flags("controller-manager"),
            "--use-service-account-credentials=true",
            f"--root-ca-file={pki.path('ca.crt')}",
            f"--service-account-private-key-file={pki.path('service-account.key')}",
            f"--cluster-signing-cert-file={pki.path('ca.crt')}",
            f"--cluster-signing-key-file={pki.path('ca.key')}",
            f"--cert-dir={settings.STATE / 'controller-manager'}",
        ],
    )
    processes.start(
        "kube-scheduler",
        [
            settings.BIN / "kube-scheduler",
            *_client_flags("scheduler"),
            f"--cert-dir={settings.STATE / 'scheduler'}",
            # On an idle cluster the scheduler can miss that a claim was bound; look again sooner than in five minutes.
            "--pod-max-in-unschedulable-pods-duration=10s",
        ],
    )


def _client_flags(name: str) -> list[str]:
    config = pki.kubeconfig(name)
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    ]


def api_ready(address: str) -> bool:
    """Whether the API server at `address` says that it is ready."""
    context = ssl.create_default_context(cafile=pki.path("ca.crt"))
    context.load_cert_chain(pki.path("admin.crt"), pki.path("admin.key"))
    url = f"https://{address}:{settings.API_PORT}/readyz"
    try:
        with urllib.request.urlopen(url, context=context, timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False
