import type * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import type * as TransportError from "@sluice/core/TransportError"
import type { HttpClientLayer } from "@sluice/node"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as net from "node:net"
import { failure, makeClient, turns, until } from "../client/support.js"
import { blackHoles, lookupOf } from "../network/support.js"
import { measured } from "./measured.js"
import { recording } from "./support.js"

// What an engineer sees at three in the morning: nineteen ways in which requests fail, and what is said of each. Every
// sentence has to say where it failed, why, and what to do; the same facts are there as data, and in JSON.

interface Outage {
  /** Where the request goes, and with which options. */
  readonly arrange: Effect.Effect<
    { readonly url: string; readonly options?: HttpClientLayer.Options },
    never,
    Scope.Scope
  >
  /** What is done with the client before. */
  readonly before?: (client: HttpClient.HttpClient, url: string) => Effect.Effect<unknown, unknown, Scope.Scope>
  /** It fails when the body is read. */
  readonly inBody?: boolean
  /** What passes on the clock before it fails, after the connection is being made. */
  readonly passes?: "1 second" | "5 seconds" | "20 seconds" | "30 seconds"
  readonly tag: TransportError.TransportError["_tag"]
  /** What a person needs to read. */
  readonly says: ReadonlyArray<string | RegExp>
  readonly data?: Readonly<Record<string, unknown>>
}

const loopback = "127.0.0.1"

/** What is printed of a person's secret, it must not be. */
const secret = "s3cret"

/** Does what the test says with every connection. */
const tcp = (onConnection: (socket: net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets = new Set<net.Socket>()
      const server = net.createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        onConnection(socket)
      })
      server.listen(0, loopback, () => {
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ port: (server.address() as net.AddressInfo).port, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const silent = tcp(() => {})

/** Responds with these bytes as soon as a request has come. */
const speaks = (bytes: string | Uint8Array) =>
  Effect.map(
    tcp((socket) =>
      socket.once("data", () => socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes))
    ),
    ({ port }) => ({
      url: `http://${loopback}:${port}/`
    })
  )

/** The look-up ends as the system's, or a resolver's, would. */
const resolves = (code: string, syscall = "getaddrinfo") => ({
  url: "http://a.test/",
  options: {
    lookup:
      ((host, _options, callback) =>
        callback(Object.assign(new Error(`${syscall} ${code} ${host}`), { code, syscall }), [])) as net.LookupFunction
  }
})

const tls = (certificate: "expired" | "unknown-authority" | "wrong-host") =>
  Effect.map(TestServer.make({ tls: { certificate }, replies: { "/": Reply.text("ok") } }), (server) => ({
    url: `${server.url}/`,
    options: { tls: { ca: server.ca! } }
  }))

/** What is there does not speak HTTP/2, which was asked for with prior knowledge. */
const insteadOfHttp2 = (
  name: string,
  bytes: string | Uint8Array,
  protocol: string | undefined,
  ...says: Outage["says"]
): [string, Outage] => [`with prior knowledge of HTTP/2: ${name}`, {
  arrange: Effect.map(speaks(bytes), ({ url }) => ({ url, options: { http2: "prior-knowledge" as const } })),
  tag: "ConnectError",
  says: protocol === undefined || protocol === "TLS" || protocol === "HTTP/1.1"
    ? says
    : [`what came instead of HTTP/2's SETTINGS looks like ${protocol}; is the port right?`, ...says],
  data: { reason: "WrongProtocol", ...(protocol === undefined ? {} : { protocol }) }
}]

const redis = "-ERR unknown command 'GET', with args beginning with: '/' 'HTTP/1.1'\r\n"
const smtp = "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n"
const mySql = Buffer.concat([Buffer.from([74, 0, 0, 0, 10]), Buffer.from("8.0.36\0".padEnd(73, "x"))])
const postgres = "E\0\0\0\x8dSFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol\0\0"
const tlsAlert = Uint8Array.of(21, 3, 1, 0, 2, 2, 70)

const outages: Record<string, Outage> = {
  "a name that does not exist": {
    arrange: Effect.succeed(resolves("ENOTFOUND")),
    tag: "ConnectError",
    says: ["a.test", "there is no host of that name; is it spelled right?"],
    data: { reason: "UnknownHost" }
  },
  "a name without an address": {
    arrange: Effect.succeed(resolves("ENODATA", "queryA")),
    tag: "ConnectError",
    says: ["the name is known, but has no address"],
    data: { reason: "UnknownHost" }
  },
  "a name server that is down": {
    arrange: Effect.succeed(resolves("EAI_AGAIN")),
    tag: "ConnectError",
    says: ["no name server responded", "whether the name is right is not known"],
    data: { reason: "NameServer" }
  },
  "a name server that fails": {
    arrange: Effect.succeed(resolves("EAI_FAIL")),
    tag: "ConnectError",
    says: ["the name server could not look it up"],
    data: { reason: "NameServer" }
  },
  "a name server that nothing listens at": {
    arrange: Effect.succeed(resolves("ECONNREFUSED", "queryA")),
    tag: "ConnectError",
    says: ["the name server refuses"],
    data: { reason: "NameServer" }
  },
  "a name server that is silent": {
    arrange: Effect.succeed({ url: "http://a.test/", options: { lookup: () => {} } }),
    passes: "5 seconds",
    tag: "ConnectTimeout",
    says: [
      "took longer than 5s (timeouts.connect)",
      "looking up a.test, and the resolver did not respond",
      "name server"
    ],
    data: { stage: { _tag: "LookingUp", host: "a.test" } }
  },
  "a port that is closed": {
    arrange: Effect.map(TestServer.unusedPort, (port) => ({ url: `http://${loopback}:${port}/` })),
    tag: "ConnectError",
    says: ["nothing listens there; is the server running, and is the port right?", "ECONNREFUSED 127.0.0.1:"],
    data: { reason: "Refused" }
  },
  "a TCP handshake that is silent": {
    arrange: Effect.gen(function*() {
      const port = yield* TestServer.unusedPort
      yield* blackHoles(port, ["127.0.0.2"])
      return { url: `http://a.test:${port}/`, options: { lookup: lookupOf(["127.0.0.2"]) } }
    }),
    passes: "5 seconds",
    tag: "ConnectTimeout",
    says: ["connecting to 127.0.0.2 (no response)", "does no firewall drop the packets?"],
    data: {
      stage: { _tag: "Connecting", addresses: [{ address: "127.0.0.2", startedAfter: 0, outcome: "no response" }] }
    }
  },
  "a TLS handshake that is silent": {
    arrange: Effect.map(silent, ({ port }) => ({ url: `https://${loopback}:${port}/` })),
    passes: "5 seconds",
    tag: "ConnectTimeout",
    says: [
      /127\.0\.0\.1:\d+ accepted the connection after 0ms; the TLS handshake got no response/,
      "Does that port speak TLS?"
    ]
  },
  "an HTTP/2 server that is silent": {
    arrange: Effect.map(silent, ({ port }) => ({
      url: `http://${loopback}:${port}/`,
      options: { http2: "prior-knowledge" as const }
    })),
    passes: "5 seconds",
    tag: "ConnectTimeout",
    says: ["accepted the connection", "sent no HTTP/2 SETTINGS"]
  },
  "a certificate that has expired": {
    arrange: tls("expired"),
    tag: "TlsError",
    says: [
      "has expired",
      "check this machine's clock",
      "CN=localhost",
      "CN=Test authority",
      /is valid from .* GMT to .* GMT/
    ],
    data: { reason: "Expired" }
  },
  "an authority that nobody knows": {
    arrange: tls("unknown-authority"),
    tag: "TlsError",
    says: ["tls.ca", "was issued by CN=", "The chain: CN=localhost"],
    data: { reason: "UnknownAuthority" }
  },
  "the certificate of another host": {
    arrange: tls("wrong-host"),
    tag: "TlsError",
    says: ["is for another host", "tls.servername", /covers \S+/],
    data: { reason: "HostName" }
  },
  "the certificate of a thousand other hosts": {
    arrange: Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const names = Array.from({ length: 1000 }, (_, n) => `host-${n}.a.test`)
      const certificate = yield* authority.issue({ names })
      const server = yield* TestServer.make({ tls: { authority, certificate }, replies: { "/": Reply.text("ok") } })
      return { url: `${server.url}/`, options: { tls: { ca: authority.certificate } } }
    }),
    tag: "TlsError",
    says: ["is for another host", "covers host-0.a.test, host-1.a.test", "and 990 more"],
    data: { reason: "HostName" }
  },
  "https: to a port that speaks plain HTTP": {
    arrange: Effect.map(
      speaks("HTTP/1.1 400 Bad Request\r\n\r\n"),
      ({ url }) => ({ url: url.replace("http:", "https:") })
    ),
    tag: "TlsError",
    says: ["does not speak TLS", "is it not an http: URL?"],
    data: { reason: "Configuration" }
  },
  "a TLS handshake that is cut": {
    arrange: Effect.map(
      tcp((socket) => socket.once("data", () => socket.destroy())),
      ({ port }) => ({ url: `https://${loopback}:${port}/` })
    ),
    tag: "ConnectError",
    says: ["accepted the connection, and closed it in the TLS handshake", "does that port speak TLS"],
    data: { reason: "Reset" }
  },
  "http: to a port that speaks TLS": {
    arrange: Effect.map(
      TestServer.make({ tls: true, replies: { "/": Reply.text("ok") } }),
      ({ port }) => ({ url: `http://${loopback}:${port}/` })
    ),
    tag: "ReadError",
    says: ["does it speak TLS? Then use https:"]
  },
  "a TLS alert": {
    arrange: speaks(tlsAlert),
    tag: "RemoteProtocolError",
    says: ["a TLS alert came instead of a response", "use https:", "\\x15\\x03\\x01"],
    data: { protocol: "TLS" }
  },
  "a server that never responds": {
    arrange: Effect.map(
      TestServer.make({ replies: { "/": Reply.never } }),
      (server) => ({ url: `${server.url}/` })
    ),
    passes: "30 seconds",
    tag: "ReadTimeout",
    says: ["sent nothing for 30s, waiting for its response (timeouts.read)"]
  },
  "a head that comes byte by byte": {
    arrange: Effect.map(speaks("HTTP/1.1 200 OK\r\nx-slow: "), ({ url }) => ({
      url,
      options: { timeouts: { headers: "20 seconds" as const } }
    })),
    passes: "20 seconds",
    tag: "HeadersTimeout",
    says: ["did not complete its response head within 20s (timeouts.headers)", /connection 1 to 127\.0\.0\.1, new/]
  },
  "a body that comes byte by byte, and then not at all": {
    arrange: speaks("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"),
    inBody: true,
    passes: "30 seconds",
    tag: "ReadTimeout",
    says: ["waiting for the rest of the body (timeouts.read)", "5 bytes of the response's body received"],
    data: { phase: "body" }
  },
  "a body that comes byte by byte, and goes on": {
    arrange: Effect.map(
      tcp((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        // Nothing is silent for as long as timeouts.read: only a deadline ends it.
        let written = 0
        const drip = () => {
          if (written++ < 20 && !socket.destroyed) socket.write("x", drip)
        }
        drip()
      }),
      ({ port }) => ({
        url: `http://${loopback}:${port}/`,
        options: { timeouts: { total: "20 seconds" as const } }
      })
    ),
    inBody: true,
    passes: "20 seconds",
    tag: "TotalTimeout",
    says: [
      /took longer than 20s in all \(timeouts\.total/,
      "it was in its body phase",
      "20 bytes of the response's body received"
    ],
    data: { phase: "body" }
  },
  "bodies that nobody reads": {
    arrange: Effect.map(
      TestServer.make({ replies: { "*": Reply.size(10_000_000) } }),
      (server) => ({
        url: `${server.url}/`,
        options: {
          limits: { maxConnections: 1 },
          unreadBodyGrace: "Infinity" as const,
          timeouts: { pool: "1 second" as const }
        }
      })
    ),
    before: (client, url) =>
      Effect.flatMap(Effect.fork(Effect.forkDaemon(client.get(url + "x".repeat(8000)))), Fiber.await),
    passes: "1 second",
    tag: "PoolTimeout",
    says: [
      "its body unread",
      "Read or discard bodies when the response arrives, or raise limits.maxConnections",
      "GET http://"
    ]
  },
  "Redis": {
    arrange: speaks(redis),
    tag: "RemoteProtocolError",
    says: ["what came instead of a response looks like Redis", "is the port right?", "-ERR unknown command 'GET'"],
    data: { protocol: "Redis" }
  },
  "SSH": {
    arrange: speaks("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    tag: "RemoteProtocolError",
    says: ["looks like SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n"],
    data: { protocol: "SSH" }
  },
  "SMTP": {
    arrange: speaks(smtp),
    tag: "RemoteProtocolError",
    says: ["looks like SMTP", "220 mail.example.org ESMTP"],
    data: { protocol: "SMTP" }
  },
  "MySQL": {
    arrange: speaks(mySql),
    tag: "RemoteProtocolError",
    says: ["looks like MySQL", "8.0.36"],
    data: { protocol: "MySQL" }
  },
  "PostgreSQL": {
    arrange: speaks(postgres),
    tag: "RemoteProtocolError",
    says: ["looks like PostgreSQL", "SFATAL"],
    data: { protocol: "PostgreSQL" }
  },
  "HTTP/2": {
    arrange: speaks(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)),
    tag: "RemoteProtocolError",
    says: ["HTTP/2 came instead of a response", "http2: \"prior-knowledge\""],
    data: { protocol: "HTTP/2" }
  },
  ...Object.fromEntries(
    Object.entries<string | Uint8Array>({
      "NATS": "INFO {\"server_id\":\"NB\",\"version\":\"2.10.1\",\"port\":4222}\r\n",
      "LDAP": Uint8Array.of(0x30, 0x0c, 2, 1, 0, 0x78, 7, 10, 1, 2, 4, 0, 4, 0),
      "Cassandra": Buffer.from(
        "\x84\0\0\0\0\0\0\0\x30\0\0\0\n\0*Invalid or unsupported protocol version (71)",
        "latin1"
      ),
      "Oracle": "\0\x59\0\0\x04\0\0\0\"\0\0M(DESCRIPTION=(ERR=1153)(VSNNUM=0)(ERROR_STACK=(ERROR=(CODE=1153))))",
      "SOCKS 5": Uint8Array.of(5, 255),
      "IRC": ":irc.example.org NOTICE * :*** Looking up your hostname...\r\n",
      "NNTP": "200 news.example.org InterNetNews NNRP server ready\r\n",
      "SHOUTcast": "ICY 200 OK\r\nicy-name: a station\r\n\r\n",
      "rsync": "@RSYNCD: 31.0 sha512\n",
      "JSON without the head of a response": "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700}}\n",
      "memcached": "ERROR\r\n",
      "FTP": "220 (vsFTPd 3.0.3) FTP server ready\r\n",
      "IMAP": "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n",
      "POP3": "+OK Dovecot ready.\r\n",
      "AMQP": "AMQP\0\0\x09\x01",
      "VNC": "RFB 003.008\n",
      "Telnet": Uint8Array.of(255, 253, 1, 255, 253, 31)
    }).map(([protocol, bytes]): [string, Outage] => [protocol, {
      arrange: speaks(bytes),
      tag: "RemoteProtocolError",
      says: [`looks like ${protocol}`, "is the port right?"],
      data: { protocol }
    }])
  ),
  ...Object.fromEntries([
    insteadOfHttp2("Redis", redis, "Redis", "-ERR unknown command 'GET'"),
    insteadOfHttp2("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n"),
    insteadOfHttp2("SMTP", smtp, "SMTP", "220 mail.example.org ESMTP"),
    insteadOfHttp2("MySQL", mySql, "MySQL", "8.0.36"),
    insteadOfHttp2("PostgreSQL", postgres, "PostgreSQL", "SFATAL"),
    // Less than the head of a frame, and nothing comes after it.
    insteadOfHttp2("memcached", "ERROR\r\n", "memcached", "ERROR\\r\\n"),
    insteadOfHttp2("SOCKS 5", Uint8Array.of(5, 255), "SOCKS 5", "\\x05\\xff"),
    insteadOfHttp2("a TLS alert", tlsAlert, "TLS", "a TLS alert came instead of HTTP/2's SETTINGS", "use https:"),
    insteadOfHttp2(
      "HTTP/1.1",
      `HTTP/1.1 400 Bad Request\r\nset-cookie: ${secret}\r\n\r\n`,
      "HTTP/1.1",
      "HTTP/1.1 came instead of HTTP/2's SETTINGS",
      "leave out http2: \"prior-knowledge\"",
      "\"HTTP/1.1 400 Bad Request\""
    ),
    insteadOfHttp2(
      "of nothing known",
      "\x01\x02hello, this is a protocol of our own",
      undefined,
      "\\x01\\x02hello, this is a"
    )
  ]),
  "with prior knowledge of HTTP/2: a port that speaks TLS": {
    arrange: Effect.map(TestServer.make({ tls: true, replies: { "/": Reply.text("ok") } }), ({ port }) => ({
      url: `http://${loopback}:${port}/`,
      options: { http2: "prior-knowledge" as const }
    })),
    tag: "ConnectError",
    says: ["use https:"],
    data: { reason: "Reset" }
  },
  "HTML without a head": {
    arrange: speaks("<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>\n"),
    tag: "RemoteProtocolError",
    says: ["<html><head><title>502 Bad Gateway</title></head>\\n<body>nginx"]
  },
  "bytes of nothing known": {
    arrange: speaks("\x01\x02hello, this is a protocol of our own, and it says a good deal more than is quoted"),
    tag: "RemoteProtocolError",
    says: ["\\x01\\x02hello, this is a protocol of our own", "…"]
  },
  "a status that is no number": {
    arrange: speaks("HTTP/1.1 abc OK\r\nset-cookie: s3cret\r\n\r\n"),
    tag: "RemoteProtocolError",
    says: ["HTTP/1.1 abc OK"]
  },
  "the name of a field with a space": {
    arrange: speaks("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nX Powered By: s3cret\r\n\r\n"),
    tag: "RemoteProtocolError",
    says: ["whitespace before the colon of a field: \"X \"", "RFC 9112 §5.1"]
  },
  "two lengths": {
    arrange: speaks("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
    tag: "RemoteProtocolError",
    says: ["more than one Content-Length: 5 and \"6\"", "RFC 9112 §6.3"]
  },
  "the descriptors of this process used up": {
    arrange: Effect.succeed(resolves("EMFILE", "connect")),
    tag: "ConnectError",
    says: [
      "this process has no file descriptor left, so the peer was not even asked",
      /raise `ulimit -n`.*ulimit -n is \d+/,
      "The pool has 1 connection open or being made, and limits.maxConnections is 100"
    ],
    data: { reason: "ProcessLimit", connections: { open: 1, maxConnections: 100 } }
  },
  "the local ports used up": {
    arrange: Effect.succeed(resolves("EADDRNOTAVAIL", "connect")),
    tag: "ConnectError",
    says: ["this machine has no local port left", "limits.maxConnections"],
    data: { reason: "ProcessLimit" }
  },
  ...Object.fromEntries(
    ([
      ["EADDRINUSE", "connect", "ProcessLimit", "the local address and port are in use"],
      ["ENFILE", "connect", "ProcessLimit", "this machine has no file descriptor left"],
      ["ENOBUFS", "connect", "ProcessLimit", "no buffers left"],
      ["EPERM", "connect", "NotAllowed", "a firewall rule or a sandbox"],
      ["EAFNOSUPPORT", "connect", "Unreachable", "is IPv6 turned off?"],
      ["ENETUNREACH", "connect", "Unreachable", "there is no way to that network"],
      ["ECONNABORTED", "connect", "Reset", "has the network changed?"],
      ["ESERVFAIL", "queryA", "NameServer", "SERVFAIL"],
      ["EBADNAME", "queryA", "UnknownHost", "no name that a host can have"],
      ["EAI_ADDRFAMILY", "getaddrinfo", "UnknownHost", "no address of that family"]
    ] as const).map(([code, syscall, reason, says]): [string, Outage] => [code, {
      arrange: Effect.succeed(resolves(code, syscall)),
      tag: "ConnectError",
      says: [says, `${syscall} ${code}`],
      data: { reason }
    }])
  ),
  "a firewall of this machine": {
    arrange: Effect.succeed(resolves("EACCES", "connect")),
    tag: "ConnectError",
    says: ["the system does not let this process connect there"],
    data: { reason: "NotAllowed" }
  },
  "a server that speaks before it is asked": {
    arrange: Effect.map(tcp((socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")), ({ port }) => ({
      url: `http://${loopback}:${port}/`
    })),
    tag: "RemoteProtocolError",
    says: ["looks like SSH", "SSH-2.0-OpenSSH_9.2p1"]
  }
}

/** The counters that an alarm of this failure is made of, and the reason that they have it under. */
const alarmsOf = (error: TransportError.TransportError): ReadonlyArray<readonly [metric: string, reason: string]> => {
  switch (error._tag) {
    case "PoolTimeout":
      return [["sluice.client.refused_requests", "PoolTimeout.unread"]]
    case "ConnectError":
    case "TlsError":
      return [
        ["sluice.client.refused_requests", error._tag],
        ["sluice.client.failed_dials", `${error._tag}.${error.reason}`]
      ]
    case "ConnectTimeout":
      return [
        ["sluice.client.refused_requests", error._tag],
        ["sluice.client.failed_dials", `${error._tag}.${error.stage?._tag}`]
      ]
    default:
      return []
  }
}

describe("an outage says what it is and what to do", () => {
  for (const [name, outage] of Object.entries(outages)) {
    it.scoped(name, () =>
      Effect.gen(function*() {
        const { options = {}, url } = yield* outage.arrange
        const { client, pool } = yield* makeClient({ ...options, name: `outage: ${name}` })
        yield* outage.before?.(client, url) ?? Effect.void
        yield* until(() => outage.before === undefined || pool.unsafeStats().active > 0)
        const { ended, tracer } = recording()
        const got = client.get(`${url}?token=${secret}`)
        const wanted: Effect.Effect<unknown, HttpClientError> = outage.inBody === true
          ? Effect.flatMap(got, (response) => response.text)
          : got
        const asked = yield* Effect.fork(failure(wanted).pipe(Effect.withTracer(tracer)))
        if (outage.passes !== undefined) {
          yield* until(() => pool.unsafeStats().dialing + pool.unsafeStats().active > 0)
          if (outage.tag === "PoolTimeout") yield* until(() => pool.unsafeStats().waiting > 0)
          yield* turns(20)
          yield* TestClock.adjust(outage.passes)
        }
        const error = yield* Fiber.join(asked)
        assert.strictEqual(error._tag, outage.tag, error.message)
        for (const words of outage.says) {
          if (typeof words === "string") assert.include(error.message, words)
          else assert.match(error.message, words)
        }
        const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>
        assert.strictEqual(json["message"], error.message)
        for (const [field, value] of Object.entries(outage.data ?? {})) assert.deepStrictEqual(json[field], value)
        assert.notInclude(JSON.stringify(json), secret)
        // What a peer or a caller makes long does not make a log long.
        assert.isBelow(JSON.stringify(json).length, 8000)
        assert.isBelow(error.message.length, 2000)
        // A graph, an alarm and a trace say the same.
        assert.strictEqual(measured(`outage: ${name}`, "http.client.request.duration", { "error.type": error._tag }), 1)
        for (const [metric, reason] of alarmsOf(error)) {
          yield* until(() => measured(`outage: ${name}`, metric, { "error.type": reason }) === 1)
        }
        const span = ended.at(-1)
        assert.strictEqual(span?.attributes["error.type"], error._tag)
        assert.strictEqual(span?.exit._tag, "Failure")
        assert.notInclude(JSON.stringify(ended.map(({ attributes }) => attributes)), secret)
        if (outage.before === undefined) assert.strictEqual(pool.unsafeStats().leases, 0)
      }))
  }
})
