import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as tls from "node:tls"
import { parseArgs } from "node:util"
import type { Handler } from "../../Script.js"
import type { ServerEvent } from "../../ServerEvent.js"
import type { Identity } from "../../TestAuthority.js"
import type { Options } from "../listener.js"
import { replyOf } from "../script.js"
import { start, type TestServer } from "../server.js"
import { playground } from "./playground.js"
import * as scriptFile from "./scriptFile.js"

const usage = `A scripted HTTP server.

Usage: sluice-test-server [options]

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

/** Runs the command until it is interrupted. `out` gets each line that it prints. */
export const main = (args: ReadonlyArray<string>, out: (line: string) => void): Effect.Effect<void, CommandError> =>
  Effect.gen(function*() {
    const given = yield* parse(args)
    if (given.help) return out(usage)
    if (given.version) return out(yield* version)
    const port = /^\d{1,5}$/.test(given.port) ? Number(given.port) : NaN
    if (!(port <= 65_535)) {
      return yield* new CommandError(`--port takes a number from 0 to 65535, not ${JSON.stringify(given.port)}`, 2)
    }
    for (const option of ["ca", "cert", "key"] as const) {
      if (given[option] !== undefined && !given.tls) return yield* new CommandError(`--${option} goes with --tls`, 2)
    }
    const latency = yield* millis("latency", given.latency)
    const jitter = yield* millis("jitter", given.jitter)
    const identity = yield* identityOf(given)
    if (identity !== undefined && given.ca !== undefined) {
      return yield* new CommandError("--ca has no effect beside --cert: whoever signed that is what to trust", 2)
    }
    const replies = given.script === undefined
      ? playground
      : yield* Effect.mapError(scriptFile.read(given.script), (reason) => new CommandError(reason, 2))
    const options: Options = {
      replies: latency + jitter === 0 ? replies : delayed(replies, latency, jitter),
      host: given.host,
      port,
      tls: identity === undefined ? given.tls : { certificate: identity },
      http2: given.http2,
      halfOpen: true,
      maxRecordedRequests: 0,
      onEvent: given.quiet ? undefined : (event) => out(line(event))
    }
    const server = yield* Effect.mapError(start(options), (error) => new CommandError(error.message, 1))
    const { ca } = given
    if (ca !== undefined) {
      yield* Effect.try({
        try: () => fs.writeFileSync(ca, server.ca ?? ""),
        catch: (error) => new CommandError(`${ca} can't be written (${(error as NodeJS.ErrnoException).code})`, 1)
      })
    }
    out(banner(server, given))
    return yield* Effect.never
  }).pipe(Effect.scoped)

const millis = (option: string, given = "0"): Effect.Effect<number, CommandError> =>
  /^\d{1,9}$/.test(given)
    ? Effect.succeed(Number(given))
    : new CommandError(`--${option} takes a number of milliseconds, not ${JSON.stringify(given)}`, 2)

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

const readFile = (path: string): Effect.Effect<string, CommandError> =>
  Effect.try({
    try: () => fs.readFileSync(path, "utf8"),
    catch: (error) => new CommandError(`${path} can't be read (${(error as NodeJS.ErrnoException).code})`, 2)
  })

const identityOf = ({ cert, key }: Given): Effect.Effect<Identity | undefined, CommandError> =>
  Effect.gen(function*() {
    if (cert === undefined && key === undefined) return undefined
    if (cert === undefined || key === undefined) return yield* new CommandError("--cert and --key go together", 2)
    const identity = { certificate: yield* readFile(cert), key: yield* readFile(key) }
    return yield* Effect.try({
      try: () => {
        tls.createSecureContext({ cert: identity.certificate, key: identity.key })
        return identity
      },
      catch: (error) =>
        new CommandError(`${cert} and ${key} are not a certificate and its key: ${(error as Error).message}`, 2)
    })
  })

const version: Effect.Effect<string> = Effect.sync(() => {
  const { version } = JSON.parse(fs.readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    readonly version: string
  }
  return version
})

/** What went wrong, in one line, and the code that the command ends with: 2 for wrong use, 1 for the rest. */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly reason: string
  readonly exitCode: 1 | 2
}> {
  constructor(reason: string, exitCode: 1 | 2) {
    super({ reason, exitCode })
  }

  override get message(): string {
    return this.reason
  }
}

interface Given {
  readonly port: string
  readonly host?: string | undefined
  readonly tls: boolean
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly http2: boolean
  readonly script?: string | undefined
  readonly latency?: string | undefined
  readonly jitter?: string | undefined
  readonly quiet: boolean
  readonly help: boolean
  readonly version: boolean
}

const parse = (args: ReadonlyArray<string>): Effect.Effect<Given, CommandError> =>
  Effect.try({
    try: () => {
      const { values } = parseArgs({
        args: [...args],
        options: {
          port: { type: "string", short: "p", default: "8080" },
          host: { type: "string" },
          tls: { type: "boolean", default: false },
          ca: { type: "string" },
          cert: { type: "string" },
          key: { type: "string" },
          http2: { type: "boolean", default: false },
          script: { type: "string" },
          latency: { type: "string" },
          jitter: { type: "string" },
          quiet: { type: "boolean", default: false },
          help: { type: "boolean", default: false, short: "h" },
          version: { type: "boolean", default: false }
        }
      })
      return values
    },
    catch: (error) => {
      // Node's message goes on with advice about its own rules of arguments.
      const [reason] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
      return new CommandError(`${reason}; --help lists the options`, 2)
    }
  })

const banner = (server: TestServer, given: Given): string => {
  const protocols = given.http2 ? "HTTP/1.1 and HTTP/2" : "HTTP/1.1"
  const trust = !given.tls || given.cert !== undefined
    ? ""
    : given.ca === undefined
    ? "; its certificate is known to nobody, --ca writes its authority to a file"
    : `; ${given.ca} is what to trust`
  return `${server.url} (${protocols}${trust})`
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
