import type { Breaking, Chunk, Late, Options, Reply, Response, TunnelOptions } from "../Reply.js"
import { isGate } from "./gate.js"
import type { Lifetime } from "./lifetime.js"
import type { Received } from "./received.js"
import { generated, headerList, toBytes } from "./reply.js"

type Fields = ReadonlyArray<readonly [string, string]>

/** A body before it is sent. The length is undefined where it is not known. */
export interface BodyShape {
  readonly length: number | undefined
  readonly contentType: string | undefined
}

/** Where a reply goes: an HTTP/1.1 connection or an HTTP/2 stream. */
export interface Outlet {
  readonly request: Received
  readonly lifetime: Lifetime
  /** Writes an informational response. */
  readonly informational: (status: number, headers: Fields) => void
  /** Writes the head. False when the response may have no body (HEAD, 204, 304). */
  readonly head: (options: Options, body: BodyShape) => boolean
  /** Writes a part of the body; the promise is there when the client must be waited for. */
  readonly write: (bytes: Uint8Array) => Promise<void> | undefined
  /** Writes bytes that are no HTTP, or breaks off where that can't be done. */
  readonly raw: (bytes: Uint8Array) => Promise<void> | undefined
  /** What the connection does once what has been written is out, beside everything else. */
  readonly late: (actions: ReadonlyArray<Late>) => void
  readonly finish: (trailers: Fields) => void
  readonly finishRaw: (close: boolean) => void
  /** Breaks off, once what was written is out. */
  readonly cut: (how: Breaking) => void
  readonly tunnel: (options: TunnelOptions) => void
  /** Stops and starts the flow of the request's body. */
  readonly holdBody: (hold: boolean) => void
}

/** Plays one reply on an outlet. Rejects with `Gone` if the client leaves in between. */
export const play = async (reply: Reply, out: Outlet): Promise<void> => {
  switch (reply._tag) {
    case "Never":
      return
    case "Disconnect":
      return out.cut(reply.how)
    case "Tunnel":
      return out.tunnel(reply.options)
    case "Raw": {
      if (reply.options.hold !== undefined) await out.lifetime.pass(reply.options.hold)
      for (const piece of reply.pieces) {
        if (reply.options.delayBetweenChunks !== undefined) await out.lifetime.sleep(reply.options.delayBetweenChunks)
        if (isGate(piece)) await out.lifetime.pass(piece)
        else await out.raw(toBytes(piece))
      }
      if (reply.options.late !== undefined) out.late(lateActions(reply.options.late))
      return out.finishRaw(reply.options.close === true)
    }
    case "Response":
      return respond(reply, out)
  }
}

const respond = async (reply: Response, out: Outlet): Promise<void> => {
  const { lifetime } = out
  const options = reply.options
  for (const { headers, status } of options.informational ?? []) out.informational(status, headerList(headers))
  if (options.hold !== undefined) await lifetime.pass(options.hold)
  if (options.delayBeforeHead !== undefined) await lifetime.sleep(options.delayBeforeHead)
  const hasBody = out.head(options, shapeOf(reply))
  const limit = options.abrupt?.afterBytes ?? Infinity
  let written = 0
  if (hasBody && limit > 0) {
    for await (const bytes of paced(bodyOf(reply, out), options.bytesPerSecond, lifetime)) {
      const part = bytes.subarray(0, limit - written)
      written += part.length
      const blocked = out.write(part)
      if (blocked !== undefined) await blocked
      if (written >= limit) break
    }
  }
  if (options.abrupt !== undefined) return out.cut(options.abrupt.how ?? "end")
  out.finish(headerList(options.trailers))
  if (options.late !== undefined) out.late(lateActions(options.late))
}

const lateActions = (late: NonNullable<Options["late"]>): ReadonlyArray<Late> => isMany(late) ? late : [late]

const isMany = (late: NonNullable<Options["late"]>): late is ReadonlyArray<Late> => Array.isArray(late)

/** How often a body with a limited rate is written, in milliseconds. */
const paceInterval = 50

/** The same bytes, no faster than so many a second. */
async function* paced(
  body: AsyncIterable<Uint8Array>,
  bytesPerSecond: number | undefined,
  lifetime: Lifetime
): AsyncGenerator<Uint8Array> {
  if (bytesPerSecond === undefined) return yield* body
  const step = Math.max(1, Math.floor(bytesPerSecond * paceInterval / 1000))
  let due = performance.now()
  for await (const bytes of body) {
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step)
      yield piece
      due = Math.max(due, performance.now() - paceInterval) + piece.length / bytesPerSecond * 1000
      const wait = due - performance.now()
      if (wait > 0) await lifetime.sleep(wait)
    }
  }
}

const shapeOf = ({ body }: Response): BodyShape => {
  switch (body._tag) {
    case "Empty":
      return { length: 0, contentType: undefined }
    case "Bytes":
      return { length: body.bytes.length, contentType: body.contentType }
    case "Generated":
      return { length: body.size, contentType: undefined }
    case "Chunks":
    case "Echo":
      return { length: undefined, contentType: undefined }
  }
}

async function* bodyOf(reply: Response, out: Outlet): AsyncGenerator<Uint8Array> {
  const delay = reply.options.delayBetweenChunks
  const { body } = reply
  if (body._tag === "Empty") return
  if (body._tag === "Echo") return yield* echoed(out)
  const pieces: Iterable<Chunk> = body._tag === "Bytes"
    ? [body.bytes]
    : body._tag === "Generated"
    ? generated(body.size)
    : body.pieces
  for (const piece of pieces) {
    if (delay !== undefined) await out.lifetime.sleep(delay)
    if (isGate(piece)) await out.lifetime.pass(piece)
    else yield toBytes(piece)
  }
}

const maxQueued = 256 * 1024

async function* echoed(out: Outlet): AsyncGenerator<Uint8Array> {
  const tap = out.request.openTap()
  tap.onDrained = () => out.holdBody(false)
  while (true) {
    await out.lifetime.wait((resume) => tap.whenReady(resume))
    const bytes = tap.take()
    if (bytes === undefined) return
    if (tap.queued > maxQueued) out.holdBody(true)
    yield bytes
  }
}
