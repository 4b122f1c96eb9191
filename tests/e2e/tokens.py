"""Tokens that assay mints and assayd takes: kinds of keys, rights, rotation, forgeries. tokens.py ASSAY ASSAYD"""

import base64
import json
import secrets
import subprocess
import sys

from assay_e2e import Assay, Server, check, eventually, scratch

KINDS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ed": ["-algorithm", "ed25519"],
    "next": ["-algorithm", "ed25519"],
}


class Issuer:
    """Key files, the key set that the server reads, and tokens."""

    def __init__(self, assay, root):
        self.assay, self.root = assay, root
        for name, how in KINDS.items():
            subprocess.run(["openssl", "genpkey", "-quiet", *how, "-out", self.file(name)], check=True)
        with open(self.file("secret"), "w") as out:
            out.write(secrets.token_urlsafe(48) + "\n")
        self.keys = f"{root}/keys.json"

    def file(self, name):
        return f"{self.root}/{name}.pem"

    def publish(self, *names):
        given = [word for name in names for word in ("--key-file", self.file(name))]
        with open(self.keys, "w") as out:
            out.write(self.assay.run("token", "jwks", *given).stdout)

    def mint(self, name, profile, *more, issuer="ci", audience="assay"):
        key = "--secret-file" if name == "secret" else "--key-file"
        return self.assay.run("token", "mint", key, self.file(name), "--issuer", issuer, "--audience", audience,
                              "--profile", profile, *more).stdout.strip()


def make_profile(assay, url, role):
    body = {"profiles": [{"name": f"a {role}", "role": role}]}
    made = assay.json("profiles", "create", "--body", json.dumps(body), "--url", url)
    return made["results"][0]["profile_id"]


def part(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def check_refused(assay, url, token, why):
    denied = assay.run("tests", "list", "--url", url, "--key", token, expect=1)
    check(why in denied.stderr, f"expected '{why}': {denied.stderr}")


def check_rights(assay, issuer, url, profiles):
    def create(token, expect):
        return assay.run("departments", "create", "--body", '{"departments": [{"name": "d"}]}', "--url", url,
                         "--key", token, expect=expect)

    create(issuer.mint("ed", profiles["administrator"]), 0)
    check("permission" in create(issuer.mint("ed", profiles["learner"]), 1).stderr, "a learner may create")
    narrowed = issuer.mint("ed", profiles["administrator"], "--role", "learner")
    check("permission" in create(narrowed, 1).stderr, "a narrowed token may create")
    risen = issuer.mint("ed", profiles["learner"], "--role", "administrator")
    check("permission" in create(risen, 1).stderr, "a token widens its profile's rights")


def check_forgeries(assay, issuer, url, profile):
    good = issuer.mint("ed", profile)
    head, body, signature = good.split(".")
    other = issuer.mint("ed", profile, "--ttl", "1234").split(".")
    check_refused(assay, url, f"{other[0]}.{other[1]}.{signature}", "signature")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    check_refused(assay, url, f"{none}.{body}.", "algorithm")
    check_refused(assay, url, issuer.mint("next", profile), "key is not known")
    check_refused(assay, url, issuer.mint("ed", profile, issuer="other"), "issuer")
    check_refused(assay, url, issuer.mint("ed", profile, audience="other"), "audience")
    check_refused(assay, url, issuer.mint("ed", "0192f0c0-0000-7000-8000-000000000000"), "profile")
    check_refused(assay, url, issuer.mint("ed", profile, "--claim", "nbf=32503680000"), "not valid yet")
    brief = issuer.mint("ed", profile, "--ttl", "1")
    eventually(lambda: "expired" in assay.run("tests", "list", "--url", url, "--key", brief, expect=None).stderr,
               "a token does not expire")


def check_rotation(assay, issuer, server, profile):
    old, new = issuer.mint("ed", profile), issuer.mint("next", profile)
    check_refused(assay, server.url, new, "key is not known")
    issuer.publish("next")
    server.reload()
    eventually(lambda: assay.run("tests", "list", "--url", server.url, "--key", new, expect=None).returncode == 0,
               "a new key is not read")
    check_refused(assay, server.url, old, "key is not known")
    with open(issuer.keys, "w") as out:
        out.write("no key set")
    server.reload()
    assay.run("tests", "list", "--url", server.url, "--key", new)


def check_usage(assay, issuer, server_program):
    profile = "0192f0c0-0000-7000-8000-000000000000"
    named = ["--issuer", "ci", "--audience", "assay", "--profile", profile]
    assay.run("token", "mint", *named, expect=2)
    assay.run("token", "mint", "--key-file", issuer.file("ed"), "--ttl", "0", *named, expect=2)
    lost = assay.run("token", "mint", "--key-file", f"{issuer.root}/none.pem", *named, expect=1)
    check("cannot read" in lost.stderr, lost.stderr)
    text = open(issuer.file("secret")).read()
    mistaken = assay.run("token", "mint", "--key-file", issuer.file("secret"), *named, expect=1)
    check(text[:20] not in mistaken.stderr, "an error shows a secret")
    assay.run("token", "jwks", "--key-file", issuer.file("ed"), "--key-file", issuer.file("ed"), expect=1)
    for flags in (["--token-keys", issuer.keys], ["--token-issuer", "ci"]):
        done = subprocess.run([server_program, "--data", str(assay.data), *flags], capture_output=True, text=True)
        check(done.returncode == 2 and "--token-" in done.stderr, f"{flags}: {done.returncode} {done.stderr}")


def main(program, server_program):
    root, clean = scratch()
    try:
        assay = Assay(program, root)
        issuer = Issuer(assay, root)
        issuer.publish("rsa", "ec", "ed")
        check("PRIVATE" not in open(issuer.keys).read() and '"d"' not in open(issuer.keys).read(), "a private part")
        check_usage(assay, issuer, server_program)
        log = f"{root}/access.log"
        with Server(server_program, assay, "--token-keys", issuer.keys, "--token-secret-file",
                        issuer.file("secret"), "--token-issuer", "ci", "--token-audience", "assay",
                        "--token-leeway", "0", "--log", log) as server:
            profiles = {role: make_profile(assay, server.url, role) for role in ("administrator", "learner")}
            tokens = [issuer.mint(kind, profiles["learner"]) for kind in ("rsa", "ec", "ed", "secret")]
            for token, algorithm in zip(tokens, ("RS256", "ES256", "EdDSA", "HS256")):
                check(part(token, 0)["alg"] == algorithm, f"{part(token, 0)} is not {algorithm}")
                assay.run("tests", "list", "--url", server.url, "--key", token)
            check_rights(assay, issuer, server.url, profiles)
            check_forgeries(assay, issuer, server.url, profiles["learner"])
            check_rotation(assay, issuer, server, profiles["learner"])
        logged = open(log).read()
        check(logged and not any(t.split(".")[2] in logged for t in tokens), "a token stands in the access log")
    finally:
        clean()


if __name__ == "__main__":
    main(*sys.argv[1:])
