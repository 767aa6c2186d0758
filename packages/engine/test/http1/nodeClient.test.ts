import * as fc from "fast-check"
import { Buffer } from "node:buffer"
import * as Http from "node:http"
import * as Net from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { differences, oracle } from "./differences.js"
import { compare, explain } from "./support/differential.js"
import type { Exchange } from "./support/exchanges.js"
import { exchange } from "./support/exchanges.js"
import type { Transcript } from "./support/transcript.js"
import { bytesOf, runOurs, split } from "./support/transcript.js"

// The binding serves the bulk of the comparison; here the client itself is compared, over a real connection.

/** Writes to each connection, once a request has come, the pieces due, then ends it. */
let pieces: ReadonlyArray<Uint8Array> = []
const server = Net.createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {})
  socket.once("data", () => {
    const due = pieces
    const write = (i: number) => {
      if (i === due.length) socket.end()
      else socket.write(due[i], () => write(i + 1))
    }
    write(0)
  })
})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

const fields = (raw: ReadonlyArray<string>): ReadonlyArray<string> =>
  raw.map((text, i) => i % 2 === 0 ? text.toLowerCase() : text)

/** What `node:http` makes of the response. */
const request = (method: string): Promise<Transcript> =>
  new Promise((resolve) => {
    const informational: Array<ReadonlyArray<string>> = []
    const settle = (end: Transcript["end"], rest: Partial<Transcript>) =>
      resolve({ informational, head: [], keepAlive: false, body: "", trailers: [], rest: "", code: "", end, ...rest })
    const headOf = (response: Http.IncomingMessage) => [
      response.httpVersion,
      String(response.statusCode),
      response.statusMessage ?? "",
      ...fields(response.rawHeaders)
    ]
    const port = (server.address() as Net.AddressInfo).port
    const outgoing = Http.request({
      agent: false,
      host: "127.0.0.1",
      insecureHTTPParser: false,
      maxHeaderSize: 64 * 1024,
      method,
      path: method === "CONNECT" ? "example.test:443" : "/",
      port
    })
    outgoing.on("error", (error: Error & { code?: string; reason?: string }) =>
      settle("rejected", { code: `${error.code ?? ""} ${error.reason ?? error.message}` }))
    outgoing.on("information", (information) => {
      informational.push([
        information.httpVersion,
        String(information.statusCode),
        information.statusMessage,
        ...fields(information.rawHeaders)
      ])
    })
    const tunnel = (response: Http.IncomingMessage, socket: Net.Socket, first: Buffer) => {
      const received = [first]
      socket.on("data", (bytes: Buffer) =>
        received.push(bytes))
      socket.on("error", () => {})
      socket.on("close", () =>
        settle("upgraded", { head: headOf(response), rest: Buffer.concat(received).toString("latin1") }))
    }
    outgoing.on("upgrade", tunnel)
    outgoing.on("connect", tunnel)
    outgoing.on("response", (response) => {
      let body = ""
      response.on("data", (bytes: Buffer) => {
        body += bytes.toString("latin1")
      })
      response.on("error", () =>
        settle("rejected", { code: "aborted" }))
      response.on("end", () =>
        settle(response.complete ? "complete" : "incomplete", {
          head: headOf(response),
          body,
          trailers: fields(response.rawTrailers)
        }))
    })
    outgoing.end()
  })

const check = async (generated: Exchange): Promise<void> => {
  const input = bytesOf(generated.input)
  const ours = runOurs(generated.method, [input]).transcript
  // It makes a tunnel of every response to CONNECT, 100 and 407 included.
  if (generated.method === "CONNECT" || input.length === 0) return
  pieces = split(input, generated.cuts)
  const node = await request(generated.method)
  // Whether it keeps the connection it does not say.
  for (const what of compare(ours, { ...node, keepAlive: ours.keepAlive })) {
    if (explain(what, ours, node, generated) === undefined) {
      throw new Error(`${what}:\nours ${JSON.stringify(ours)}\nnode ${JSON.stringify(node)}`)
    }
  }
}

describe.runIf(oracle.isKnown)(`against Node's client, ${oracle.name}`, () => {
  it(
    "generated and damaged responses over a connection",
    { timeout: 60_000 },
    () => fc.assert(fc.asyncProperty(exchange, check), { numRuns: 1000 })
  )

  it.each(differences.filter(({ what }) => what === "accepted"))("refuses what we take: $name", async (difference) => {
    pieces = [bytesOf(difference.example)]
    expect((await request(difference.method ?? "GET")).end).toBe("rejected")
  })

  it("reads what we read", async () => {
    for (
      const [method, input] of [
        ["GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
        ["GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nhello"],
        ["GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"],
        ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
        ["GET", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw"],
        ["CONNECT", "HTTP/1.1 200 OK\r\n\r\nraw"]
      ] as const
    ) {
      const ours = runOurs(method, [bytesOf(input)]).transcript
      expect(["complete", "upgraded"]).toContain(ours.end)
      pieces = [bytesOf(input)]
      expect({ ...await request(method), keepAlive: ours.keepAlive }).toEqual(ours)
    }
  })
})
