"""Caches of other makers, each with a configuration and a folder of its own, that end with us."""

import os
import pathlib
import socket
import tempfile
import time

from replicas import harness, own_address

# Each with its command. A squid's name is that of what it shares in memory, beside others on the machine.
SQUID = """http_port {listen}:{port} accel defaultsite=fmixd no-vhost
cache_peer {host} parent {origin} 0 no-query no-digest originserver name=fmixd
http_access allow all
cache_peer_access fmixd allow all
cache_mem 64 MB
maximum_object_size_in_memory 8 MB
memory_cache_shared off
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
pid_filename {folder}/pid
cache_log {folder}/errors
access_log none
cache_store_log none
coredump_dir {folder}
""", "/usr/sbin/squid", "-N", "-n", "fmixd{name}", "-f", "{folder}/conf"

HAPROXY = """global
    maxconn 100
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
cache answers
    total-max-size 64
    max-object-size 8000000
    process-vary on
frontend clients
    bind {folder}/socket
    http-request cache-use answers
    http-response cache-store answers
    default_backend fmixd
backend fmixd
    server fmixd {host}:{origin}
""", "/usr/sbin/haproxy", "-db", "-f", "{folder}/conf"

# As it comes varnish keeps nothing that says no-cache: here it asks for it again.
VARNISH = ("""vcl 4.1;
backend fmixd {{ .host = "{host}"; .port = "{origin}"; }}
sub vcl_backend_response {{
    if (beresp.http.Cache-Control ~ "no-cache" && beresp.http.ETag) {{
        set beresp.ttl = 1ms;
        set beresp.grace = 0s;
        set beresp.keep = 1h;
        return (deliver);
    }}
}}
""", "/usr/sbin/varnishd", "-F", "-j", "none", "-n", "{folder}/work",
           "-a", "{folder}/socket", "-f", "{folder}/conf", "-s", "malloc,64m")


class Cache:
    """A program that keeps answers of the daemon, with a folder of its own, which ends with us."""

    def __init__(self, origin, text, command):
        self.keeper = tempfile.TemporaryDirectory()
        folder = self.keeper.name
        os.chmod(folder, 0o777)  # squid gives up being root
        self.folder = folder
        self.listen, _, self.port = own_address().partition(":")
        host, port = origin
        self.names = {"folder": folder, "listen": self.listen, "port": self.port, "host": host, "origin": port,
                      "name": self.listen.replace(".", "")}
        pathlib.Path(folder, "conf").write_text(text.format(**self.names), encoding="utf-8")
        self.output = open(f"{folder}/output", "wb")
        self.process = harness.spawn([part.format(**self.names) for part in command], self.output)
        self.await_listener()

    def await_listener(self):
        """Returns once it takes connections."""
        deadline = time.monotonic() + harness.PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.05)
        said = self.said()
        self.stop()
        raise RuntimeError(said)

    def connect(self):
        """A connection to it: to its socket, if it has one in its folder."""
        if self.port_is_used():
            return socket.create_connection((self.listen, int(self.port)), harness.PATIENCE)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(harness.PATIENCE)
        try:
            sock.connect(f"{self.folder}/socket")
        except OSError:
            sock.close()
            raise
        return sock

    def port_is_used(self):
        """Whether its configuration names the port, and not a socket."""
        return f":{self.port} " in pathlib.Path(self.folder, "conf").read_text(encoding="utf-8")

    def said(self):
        """What it complains of."""
        return "\n".join(path.read_text(errors="replace")
                         for name in ("output", "errors")
                         if (path := pathlib.Path(self.folder, name)).exists())

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(harness.PATIENCE)
        self.output.close()
        self.keeper.cleanup()
