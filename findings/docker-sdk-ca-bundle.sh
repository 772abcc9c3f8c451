#!/usr/bin/env bash
# Docker's SDK for Python: REQUESTS_CA_BUNDLE goes before the ca_cert of a TLSConfig.
#
# Versions:   docker 7.2.0, requests 2.34.2, urllib3 2.8.0; CPython 3.11, Linux
# Documented: "ca_cert (str): Path to CA cert file."
#             https://docker-py.readthedocs.io/en/stable/tls.html
# Behaviour:  TLSConfig sets the attribute `verify` of the client, which is a requests.Session. A
#             session prefers REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE of the environment to that
#             attribute, as each request has verify=None. So a daemon with an authority of its own,
#             which is how Docker's documentation sets up TLS, is refused on hosts that name
#             another bundle for the web. The docker command takes no notice of these variables.
#             Setting `client.trust_env = False` afterwards is too late for version="auto", which
#             makes a request in the constructor.
# Output:     without REQUESTS_CA_BUNDLE: the daemon answers
#             with REQUESTS_CA_BUNDLE:    certificate verify failed
# Where met:  https://github.com/psf/requests/issues/3829 ("Session.verify=False ignored when
#             REQUESTS_CA_BUNDLE environment variable is set"): companies set it for their proxies
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  docker==7.2.0 requests==2.34.2 urllib3==2.8.0 certifi==2025.11.12
cd "$work"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=daemon \
  -addext subjectAltName=IP:127.0.0.1 2>/dev/null
venv/bin/python - <<'PROGRAM'
import http.server
import json
import os
import ssl
import sys
import threading

import certifi
import docker


class Daemon(http.server.BaseHTTPRequestHandler):
    """As much of a daemon as the SDK asks for when it connects."""

    def do_GET(self):
        body = json.dumps({"ApiVersion": "1.44", "Version": "28"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()


def answer():
    """Return what comes of a client that is told the daemon's own authority."""
    tls = docker.tls.TLSConfig(ca_cert="cert.pem", verify=True)
    try:
        docker.APIClient(f"tcp://127.0.0.1:{server.server_port}", version="auto", tls=tls).close()
    except docker.errors.DockerException as error:
        return "certificate verify failed" if "CERTIFICATE_VERIFY_FAILED" in str(error) else str(error)
    return "the daemon answers"


for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)
without = answer()
os.environ["REQUESTS_CA_BUNDLE"] = certifi.where()
with_bundle = answer()
print(f"without REQUESTS_CA_BUNDLE: {without}")
print(f"with REQUESTS_CA_BUNDLE:    {with_bundle}")
sys.exit(0 if (without, with_bundle) == ("the daemon answers", "certificate verify failed") else 1)
PROGRAM
