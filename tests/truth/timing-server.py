"""
An MCP server (Streamable HTTP, session era) that knows how long each call really took: from the moment when the kernel
had the request (SO_TIMESTAMPNS), however late this program reads it, until the answer was written.

    timing-server.py MILLISECONDS       each call of the tool `work` takes so long; 0: answered at once

Linux only. Prints {"listening": {"url": ...}} as one line. GET /truth answers with {"calls": [...], "shared": n}, one
entry a call: [its argument `number`, ms since 1970 when it arrived, least ms, most ms]: the write of its answer began
after the least, and was over after the most. The kernel stamps what is read together with one time, so a client must not
send a second request on a connection before its answer; `shared` counts those that did.
"""
import heapq
import json
import resource
import select
import socket
import struct
import sys
import time
import uuid

SO_TIMESTAMPNS = 35
LIFE_SECONDS = 600
RESULTS = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "timing", "version": "1"},
    },
    "ping": {},
    "tools/list": {"tools": [{"name": "work", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": [{"type": "text", "text": "ok"}]},
}

delay_ns = int(float(sys.argv[1]) * 1e6)
calls = []
shared = 0
connections = {}
# Answers to be given: (time, number of the entry, connection, message, arrival).
due = []
entries = 0


class Connection:
    def __init__(self, peer):
        self.peer = peer
        self.waiting = b""

    def send(self, status, value=None, headers=""):
        body = b"" if value is None else json.dumps(value).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {len(body)}\r\n\r\n"
        try:
            self.peer.sendall(head.encode() + body)
        except OSError:
            pass

    def read(self):
        """Returns whether it is still open."""
        global shared
        try:
            data, ancillary, _, _ = self.peer.recvmsg(65536, 256)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        arrived_ns = time.time_ns()
        for level, kind, stamp in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", stamp[:16])
                arrived_ns = seconds * 1_000_000_000 + nanoseconds
        self.waiting += data
        requests = 0
        while (request := self.take()) is not None:
            requests += 1
            self.handle(*request, arrived_ns)
        shared += max(0, requests - 1)
        return True

    def take(self):
        """The next whole request: its head and its body."""
        end = self.waiting.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.waiting[:end].decode("latin1")
        length = next((int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")), 0)
        if len(self.waiting) < end + 4 + length:
            return None
        body = self.waiting[end + 4 : end + 4 + length]
        self.waiting = self.waiting[end + 4 + length :]
        return head, body

    def handle(self, head, body, arrived_ns):
        global entries
        if head.startswith("GET /truth"):
            return self.send("200 OK", {"calls": calls, "shared": shared})
        if head.startswith("GET"):
            return self.send("405 Method Not Allowed")
        if head.startswith("DELETE"):
            return self.send("200 OK")
        message = json.loads(body)
        if "id" not in message:
            return self.send("202 Accepted")
        if message["method"] != "tools/call":
            session = f"mcp-session-id: {uuid.uuid4()}\r\n" if message["method"] == "initialize" else ""
            return self.send("200 OK", answer_to(message), session)
        entries += 1
        entry = (time.time_ns() + delay_ns, entries, self, message, arrived_ns)
        return give(entry) if delay_ns == 0 else heapq.heappush(due, entry)


def answer_to(message):
    return {"jsonrpc": "2.0", "id": message["id"], "result": RESULTS.get(message["method"], {})}


def give(entry):
    _, _, connection, message, arrived_ns = entry
    began_ns = time.time_ns()
    connection.send("200 OK", answer_to(message))
    number = int(message["params"].get("arguments", {}).get("number", -1))
    calls.append([number, arrived_ns / 1e6, (began_ns - arrived_ns) / 1e6, (time.time_ns() - arrived_ns) / 1e6])


def serve():
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    listener = socket.socket()
    # Sockets that are accepted inherit it, so that their first bytes have a stamp, too.
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    epoll = select.epoll()
    epoll.register(listener.fileno(), select.EPOLLIN)
    host, port = listener.getsockname()
    print(json.dumps({"listening": {"url": f"http://{host}:{port}"}}, separators=(",", ":")), flush=True)
    # Where the test that started it was killed.
    end_ns = time.time_ns() + LIFE_SECONDS * 1_000_000_000
    while (now_ns := time.time_ns()) < end_ns:
        while due and due[0][0] <= now_ns:
            give(heapq.heappop(due))
        wait = max(0, due[0][0] - time.time_ns()) / 1e9 if due else 1
        for number, _ in epoll.poll(wait):
            if number == listener.fileno():
                peer, _ = listener.accept()
                peer.setblocking(False)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[peer.fileno()] = Connection(peer)
                epoll.register(peer.fileno(), select.EPOLLIN)
            elif not connections[number].read():
                epoll.unregister(number)
                connections.pop(number).peer.close()


serve()
