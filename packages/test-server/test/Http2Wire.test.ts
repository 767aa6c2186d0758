import { assert, describe, it } from "@effect/vitest"
import { Frame, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { FrameReader } from "../src/internal/frames/reader.js"
import { preface } from "../src/internal/frames/registry.js"
import { connect } from "./support.js"

const asText = (frame: Frame.ReceivedFrame): string => {
  switch (frame._tag) {
    case "Headers":
      return `HEADERS${frame.endStream ? " END" : ""}`
    case "Data":
      return `DATA ${frame.data.length}${frame.endStream ? " END" : ""}`
    case "RstStream":
      return `RST ${frame.code}`
    default:
      return frame._tag
  }
}

/** Sends one request and takes down the frames of the response, up to the PING that was sent after the last of them. */
const framesOf = (server: TestServer.TestServer, path: string, endStream: boolean) =>
  Effect.gen(function*() {
    const client = yield* connect({ host: server.host, port: server.port })
    const seen: Array<string> = []
    const reader = new FrameReader((frame) => {
      if (frame.streamId !== 0) seen.push(asText(frame))
    })
    reader.push(preface)
    // First, so that what is waited for has been read when it is looked at.
    client.socket.prependListener("data", (bytes: Buffer) => reader.push(bytes))
    client.write(preface)
    client.write(Frame.encode(Frame.settings()))
    client.write(Frame.encode(Frame.headers(1, [
      [":method", endStream ? "GET" : "POST"],
      [":scheme", "http"],
      [":path", path],
      [":authority", "a"]
    ], { endStream })))
    yield* client.until(() => seen.some((one) => / END$|^RST/.test(one)))
    // Whatever might still follow has come when the server has answered a PING.
    client.write(Frame.encode(Frame.ping(Buffer.from("the last"))))
    yield* client.until("the last")
    return seen
  })

describe("HTTP/2 on the wire", () => {
  for (
    const [what, reply, frames] of [
      ["an empty response", Reply.empty(), ["HEADERS END"]],
      ["an response cut by its script", Reply.text("hello world", { abrupt: { afterBytes: 5 } }), [
        "HEADERS",
        "DATA 5",
        "RST 0"
      ]],
      ["an response cut with a code", Reply.chunks(["hello", " world"], { abrupt: { afterBytes: 5, how: 11 } }), [
        "HEADERS",
        "DATA 5",
        "RST 11"
      ]],
      ["an response cut before its body", Reply.text("hello", { abrupt: { afterBytes: 0, how: "reset" } }), [
        "HEADERS",
        "RST 2"
      ]],
      ["a long response cut", Reply.size(100_000, { abrupt: { afterBytes: 40_000, how: "reset" } }), [
        "HEADERS",
        "DATA 16384",
        "DATA 16384",
        "DATA 7232",
        "RST 2"
      ]],
      ["no response", Reply.disconnect(7), ["RST 7"]],
      ["trailers", Reply.text("hello", { trailers: { "x-a": "1" } }), ["HEADERS", "DATA 5", "HEADERS END"]]
    ] as const
  ) {
    it.scoped(`sends ${what} as these frames and no others`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ http2: true, replies: { "/": reply } })
        assert.deepStrictEqual(yield* framesOf(server, "/", true), [...frames])
      }))
  }

  it.scoped("stops an upload once the early response is complete", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ http2: true })
      yield* server.reply("/", Reply.text("no", { status: 413, stopUpload: true }), { early: true })
      assert.deepStrictEqual(yield* framesOf(server, "/", false), ["HEADERS", "DATA 2 END", "RST 0"])
    }))
})
