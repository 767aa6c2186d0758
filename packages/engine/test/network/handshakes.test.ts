import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { ConnectHandshake, type Handshake, type HandshakeStep, Socks5Handshake } from "../../src/network/index.js"

const decoding = {
  latin1: (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes).toString("latin1", start, end),
  utf8: (bytes: Uint8Array) => Buffer.from(bytes).toString()
}

const bytesOf = (step: HandshakeStep) =>
  step._tag === "Write" ? Buffer.from(step.bytes as string, "latin1").toString("latin1") : step._tag

/** Feeds all of it, in pieces of this size; the last step, and the end if it is not over. */
const feed = (handshake: Handshake, input: Uint8Array, size: number): HandshakeStep => {
  let last = handshake.begin()
  for (let n = 0; n < input.length; n += size) {
    const piece = input.subarray(n, n + size)
    last = handshake.receive(piece, piece.length)
    if (last._tag === "Failed") return last
  }
  return last._tag === "Refused" ? { _tag: "Failed", failure: handshake.finish() } : last
}

const everySize = (
  make: () => Handshake,
  input: string | ReadonlyArray<number>,
  check: (step: HandshakeStep) => void
) => {
  const bytes = typeof input === "string" ? Buffer.from(input, "latin1") : Uint8Array.from(input)
  for (let size = 1; size <= Math.max(1, bytes.length); size++) check(feed(make(), bytes, size))
}

describe("CONNECT", () => {
  const make = (headers = {}) => new ConnectHandshake("a.test:443", headers, decoding)

  it("names the origin, and brings what the proxy is to know", () => {
    strictEqual(
      bytesOf(make({ "proxy-authorization": "Basic eA==" }).begin()),
      "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nproxy-authorization: Basic eA==\r\n\r\n"
    )
  })

  it("cannot be made to say more", () => {
    const step = make({ "x-a": "b\r\nx: y" }).begin()
    strictEqual(step._tag === "Failed" && step.failure.reason, "Configuration")
  })

  const opens = [
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.0 200 Connection established\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 299 Other\r\ncontent-length: 7\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
  ]
  for (const response of opens) {
    it(`is open after ${JSON.stringify(response.slice(0, 40))}`, () =>
      everySize(() => make(), response, ({ _tag }) => strictEqual(_tag, "Opened")))
  }

  const refusals: ReadonlyArray<readonly [string, string, object]> = [
    ["407", "HTTP/1.1 407 Auth\r\ncontent-length: 4\r\n\r\nwho?", {
      reason: "Authentication",
      status: 407,
      body: "who?"
    }],
    ["403 in chunks", "HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", {
      reason: "Refused",
      status: 403,
      body: "no"
    }],
    ["502 until the end", "HTTP/1.1 502 Bad\r\n\r\nbad", { reason: "Refused", status: 502, body: "bad" }],
    ["302", "HTTP/1.1 302 Found\r\nlocation: http://b.test/\r\ncontent-length: 0\r\n\r\n", { status: 302 }],
    ["garbage", "\0\0HTTP/1.1 200 OK\r\n\r\n", { reason: "Protocol" }],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n", { reason: "Protocol" }],
    ["a TLS alert", "\x15\x03\x01\0\x02\x02\x46", { reason: "Protocol" }],
    ["101", "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", { reason: "Protocol" }],
    ["giant headers", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100_000)}\r\n`, { reason: "Protocol" }]
  ]
  for (const [name, response, expected] of refusals) {
    it(`is refused by ${name}`, () => {
      const check = (step: HandshakeStep) => {
        const failure = step._tag === "Failed" ? step.failure : undefined
        for (const [key, value] of Object.entries(expected)) deepStrictEqual((failure as any)?.[key], value, key)
      }
      if (response.length < 200) everySize(() => make(), response, check)
      else check(feed(make(), Buffer.from(response), 4096))
    })
  }

  it.each([
    ["SSH-2.0-OpenSSH_9.2\r\n", "looks like SSH", "\"SSH-2.0-OpenSSH_9.2\\r\\n\""],
    ["-ERR unknown command 'CONNECT'\r\n", "looks like Redis", "-ERR unknown command 'CONNECT'"],
    ["\x15\x03\x01\0\x02\x02\x46", "A TLS alert came instead of a response", "\\x15\\x03\\x01"]
  ])("names what is no proxy by what it says: %j", (response, ...says) => {
    const step = feed(make(), Buffer.from(response, "latin1"), 1000)
    for (const words of says) ok(step._tag === "Failed" && step.failure.detail.includes(words), JSON.stringify(step))
  })

  it("keeps the first KiB of what is said with a refusal", () => {
    const step = feed(make(), Buffer.from(`HTTP/1.1 403 No\r\ncontent-length: 9999\r\n\r\n${"x".repeat(5000)}`), 300)
    strictEqual(step._tag === "Failed" && step.failure.body, "x".repeat(1024))
  })

  it("takes nothing behind the consent", () => {
    const step = feed(make(), Buffer.from("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"), 1000)
    strictEqual(step._tag === "Failed" && step.failure.reason, "Protocol")
  })

  it("that ends before it has begun says so", () => {
    strictEqual(make().finish().reason, "Ended")
  })
})

describe("SOCKS 5", () => {
  const ann = { username: "ann", password: "pässword" }
  const named = () => new Socks5Handshake("a.test", 443, undefined)
  const known = () => new Socks5Handshake("a.test", 443, ann)
  const ipv4 = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
  const ipv6 = [5, 0, 0, 4, ...new Array<number>(18).fill(0)]
  const domain = [5, 0, 0, 3, 2, 0x61, 0x62, 0, 0]

  it("asks by name, by IPv4 and by IPv6", () => {
    const asked = (host: string) => {
      const handshake = new Socks5Handshake(host, 0x1234, undefined)
      handshake.begin()
      const step = handshake.receive(Uint8Array.of(5, 0), 2)
      return step._tag === "Write" ? [...step.bytes as Uint8Array] : []
    }
    deepStrictEqual(asked("ab"), [5, 1, 0, 3, 2, 0x61, 0x62, 0x12, 0x34])
    deepStrictEqual(asked("192.0.2.1"), [5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34])
    deepStrictEqual(asked("2001:db8::1"), [
      5,
      1,
      0,
      4,
      0x20,
      1,
      0xd,
      0xb8,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      0x12,
      0x34
    ])
  })

  it("says who we are if it is asked", () => {
    const handshake = known()
    deepStrictEqual(handshake.begin(), { _tag: "Write", bytes: Uint8Array.of(5, 2, 0, 2) })
    const password = [...Buffer.from(ann.password)]
    deepStrictEqual(handshake.receive(Uint8Array.of(5, 2), 2), {
      _tag: "Write",
      bytes: Uint8Array.of(1, 3, 0x61, 0x6e, 0x6e, password.length, ...password)
    })
    strictEqual(handshake.receive(Uint8Array.of(1, 0), 2)._tag, "Write")
  })

  for (const reply of [ipv4, ipv6, domain]) {
    it(`is open after a reply with an address of type ${reply[3]}`, () => {
      // Not in one piece: each message gets its response before the next one comes.
      for (let size = 1; size <= reply.length; size++) {
        const handshake = named()
        handshake.begin()
        handshake.receive(Uint8Array.of(5, 0), 2)
        let last: HandshakeStep = { _tag: "Continue" }
        for (let n = 0; n < reply.length; n += size) {
          const piece = Uint8Array.from(reply.slice(n, n + size))
          last = handshake.receive(piece, piece.length)
        }
        strictEqual(last._tag, "Opened")
      }
    })
  }

  const failures: ReadonlyArray<readonly [string, () => Handshake, ReadonlyArray<ReadonlyArray<number>>, object]> = [
    ["no method", named, [[5, 255]], { reason: "Authentication" }],
    ["a password that we have not", named, [[5, 2]], { reason: "Authentication" }],
    ["a wrong password", known, [[5, 2], [1, 1]], { reason: "Authentication", code: 1 }],
    ["a method that was not offered", named, [[5, 1]], { reason: "Protocol" }],
    ["SOCKS 4", named, [[0, 90]], { reason: "Protocol" }],
    ["HTTP", named, [[...Buffer.from("HTTP/1.1 400 Bad")]], { reason: "Protocol" }],
    ["a bad version in the reply", named, [[5, 0], [4, 0, 0, 1]], { reason: "Protocol" }],
    ["an unknown kind of address", named, [[5, 0], [5, 0, 0, 9, 0]], { reason: "Protocol" }],
    ["bytes behind the method", named, [[5, 0, 5]], { reason: "Protocol" }],
    ["bytes behind the reply", named, [[5, 0], [...ipv4, 1]], { reason: "Protocol" }],
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 200].map((code) =>
      [`code ${code}`, named, [[5, 0], [5, code]], { reason: "Refused", code }] as const
    )
  ]
  for (const [name, make, messages, expected] of failures) {
    it(`fails with ${name}`, () => {
      const handshake = make()
      handshake.begin()
      let last: HandshakeStep = { _tag: "Continue" }
      for (const message of messages) last = handshake.receive(Uint8Array.from(message), message.length)
      const failure = last._tag === "Failed" ? last.failure : undefined
      for (const [key, value] of Object.entries(expected)) strictEqual((failure as any)?.[key], value, key)
    })
  }

  it("cannot name a host of more than 255 bytes", () => {
    const step = new Socks5Handshake("x".repeat(256), 1, undefined).begin()
    strictEqual(step._tag === "Failed" && step.failure.reason, "Configuration")
  })
})
