import * as Inspectable from "effect/Inspectable"
import type { Chunk, Late, Options, Reply, Response } from "../Reply.js"
import { badGateway, forward } from "./forward.js"
import { isGate } from "./gate.js"
import { Gone } from "./lifetime.js"
import type { BodyShape, Outlet } from "./outlet.js"
import { paced } from "./pace.js"
import * as replies from "./reply.js"
import { generated, headerList, toBytes } from "./reply.js"
import { echoed } from "./requestBody.js"
import type { Route } from "./script.js"
import { passesBodyOn } from "./script.js"
import { dial } from "./tunnel.js"

/** Decides on a reply and plays it. What the script does wrong is reported, to the client too, as far as it can be. */
export const playRoute = async (route: Route, out: Outlet, report: (reason: string) => void): Promise<void> => {
  try {
    await play(await route.decide(out.request, out.lifetime), out)
  } catch (error) {
    if (error instanceof Gone) return
    const reason = error instanceof Error ? error.message : Inspectable.toStringUnknown(error)
    report(`the reply to ${out.request.method} ${out.request.target} failed: ${reason}`)
    if (out.request.status !== undefined) return out.cut("reset")
    const failed = replies.text(`The script failed: ${reason}\n`, { status: 500 })
    // The client may have left.
    await play(failed, out).catch(() => {})
  }
}

/** Plays one reply on an outlet. Rejects with `Gone` if the client leaves in between. */
const play = async (reply: Reply, out: Outlet): Promise<void> => {
  if (!passesBodyOn(reply)) out.request.closeTap()
  switch (reply._tag) {
    case "Never":
      return
    case "Disconnect":
      return out.cut(reply.how)
    case "Tunnel": {
      const { delayBeforeHead, hold, to } = reply.options
      if (hold !== undefined) await out.lifetime.pass(hold)
      if (delayBeforeHead !== undefined) await out.lifetime.sleep(delayBeforeHead)
      if (to === undefined) return out.tunnel(reply.options, undefined)
      const far = await dial(to, out.lifetime)
      return typeof far === "string" ? respond(badGateway(to, far), out) : out.tunnel(reply.options, far)
    }
    case "Forward": {
      const failure = await forward(reply.options, out)
      return failure === undefined ? undefined : respond(failure, out)
    }
    case "Raw": {
      if (reply.options.hold !== undefined) await out.lifetime.pass(reply.options.hold)
      for (const piece of fresh(reply.pieces)) {
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
  const body = bodyOf(reply, out)
  const hasBody = out.head(options, shapeOf(reply))
  const limit = options.abrupt?.afterBytes ?? Infinity
  let written = 0
  if (hasBody && limit > 0) {
    for await (const bytes of paced(body, options.bytesPerSecond, lifetime)) {
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

const bodyOf = ({ body, options }: Response, out: Outlet): AsyncIterable<Uint8Array> => {
  switch (body._tag) {
    case "Empty":
      return played([], options, out)
    case "Bytes":
      return played([body.bytes], options, out)
    case "Generated":
      return played(generated(body.size), options, out)
    case "Chunks":
      return played(fresh(body.pieces), options, out)
    case "Echo":
      return echoed(out)
  }
}

async function* played(chunks: Iterable<Chunk>, options: Options, out: Outlet): AsyncGenerator<Uint8Array> {
  const delay = options.delayBetweenChunks
  for (const chunk of chunks) {
    if (delay !== undefined) await out.lifetime.sleep(delay)
    if (isGate(chunk)) await out.lifetime.pass(chunk)
    else yield toBytes(chunk)
  }
}

/** Iterators that have been sent: there is nothing in them for a second response. */
const spent = new WeakSet<object>()

const fresh = (chunks: Iterable<Chunk>): Iterable<Chunk> => {
  const iterator = chunks[Symbol.iterator]()
  // An array gives a new iterator each time, a generator gives itself.
  if (Object.is(iterator, chunks)) {
    if (spent.has(iterator)) {
      throw new Error(
        "its chunks are a generator, which has been sent before: give an array, or a handler that makes one"
      )
    }
    spent.add(iterator)
  }
  return { [Symbol.iterator]: () => iterator }
}
