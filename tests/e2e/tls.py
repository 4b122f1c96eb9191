"""assayd's TLS listener: versions, reload, what it refuses, limits. tls.py ASSAY ASSAYD"""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

from assay_e2e import Assay, Server, check, eventually, scratch


def make_certificate(root, serial):
    """A certificate of its own for 127.0.0.1; replaces the one before."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-set_serial", str(serial), "-subj", "/CN=assay", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", f"{root}/new.key", "-out", f"{root}/new.crt"], check=True, capture_output=True)
    os.replace(f"{root}/new.key", f"{root}/tls.key")
    os.replace(f"{root}/new.crt", f"{root}/tls.crt")


class Peer:
    """What talks to the server; trusts the certificate in the file as it is now."""

    def __init__(self, root, url):
        self.root = root
        self.address = (urllib.parse.urlsplit(url).hostname, urllib.parse.urlsplit(url).port)

    def context(self, version=None):
        out = ssl.create_default_context(cafile=f"{self.root}/tls.crt")
        if version:
            # Debian's default allows nothing below 1.2 either; the server is what is to refuse it.
            out.set_ciphers("ALL:@SECLEVEL=0")
            out.minimum_version = out.maximum_version = version
        return out

    def plain(self, timeout=30):
        return socket.create_connection(self.address, timeout=timeout)

    def connect(self, version=None, protocols=None):
        context = self.context(version)
        if protocols:
            context.set_alpn_protocols(protocols)
        return context.wrap_socket(self.plain(), server_hostname="127.0.0.1")

    def http(self):
        return http.client.HTTPSConnection(*self.address, context=self.context(), timeout=30)

    def serial(self):
        with self.connect() as made:
            return int(made.getpeercert()["serialNumber"], 16)


def refused(connect):
    try:
        connect().close()
    except (ssl.SSLError, ConnectionError):
        return True
    return False


def check_versions(peer):
    check(refused(lambda: peer.connect(ssl.TLSVersion.TLSv1_1)), "TLS 1.1 is taken")
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with peer.connect(version) as made:
            check(made.version() == name, f"{made.version()}, not {name}")
            cipher = made.cipher()[0]
            check("GCM" in cipher or "CHACHA20" in cipher, f"{name} with {cipher}")
    weak = peer.context(ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    check(refused(lambda: weak.wrap_socket(peer.plain(), server_hostname="127.0.0.1")), "a weak cipher is taken")


def check_protocols(peer):
    with peer.connect(protocols=["h2", "http/1.1"]) as made:
        check(made.selected_alpn_protocol() == "http/1.1", f"ALPN {made.selected_alpn_protocol()}")
    check(refused(lambda: peer.connect(protocols=["h2"])), "h2 is taken")


def check_requests(assay, peer, key):
    connection = peer.http()
    body = '{"departments": [{"name": "%s"}]}' % ("x" * 200)
    for _ in range(3):  # one connection for all
        connection.request("POST", "/department/create", body=body, headers={
            "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        check(answer.status == 200 and answer.read(), f"{answer.status}")
    connection.close()
    # A head that is refused while more is coming is answered, and the end is no cut.
    with peer.connect() as made:
        made.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 40000)
        seen = b""
        while more := made.recv(65536):
            seen += more
        check(seen.startswith(b"HTTP/1.1 431"), seen[:100])
    assay.env["SSL_CERT_FILE"] = f"{peer.root}/tls.crt"
    url = f"https://127.0.0.1:{peer.address[1]}"
    check(assay.json("departments", "search", "--url", url)["total_count"] == 3, "assay does not speak TLS")


def check_plain(peer):
    with peer.plain() as made:
        made.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        seen = b""
        while more := made.recv(65536):
            seen += more
    check(seen.startswith(b"HTTP/1.1 400") and b"https://" in seen, seen[:200])
    with peer.plain() as made:
        made.sendall(b"\x00" * 300)
        while made.recv(65536):
            pass


def check_slow_handshakes(peer):
    """Neither a silent peer nor one that stops in the middle is waited for."""
    began = time.monotonic()
    silent, partial = peer.plain(60), peer.plain(60)
    partial.sendall(b"\x16\x03\x01\x02\x00\x01")
    for made in (silent, partial):
        while made.recv(65536):
            pass
        made.close()
    check(time.monotonic() - began < 40, "a handshake may take too long")


def check_reload(peer, server):
    check(peer.serial() == 1, "the first certificate is not shown")
    old = peer.http()
    old.request("GET", "/healthz")
    check(old.getresponse().read(), "no answer")
    make_certificate(peer.root, 2)
    server.reload()
    eventually(lambda: not refused(peer.connect) and peer.serial() == 2, "the new certificate is not shown")
    old.request("GET", "/healthz")  # the connection from before goes on
    check(old.getresponse().read(), "a connection was dropped")
    old.close()
    kept = open(f"{peer.root}/tls.crt").read()
    with open(f"{peer.root}/tls.crt", "w") as out:
        out.write("no certificate")
    server.reload()
    time.sleep(0.5)
    with open(f"{peer.root}/tls.crt", "w") as out:
        out.write(kept)
    check(peer.serial() == 2, "a bad file took the certificate away")


def check_usage(program, root, data):
    def start(*flags):
        return subprocess.run([program, "--data", f"{data}-none", *flags], capture_output=True, text=True, timeout=60)

    pair = ["--tls-cert", f"{root}/tls.crt", "--tls-key", f"{root}/tls.key"]
    check(start(*pair[:2]).returncode == 2, "a certificate without a key")
    check(start("--listen", "0.0.0.0:0").returncode == 2, "another address without TLS")
    check(start("--admin-listen", "0.0.0.0:0", *pair).returncode == 2, "the admin listener has no TLS")
    for flags in (["--tls-cert", f"{root}/tls.key", "--tls-key", f"{root}/tls.key"],
                  ["--tls-cert", f"{root}/tls.crt", "--tls-key", f"{root}/other.key"]):
        done = start("--listen", "127.0.0.1:0", *flags)
        check(done.returncode == 1 and "TLS" in done.stderr and "PRIVATE" not in done.stderr, done.stderr)


def main(program, server_program):
    root, clean = scratch()
    try:
        assay = Assay(program, root)
        make_certificate(root, 1)
        subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "ed25519", "-out", f"{root}/other.key"], check=True)
        check_usage(server_program, root, assay.data)
        with Server(server_program, assay, "--tls-cert", f"{root}/tls.crt", "--tls-key", f"{root}/tls.key") as server:
            check(server.url.startswith("https://"), server.url)
            peer = Peer(root, server.url)
            check_versions(peer)
            check_protocols(peer)
            check_requests(assay, peer, open(f"{assay.data}/admin.key").read().strip())
            check_plain(peer)
            check_reload(peer, server)
            check_slow_handshakes(peer)
    finally:
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
