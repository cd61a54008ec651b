"""Replicas behind nginx, as deploy/nginx has them."""

import os
import pathlib
import random
import socket
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))

import harness  # noqa: E402

NGINX = "/usr/sbin/nginx"
MAIN = """daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/fmixd.conf;
}}
"""


def configure(folder, replicas, changed):
    """nginx's whole configuration there: as shipped but for what is changed,
    with these replicas. The path of its main file."""
    text = (ROOT / "deploy/nginx/fmixd.conf").read_text()
    for theirs, ours in {"/var/cache/nginx/fmixd": f"{folder}/cache",
                         **changed}.items():
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, ours)
    pathlib.Path(folder, "fmixd.conf").write_text(text)
    pathlib.Path(folder, "fmixd-replicas").write_text(replicas)
    main = pathlib.Path(folder, "main.conf")
    main.write_text(MAIN.format(folder=folder))
    return str(main)


def on_loopback(replicas):
    """What deploy/nginx/fmixd-replicas says, of replicas elsewhere."""
    text = (ROOT / "deploy/nginx/fmixd-replicas").read_text()
    for i, replica in enumerate(replicas):
        theirs = f"127.0.0.1:{8081 + i} "
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, "{}:{} ".format(*replica.address))
    return text


def own_address(port=18080):
    """One that nobody else has, nor gets while its owner is away: of the loopback addresses, which
    are millions, a random one, of which no connection of anybody's comes."""
    a, b, c = (random.SystemRandom().randrange(2, 254) for _ in range(3))
    return f"127.{a}.{b}.{c}:{port}"


class Nginx:
    """nginx with the shipped configuration, but for what is changed, on a
    socket of its own or at an address, which ends with us."""

    def __init__(self, folder, replicas, changed=None, listen=None):
        self.folder, self.path = folder, f"{folder}/socket"
        self.listen = listen or f"unix:{self.path}"
        main = configure(folder, on_loopback(replicas), {
            "listen 8080;": f"listen {self.listen};", **(changed or {})})
        self.process = harness.spawn([NGINX, "-p", folder, "-c", main,
                                      "-e", f"{folder}/errors"])
        harness.until(lambda: self.listens() or self.process.poll() is not None, self.errors)
        if self.process.poll() is not None:
            raise RuntimeError(self.errors())

    def listens(self):
        """Whether it takes connections; its socket has a name some time before."""
        try:
            self.connect().close()
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def errors(self):
        """What it complains of."""
        return pathlib.Path(self.folder, "errors").read_text()

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(harness.PATIENCE)

    def connect(self):
        """A connection to it."""
        if self.address:
            return socket.create_connection(self.address, harness.PATIENCE)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(harness.PATIENCE)
        sock.connect(self.path)
        return sock

    @property
    def address(self):
        """Host and port, where it has them."""
        host, _, port = self.listen.rpartition(":")
        return (host, int(port)) if host != "unix" else None

    def get(self, target, fields="", sock=None):
        """Head and body of one answer, which may be cut off."""
        own = sock or self.connect()
        try:
            own.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"
                        .encode())
            return harness.read_reply(own)
        finally:
            if not sock:
                own.close()
