"""A Telegram that takes and gives one large file, as fast as the peer goes:
what the row "transfer" measures against. Prints its port, then one line of
JSON for each body: {"what": "upload" or "download", "seconds": s, "bytes": n}
from the end of the request's head to the last byte.

    file_server.py FILE MESSAGE…
"""
import json
import os
import socket
import sys
import threading
import time

CHUNK = 1 << 20
ME = {"id": 4242, "is_bot": True, "first_name": "Bench",
      "username": "bench_bot"}
CHAT = {"id": 7, "type": "private", "first_name": "Ann"}


def update(number, text):
    return {"update_id": number, "message": {
        "message_id": number, "date": 1700000000, "chat": CHAT, "text": text,
        "from": {"id": 7, "is_bot": False, "first_name": "Ann"}}}


class Server:
    def __init__(self, path, messages):
        self.path, self.size = path, os.path.getsize(path)
        first = time.time_ns() // 1000000  # no number that the folder has seen
        self.updates = [update(first + i, text)
                        for i, text in enumerate(messages)]

    def result(self, method, params):
        if method == "getUpdates":
            offset = params.get("offset", 0)
            waiting = [u for u in self.updates if u["update_id"] >= offset]
            if not waiting and params.get("timeout"):
                time.sleep(60)  # the bench is over before
            return waiting
        if method == "getMe":
            return ME
        if method == "getWebhookInfo":
            return {"url": "", "pending_update_count": 0}
        if method == "getFile":
            return {"file_id": "F", "file_unique_id": "U",
                    "file_path": "documents/f.bin", "file_size": self.size}
        return {"message_id": 1, "date": 1700000000, "chat": CHAT,
                "document": {"file_id": "F", "file_unique_id": "U"}}

    def take(self, peer, length, spare):
        """Reads a body; keeps none of it if it is large."""
        began, left = time.perf_counter(), length - len(spare)
        buffer, body = bytearray(CHUNK), bytearray(spare)
        while left > 0:
            n = peer.recv_into(buffer, min(CHUNK, left))
            if n == 0:
                return None
            left -= n
            if length < CHUNK:
                body += buffer[:n]
        if length >= CHUNK:
            self.tell("upload", began, length)
        return bytes(body)

    def give(self, peer):
        began = time.perf_counter()
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                     self.size)
        with open(self.path, "rb") as file:
            peer.sendfile(file)
        self.tell("download", began, self.size)

    @staticmethod
    def tell(what, began, size):
        print(json.dumps({"what": what, "bytes": size,
                          "seconds": time.perf_counter() - began}), flush=True)

    def serve(self, peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        spare = b""
        while True:
            while b"\r\n\r\n" not in spare:
                data = peer.recv(65536)
                if not data:
                    return
                spare += data
            head, spare = spare.split(b"\r\n\r\n", 1)
            target = head.split()[1].decode()
            length = next((int(line.split(b":")[1])
                           for line in head.lower().split(b"\r\n")
                           if line.startswith(b"content-length:")), 0)
            if b"100-continue" in head.lower():
                peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = self.take(peer, length, spare)
            if body is None:
                return
            spare = b""
            if target.startswith("/file/"):
                self.give(peer)
                continue
            params = json.loads(body) if body.startswith(b"{") else {}
            answer = json.dumps({"ok": True, "result": self.result(
                target.rsplit("/", 1)[1], params)}).encode()
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json"
                         b"\r\nContent-Length: %d\r\n\r\n" % len(answer) +
                         answer)


def main():
    server = Server(sys.argv[1], sys.argv[2:])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=server.serve, daemon=True,
                             args=(listener.accept()[0],)).start()


if __name__ == "__main__":
    main()
