import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { MemoryNetwork } from "@sluice/core/testing"
import { HttpClientLayer } from "@sluice/node"
import { Frame, FramePeer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { observe } from "../client/observed.js"

// What a program sees of HTTP/2 over the network in memory is what it sees over sockets, in clear text and over TLS: the
// same frames for the same requests.

type Frames = (streamId: number) => ReadonlyArray<Frame.Frame>

interface Scenario {
  readonly name: string
  /** What the server sends for each request, one after the other, and whether it closes then. The last one stays. */
  readonly replies: ReadonlyArray<{ readonly frames: Frames; readonly close?: boolean }>
  /** Default: a GET for each reply. */
  readonly requests?: ReadonlyArray<HttpClientRequest.HttpClientRequest>
}

const get = HttpClientRequest.get("/")
const post = HttpClientRequest.post("/")
const upload = HttpClientRequest.bodyStream(post, Stream.make(new Uint8Array(70_000), new Uint8Array(10)))

const fields = (...more: Frame.Fields): Frame.Fields => [[":status", "200"], ...more]
const text = (body: string, ...more: Frame.Fields): Frames => (id) => [
  Frame.headers(id, fields(...more)),
  Frame.data(id, body, { endStream: true })
]
const ok = { frames: text("ok") }
/** A response, and a second one that shows what has become of the connection. */
const replies = (frames: Frames, close = false): Scenario["replies"] => [{ frames, close }, ok]
const frame = (type: number, flags: number, payload: ReadonlyArray<number>): Frames => (streamId) => [
  Frame.make({ type, flags, streamId, payload: Uint8Array.from(payload) })
]
const then = (...all: ReadonlyArray<Frames>): Frames => (id) => all.flatMap((frames) => frames(id))
const head = (...more: Frame.Fields): Frames => (id) => [Frame.headers(id, fields(...more))]
const only = (all: Frame.Fields): Frames => (id) => [Frame.headers(id, all, { endStream: true })]

const scenarios: ReadonlyArray<Scenario> = [
  { name: "a length", replies: [{ frames: text("hello", ["content-length", "5"]) }, ok] },
  { name: "no content", replies: replies(only(fields())) },
  { name: "204", replies: replies(only([[":status", "204"]])) },
  { name: "several fields of a name", replies: replies(text("a", ["x", "1"], ["x", "2"], ["set-cookie", "a=1"])) },
  { name: "interim responses", replies: replies(then((id) => [Frame.headers(id, [[":status", "103"]])], text("a"))) },
  {
    name: "trailers",
    replies: replies(then(
      head(),
      (id) => [Frame.data(id, "a"), Frame.headers(id, [["t", "1"]], { endStream: true })]
    ))
  },
  {
    name: "CONTINUATION and padding",
    replies: replies((id) => [
      Frame.headers(id, fields(), { endHeaders: false }),
      Frame.continuation(id, [["x", "1"]]),
      Frame.data(id, "padded", { endStream: true, padding: 100 })
    ])
  },
  {
    name: "200 to HEAD",
    requests: [HttpClientRequest.head("/"), get],
    replies: replies(only(fields(["content-length", "9"])))
  },
  { name: "redirects, not followed", replies: replies(only([[":status", "302"], ["location", "/b"]])) },
  { name: "a request with a body", requests: [HttpClientRequest.bodyText(post, "body"), get], replies: [ok] },
  { name: "a request that is a stream", requests: [upload, get], replies: [ok] },
  {
    name: "a header that cannot be sent",
    requests: [HttpClientRequest.setHeader(get, "x", "a\nb"), get],
    replies: [ok]
  },
  { name: "frames of unknown types, PRIORITY and PING", replies: replies(then(frame(0xbe, 0, [1]), text("a"))) },
  // Ends
  {
    name: "the end of the connection in the content",
    replies: replies(then(head(), (id) => [Frame.data(id, "half")]), true)
  },
  {
    name: "the end of the connection in the place of a response",
    requests: [post, get],
    replies: replies(() => [], true)
  },
  {
    name: "GOAWAY, then a whole response",
    replies: replies(then((id) => [Frame.goAway({ lastStreamId: id })], text("a")))
  },
  {
    name: "GOAWAY that has not taken the request",
    requests: [post, get],
    replies: replies(() => [Frame.goAway({ lastStreamId: 0, code: 2, debugData: "why" })], true)
  },
  { name: "RST_STREAM(CANCEL)", requests: [post, get], replies: replies((id) => [Frame.rstStream(id, 8)]) },
  { name: "RST_STREAM(REFUSED_STREAM)", requests: [post, get], replies: replies((id) => [Frame.rstStream(id, 7)]) },
  { name: "RST_STREAM(ENHANCE_YOUR_CALM)", replies: replies((id) => [Frame.rstStream(id, 11)]) },
  {
    name: "RST_STREAM(NO_ERROR) when the length is met",
    replies: replies(then(head(["content-length", "1"]), (id) => [Frame.data(id, "a"), Frame.rstStream(id, 0)]))
  },
  { name: "RST_STREAM(NO_ERROR) without a length", replies: replies(then(head(), (id) => [Frame.rstStream(id, 0)])) },
  // Malformed responses
  { name: "no :status", replies: replies(only([["x", "1"]])) },
  { name: "two of them", replies: replies(only([[":status", "200"], [":status", "200"]])) },
  { name: "a bad one", replies: replies(only([[":status", "2OO"]])) },
  { name: "a name in upper case", replies: replies(only(fields(["X", "1"]))) },
  { name: "a field of HTTP/1.1", replies: replies(only(fields(["connection", "close"]))) },
  { name: "a control character", replies: replies(only(fields(["x", "a\0b"]))) },
  { name: "less content than the length", replies: replies(text("a", ["content-length", "2"])) },
  { name: "more", replies: replies(text("abc", ["content-length", "2"])) },
  { name: "two lengths", replies: replies(text("a", ["content-length", "1"], ["content-length", "1"])) },
  { name: "a header section that is too long", replies: replies(only(fields(...large()))) },
  // Errors of the connection
  { name: "DATA before HEADERS", replies: replies((id) => [Frame.data(id, "a")]) },
  { name: "a block that cannot be decoded", replies: replies((id) => [Frame.headers(id, Uint8Array.of(0xff, 0xff))]) },
  { name: "PUSH_PROMISE", replies: replies((id) => [Frame.pushPromise(id, 2, [[":method", "GET"]])]) },
  { name: "SETTINGS that cannot be", replies: replies(() => [Frame.settings([[4, 2 ** 31]])]) },
  { name: "WINDOW_UPDATE of 0", replies: replies(() => [Frame.windowUpdate(0, 0)]) },
  { name: "a frame that is too large", replies: replies((id) => [Frame.data(id, new Uint8Array(16_385))]) },
  { name: "RST_STREAM of the wrong size", replies: replies(frame(3, 0, [0, 0, 0])) },
  { name: "PING on a stream", replies: replies(frame(6, 0, [0, 0, 0, 0, 0, 0, 0, 0])) }
]

function large(): Frame.Fields {
  return Array.from({ length: 5 }, (_, i) => [`x-${i}`, "v".repeat(60_000)] as const)
}

/** A header section of several frames where one does not hold it. */
const inFrames = (frames: ReadonlyArray<Frame.Frame>): ReadonlyArray<Frame.Frame> =>
  frames.flatMap((frame) => {
    const { flags, payload, streamId, type } = frame
    if (type !== 1 || payload.length <= 16_384) return [frame]
    const rest = Array.from(
      { length: Math.ceil(payload.length / 16_384) - 1 },
      (_, i) => payload.subarray((i + 1) * 16_384, (i + 2) * 16_384)
    )
    return [
      Frame.make({ type, flags: flags & ~4, streamId, payload: payload.subarray(0, 16_384) }),
      ...rest.map((fragment, i) => Frame.continuation(streamId, fragment, { endHeaders: i === rest.length - 1 }))
    ]
  })

const requestsOf = ({ replies, requests = replies.map(() => get) }: Scenario) => requests

/** Takes the replies one after the other, over however many connections. */
const taking = ({ replies }: Scenario) => {
  let next = 0
  return (streamId: number) => {
    const { close = false, frames } = replies[Math.min(next++, replies.length - 1)]
    return { close, frames: inFrames(frames(streamId)) }
  }
}

const overSockets = (scenario: Scenario, tls: boolean) =>
  Effect.gen(function*() {
    const peer = yield* FramePeer.make({ tls, automatic: ["settings", "ping", "windows"] })
    const replyTo = taking(scenario)
    const serve = (connection: FramePeer.Connection) =>
      Effect.forever(Effect.gen(function*() {
        const { endStream, streamId } = yield* connection.take("Headers")
        let isWhole = endStream
        while (!isWhole) isWhole = (yield* connection.take("Data", streamId)).endStream
        const { close, frames } = replyTo(streamId)
        yield* connection.send(...frames)
        if (close) yield* connection.close()
      }))
    // It dies when its connection ends.
    const accept = Effect.flatMap(peer.accept, (connection) => Effect.forkScoped(Effect.exit(serve(connection))))
    yield* Effect.forkScoped(Effect.forever(accept))
    const layer = HttpClientLayer.layer({ http2: { priorKnowledge: !tls }, tls: tls ? { ca: peer.ca } : undefined })
    return yield* Effect.provide(observe(requestsOf(scenario), peer.url), layer)
  })

const inMemory = (scenario: Scenario, tls: boolean) => {
  const replyTo = taking(scenario)
  const network = MemoryNetwork.layer({
    protocol: () => tls ? "unknown" : "h2",
    dial: () => Effect.succeed({ protocol: "h2" }),
    respond: (request) =>
      Effect.map(Stream.runDrain(request.body), () => {
        const { close, frames } = replyTo(request.streamId!)
        const sent = Stream.make(Buffer.concat(frames.map(Frame.encode)))
        return {
          raw: close ? Stream.concat(sent, Stream.execute(Effect.sync(() => request.connection.close()))) : sent
        }
      })
  })
  return Effect.provide(
    observe(requestsOf(scenario), tls ? "https://memory.test" : "http://memory.test"),
    HttpClientLayer.layerWithoutConnector().pipe(Layer.provide(network))
  )
}

for (const tls of [false, true]) {
  describe(`HTTP/2 in memory and over sockets, ${tls ? "with TLS" : "in clear text"}: a program sees the same`, () => {
    for (const scenario of scenarios) {
      it.scopedLive(scenario.name, () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* inMemory(scenario, tls), yield* overSockets(scenario, tls))
        }))
    }
  })
}
