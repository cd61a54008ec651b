"""A daemon that speaks TLS, and a certificate for it."""

import http.client
import socket
import ssl
import subprocess

import harness
from harness import PATIENCE


def make_certificate(folder, name, algorithm):
    """A self-signed certificate of 127.0.0.1 and its key, as files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


class TlsServer(harness.Server):
    """A daemon that speaks TLS, and clients that believe its certificate."""

    def __init__(self, cert, key, *options):
        super().__init__("--tls-cert", str(cert), "--tls-key", str(key), "--drain", "0", *options)
        self.context = ssl.create_default_context(cafile=str(cert))

    def connect(self):
        return http.client.HTTPSConnection(*self.address, timeout=PATIENCE, context=self.context)

    def open(self, context=None):
        """A socket after its handshake."""
        sock = socket.create_connection(self.address, timeout=PATIENCE)
        return (context or self.context).wrap_socket(sock, server_hostname="127.0.0.1")
