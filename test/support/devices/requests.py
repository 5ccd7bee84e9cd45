"""Writes the bytes that MicroPython's `requests` (micropython-lib) writes for a post, in its versions up to 0.9 (HTTP/1.0,
called `urequests`) and from 0.10 on (HTTP/1.1). As there, the length is len(data), and Host goes without the port."""

import base64
import os
import socket


class Response:
    def __init__(self, status, content):
        self.status_code = status
        self.content = content

    def close(self):
        pass


def post(url, data, headers, auth):
    _, _, host, path = url.split("/", 3)
    host, port = host.split(":")
    login = base64.b64encode(":".join(auth).encode()).decode()
    body = data if isinstance(data, bytes) else data.encode()
    if os.environ["REQUESTS_VERSION"] == "0.9":
        lines = ["POST /%s HTTP/1.0" % path, "Host: " + host]
        lines += ["%s: %s" % item for item in headers.items()]
        lines += ["Authorization: Basic " + login, "Content-Length: %d" % len(data), "Connection: close"]
    else:
        lines = ["POST /%s HTTP/1.1" % path]
        lines += ["%s: %s" % item for item in headers.items()]
        lines += ["Authorization: Basic " + login, "Host: " + host, "Content-Length: %d" % len(data), "Connection: close"]
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    answer = b""
    while True:
        piece = connection.recv(4096)
        if not piece:
            break
        answer += piece
    head, content = answer.split(b"\r\n\r\n", 1)
    # It reads no chunks.
    assert b"transfer-encoding" not in head.lower()
    return Response(int(head.split()[1]), content)
