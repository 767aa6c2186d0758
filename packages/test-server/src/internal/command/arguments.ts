import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as tls from "node:tls"
import type { Identity } from "../../TestAuthority.js"
import type { TlsOptions } from "../tls.js"
import { CommandError } from "./CommandError.js"

/** Runs until it is interrupted. `out` gets each line that it prints. */
export type Command = (args: ReadonlyArray<string>, out: (line: string) => void) => Effect.Effect<void, CommandError>

/** What every command has. */
export interface Listening {
  readonly port?: string | undefined
  readonly host?: string | undefined
  readonly help: boolean
  readonly version: boolean
}

export const listening = {
  port: { type: "string", short: "p" },
  host: { type: "string" },
  help: { type: "boolean", default: false, short: "h" },
  version: { type: "boolean", default: false }
} as const

/** What those have that speak TLS. */
export interface Securing {
  readonly tls: boolean
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export const securing = {
  tls: { type: "boolean", default: false },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" }
} as const

/** Reads arguments as Node does, in one line where they are wrong. */
export const read = <A>(parse: () => A): Effect.Effect<A, CommandError> =>
  Effect.try({
    try: parse,
    catch: (error) => {
      // Node's message goes on with advice about its own rules of arguments.
      const [reason] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
      return new CommandError(`${reason}; --help lists the options`, 2)
    }
  })

export const portOf = (given: string): Effect.Effect<number, CommandError> => {
  const port = /^\d{1,5}$/.test(given) ? Number(given) : NaN
  return port <= 65_535
    ? Effect.succeed(port)
    : new CommandError(`--port takes a number from 0 to 65535, not ${JSON.stringify(given)}`, 2)
}

/** An empty one, as of a variable that is not set, would be all addresses. */
export const hostOf = (given: string | undefined): Effect.Effect<string | undefined, CommandError> =>
  given === undefined || given.trim() !== ""
    ? Effect.succeed(given)
    : new CommandError("--host takes an address, as 127.0.0.1, or 0.0.0.0 for all", 2)

export const number = (option: string, expected: string, given: string): Effect.Effect<number, CommandError> =>
  /^\d{1,9}$/.test(given)
    ? Effect.succeed(Number(given))
    : new CommandError(`--${option} takes ${expected}, not ${JSON.stringify(given)}`, 2)

/** A file that an option names. */
export const readFile = (path: string): Effect.Effect<string, CommandError> =>
  Effect.try({
    try: () => fs.readFileSync(path, "utf8"),
    catch: (error) => new CommandError(`${path} can't be read (${(error as NodeJS.ErrnoException).code})`, 2)
  })

/** `host:port`, with an IPv6 address in brackets. */
export const addressOf = (
  option: string,
  given: string
): Effect.Effect<{ readonly host: string; readonly port: number }, CommandError> => {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:=/@\s]+)):(\d{1,5})$/.exec(given) ?? []
  const host = inBrackets ?? plain
  return host !== undefined && Number(port) > 0 && Number(port) <= 65_535
    ? Effect.succeed({ host, port: Number(port) })
    : new CommandError(`--${option} takes host:port, not ${JSON.stringify(given)}`, 2)
}

/** What TLS is spoken with, if it is. */
export const tlsOf = (given: Securing): Effect.Effect<boolean | TlsOptions, CommandError> =>
  Effect.gen(function*() {
    for (const option of ["ca", "cert", "key"] as const) {
      if (given[option] !== undefined && !given.tls) return yield* new CommandError(`--${option} goes with --tls`, 2)
    }
    const identity = yield* identityOf(given)
    if (identity !== undefined && given.ca !== undefined) {
      return yield* new CommandError("--ca has no effect beside --cert: whoever signed that is what to trust", 2)
    }
    return identity === undefined ? given.tls : { certificate: identity }
  })

const identityOf = ({ cert, key }: Securing): Effect.Effect<Identity | undefined, CommandError> =>
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

/** Writes down whom clients are to trust, where that was asked for. */
export const writeAuthority = ({ ca }: Securing, certificate: string | undefined): Effect.Effect<void, CommandError> =>
  ca === undefined ? Effect.void : Effect.try({
    try: () => fs.writeFileSync(ca, certificate ?? ""),
    catch: (error) => new CommandError(`${ca} can't be written (${(error as NodeJS.ErrnoException).code})`, 1)
  })

/** What a client needs to know to trust it. */
export const trustOf = ({ ca, cert, tls }: Securing): string =>
  !tls || cert !== undefined
    ? ""
    : ca === undefined
    ? "; its certificate is known to nobody, --ca writes its authority to a file"
    : `; ${ca} is what to trust`

export const version: Effect.Effect<string> = Effect.sync(() => {
  const { version } = JSON.parse(fs.readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    readonly version: string
  }
  return version
})
