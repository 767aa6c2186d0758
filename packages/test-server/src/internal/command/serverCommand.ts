import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import type { Handler } from "../../Script.js"
import type { ServerEvent } from "../../ServerEvent.js"
import type { Options } from "../listener.js"
import { replyOf } from "../script.js"
import { start, type TestServer } from "../server.js"
import {
  type Command,
  hostOf,
  type Listening,
  listening,
  number,
  portOf,
  read,
  type Securing,
  securing,
  tlsOf,
  trustOf,
  version,
  writeAuthority
} from "./arguments.js"
import { CommandError } from "./CommandError.js"
import { playground } from "./playground.js"
import * as scriptFile from "./scriptFile.js"

const usage = `A scripted HTTP server.

Usage: sluice-test-server [options]
       sluice-test-server proxy --help          an HTTP and SOCKS 5 proxy, honest or hostile
       sluice-test-server fault-proxy --help    a network that cuts, delays, throttles, swallows

  -p, --port <number> the port to listen on, 0 for any free one (default 8080)
  --host <address>    the address to listen on (default 127.0.0.1)
  --tls               HTTPS, with a certificate made on the spot
  --ca <file>         writes the certificate of its authority to this file, for clients to trust
  --cert <file>       a certificate of your own as PEM, with --key
  --key <file>        its private key
  --http2             HTTP/2 besides HTTP/1.1
  --script <file>     what to respond, as JSON (see below); default: a set of paths to try, listed at /
  --latency <millis>  each response begins so much later
  --jitter <millis>   and up to so much more, at random
  --quiet             no line for each request
  -h, --help          this text
  --version           the version

A script maps routes to replies, or to several that are given one after another:

  {
    "/hello":    { "text": "hello", "headers": { "x-a": "1" } },
    "POST /buy": [{ "status": 503, "headers": { "retry-after": "1" } }, { "json": { "ok": true } }],
    "/slow/*":   { "chunks": ["a", "b"], "delayBeforeHead": 500, "delayBetweenChunks": 100 },
    "*":         { "status": 404 }
  }

  Bodies:  text, json, file (beside the script), base64, chunks, size, echo: true, raw, never: true, disconnect: "end" or "reset"
  Options: status, reason, headers, trailers, informational, delayBeforeHead and delayBetweenChunks (milliseconds),
           framing, keepAliveHint, connection: "close", close: true, abrupt: { "afterBytes": 10 }, version`

/** Runs the server until it is interrupted. */
export const runServer: Command = (args, out) =>
  Effect.gen(function*() {
    const given = yield* parse(args)
    if (given.help) return out(usage)
    if (given.version) return out(yield* version)
    const port = yield* portOf(given.port ?? "8080")
    const latency = yield* number("latency", "a number of milliseconds", given.latency ?? "0")
    const jitter = yield* number("jitter", "a number of milliseconds", given.jitter ?? "0")
    const tls = yield* tlsOf(given)
    const replies = given.script === undefined
      ? playground
      : yield* Effect.mapError(scriptFile.read(given.script), (reason) => new CommandError(reason, 2))
    const options: Options = {
      replies: latency + jitter === 0 ? replies : delayed(replies, latency, jitter),
      host: yield* hostOf(given.host),
      port,
      tls,
      http2: given.http2,
      halfOpen: true,
      maxRecordedRequests: 0,
      onEvent: given.quiet ? undefined : (event) => out(line(event))
    }
    const server = yield* Effect.mapError(start(options), (error) => new CommandError(error.message, 1))
    yield* writeAuthority(given, server.ca)
    out(banner(server, given))
    return yield* Effect.never
  }).pipe(Effect.scoped)

/** Each reply begins `latency` milliseconds later, and up to `jitter` more. */
const delayed = (routes: NonNullable<Options["replies"]>, latency: number, jitter: number): Options["replies"] =>
  Object.fromEntries(
    Object.entries(routes).map(([route, given]): [string, Handler] => [
      route,
      (request, { count }) =>
        Effect.delay(
          Effect.suspend(() => {
            const reply = replyOf(given, request, count)
            return Effect.isEffect(reply) ? reply : Effect.succeed(reply)
          }),
          latency + Math.random() * jitter
        )
    ])
  )

interface Given extends Listening, Securing {
  readonly http2: boolean
  readonly script?: string | undefined
  readonly latency?: string | undefined
  readonly jitter?: string | undefined
  readonly quiet: boolean
}

const parse = (args: ReadonlyArray<string>): Effect.Effect<Given, CommandError> =>
  read(() =>
    parseArgs({
      args: [...args],
      options: {
        ...listening,
        ...securing,
        http2: { type: "boolean", default: false },
        script: { type: "string" },
        latency: { type: "string" },
        jitter: { type: "string" },
        quiet: { type: "boolean", default: false }
      }
    }).values
  )

const banner = (server: TestServer, given: Given): string => {
  const protocols = given.http2 ? "HTTP/1.1 and HTTP/2" : "HTTP/1.1"
  return `${server.url} (${protocols}${trustOf(given)})`
}

const line = (event: ServerEvent): string => {
  switch (event._tag) {
    case "Malformed":
      return `malformed: ${event.reason}`
    case "ScriptError":
      return `script: ${event.reason}`
    case "TlsFailed":
      return `TLS failed: ${event.reason}`
    case "Ended": {
      const { bodyBytesSent, milliseconds, outcome, request, status } = event
      const response = outcome === "completed"
        ? `${status ?? "raw"}`
        : `${status ?? "no response"}, ${outcome === "abandoned" ? "client left" : "broken off"}`
      const sizes = `${request.bodyLength} B in, ${bodyBytesSent} B out`
      const where = `connection ${request.connection}, request ${request.index}`
      return `${request.method} ${request.target} ${request.protocol} -> ${response}` +
        ` (${sizes}, ${milliseconds.toFixed(1)} ms, ${where})`
    }
  }
}
