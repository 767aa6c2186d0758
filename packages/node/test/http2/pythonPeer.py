# A server over python3-h2, which judges each frame of the client by itself. It prints its port, then whatever it objects to.
# /echo gives back the size of what was sent, /size/N so many bytes in padded frames, /interim two interim responses and
# trailers, /settings changes what it allows before it responds, /goaway ends the connection after its response.
import asyncio
import json
import ssl
import sys

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

Codes = h2.settings.SettingCodes


class Peer(asyncio.Protocol):
    def __init__(self):
        self.conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))
        self.requests = {}
        self.waiting = {}

    def connection_made(self, transport):
        self.transport = transport
        self.conn.initiate_connection()
        self.flush()

    def flush(self):
        self.transport.write(self.conn.data_to_send())

    def data_received(self, data):
        try:
            for event in self.conn.receive_data(data):
                self.on(event)
        except h2.exceptions.ProtocolError as error:
            print("objects: %r" % error, flush=True)
            self.flush()
            return self.transport.close()
        self.flush()

    def on(self, event):
        if isinstance(event, h2.events.RequestReceived):
            headers = [(name, value if len(value) < 1000 else "%d characters" % len(value)) for name, value in event.headers]
            self.requests[event.stream_id] = {"headers": headers, "size": 0, "trailers": []}
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id]["size"] += len(event.data)
            self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.requests[event.stream_id]["trailers"] = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            self.respond(event.stream_id)
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            for stream_id in list(self.waiting):
                self.send(stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.waiting.pop(event.stream_id, None)

    def respond(self, stream_id):
        request = self.requests.pop(stream_id)
        path = dict(request["headers"])[":path"]
        conn = self.conn
        if path == "/settings":
            conn.update_settings({
                Codes.HEADER_TABLE_SIZE: 0, Codes.INITIAL_WINDOW_SIZE: 1000, Codes.MAX_FRAME_SIZE: 32768,
                Codes.MAX_CONCURRENT_STREAMS: 3
            })
        if path == "/interim":
            for status in ("103", "100"):
                conn.send_headers(stream_id, [(":status", status), ("link", "</a>")])
        conn.send_headers(stream_id, [(":status", "200"), ("x-path", path)])
        if path.startswith("/size/"):
            self.waiting[stream_id] = int(path[6:])
            return self.send(stream_id)
        body = json.dumps(request).encode()
        if path == "/interim":
            conn.send_data(stream_id, body)
            conn.send_headers(stream_id, [("x-sum", "1")], end_stream=True)
        else:
            conn.send_data(stream_id, body, end_stream=True)
        if path == "/goaway":
            conn.close_connection(last_stream_id=stream_id)

    def send(self, stream_id):
        left = self.waiting[stream_id]
        while left > 0:
            room = min(self.conn.local_flow_control_window(stream_id), self.conn.max_outbound_frame_size) - 100
            if room <= 0:
                break
            size = min(left, room)
            self.conn.send_data(stream_id, b"x" * size, pad_length=left % 90)
            left -= size
        self.waiting[stream_id] = left
        if left == 0:
            del self.waiting[stream_id]
            self.conn.end_stream(stream_id)


async def main():
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.set_alpn_protocols(["h2"])
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().connect_read_pipe(Ended, sys.stdin)
    await server.serve_forever()


class Ended(asyncio.Protocol):
    def connection_lost(self, _):
        asyncio.get_running_loop().stop()


try:
    asyncio.run(main())
except RuntimeError:
    pass
