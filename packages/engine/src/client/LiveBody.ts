/**
 * A body that is read from something that is open: a stream of Node or of the web, an iterator. It can be read once. From
 * the moment that its request runs it belongs to the request, which closes it however it ends.
 */
export interface LiveBody {
  /** Why it cannot be sent; undefined while it can. */
  readonly problem: () => string | undefined
  /** Calls the listener when it fails before it is read; at most one. */
  readonly onBroken: (listener: (cause: unknown) => void) => void
  readonly close: () => void
}

/** What was a request's body: in use by one, or closed with it, and then why that ended. */
type Use = { readonly _tag: "InUse" } | { readonly _tag: "Closed"; readonly cause: unknown }

const uses = new WeakMap<object, Use>()

const inUse: Use = { _tag: "InUse" }

/** What this request has in its hands, and nobody else. */
export class OwnedBody {
  /** Why it cannot be sent, whoever owns it. */
  readonly refusal: { readonly problem: string; readonly cause: unknown } | undefined

  constructor(private readonly source: object, private readonly live: LiveBody) {
    const use = uses.get(source)
    const problem = use === undefined
      ? live.problem()
      : use._tag === "InUse"
      ? "it belongs to another request that has not ended"
      : "it belonged to an attempt that has ended, and was closed with it"
    this.refusal = problem === undefined
      ? undefined
      : { problem, cause: use?._tag === "Closed" ? use.cause : undefined }
    if (this.refusal === undefined) uses.set(source, inUse)
  }

  /** With this its request begins: whoever has claimed it has no part in it any more. */
  onBroken(listener: (cause: unknown) => void): void {
    if (this.refusal !== undefined) return
    endClaim(this.source)
    this.live.onBroken(listener)
  }

  /** What was refused is not ours. */
  close(cause: unknown): void {
    if (this.refusal !== undefined || uses.get(this.source) !== inUse) return
    uses.set(this.source, { _tag: "Closed", cause })
    endClaim(this.source)
    this.live.close()
  }
}

/** The life of a raw body, if it has one. Called in the step in which its request is made ready. */
export const liveBodyOf = (body: unknown): OwnedBody | undefined => {
  const live = lifeOf(body)
  return live === undefined ? undefined : new OwnedBody(body as object, live)
}

/** A body that its request has claimed before the transport has taken it. */
export interface Claim {
  /** The request has failed on its way to the transport. */
  readonly close: (cause: unknown) => void
  /** Whoever has it now, it is no longer the request. */
  readonly release: () => void
}

/** By body: whoever has claimed it is told when its request has begun, or failed. */
const claims = new WeakMap<object, () => void>()

const endClaim = (source: object): void => {
  const onTaken = claims.get(source)
  claims.delete(source)
  onTaken?.()
}

/**
 * A request with this body begins to run, and may wait for other things than the transport. Undefined when the body is
 * nothing open, or belongs to another request already.
 */
export const claim = (body: unknown, onTaken: () => void): Claim | undefined => {
  const live = lifeOf(body)
  if (live === undefined) return undefined
  const source = body as object
  if (uses.has(source) || claims.has(source)) return undefined
  claims.set(source, onTaken)
  const release = () => claims.get(source) === onTaken && claims.delete(source)
  return {
    close: (cause) => {
      if (!release()) return
      uses.set(source, { _tag: "Closed", cause })
      live.close()
    },
    release
  }
}

/** From here on what is open does not end the process by an error that nobody listens to. */
export const watch = (body: unknown): void => void lifeOf(body)

/** Each has one, whoever asks: it listens to its body. */
const lives = new WeakMap<object, LiveBody>()

const lifeOf = (body: unknown): LiveBody | undefined => {
  if (typeof body !== "object" || body === null) return undefined
  const known = lives.get(body)
  if (known !== undefined) return known
  const live = isNodeStream(body)
    ? ofNodeStream(body)
    : body instanceof ReadableStream
    ? ofWebStream(body)
    : isIterator(body)
    ? ofIterator(body)
    : undefined
  if (live !== undefined) lives.set(body, live)
  return live
}

/** What is used of a `Readable` of Node, which this package does not know. Those of libraries may lack some of it. */
interface NodeStream {
  readonly readableDidRead?: boolean
  readonly readableFlowing?: boolean | null
  readonly destroyed?: boolean
  readonly errored?: unknown
  readonly on: (event: "error", listener: (cause: unknown) => void) => void
  readonly destroy: () => void
}

const isNodeStream = (body: object): body is NodeStream =>
  "pipe" in body && typeof body.pipe === "function" && "destroy" in body && typeof body.destroy === "function" &&
  "on" in body && typeof body.on === "function"

const ofNodeStream = (stream: NodeStream): LiveBody => {
  let broken: { readonly cause: unknown } | undefined = undefined
  let listener: ((cause: unknown) => void) | undefined = undefined
  // It stays: an error that nobody listens to ends the process, and one may come after all else.
  stream.on("error", (cause) => {
    broken ??= { cause }
    listener?.(cause)
  })
  return {
    problem: () => {
      if (stream.readableDidRead === true || stream.readableFlowing === true) {
        return "it is a stream that has been read from"
      }
      // Its listener is notified of it.
      if (broken !== undefined) return undefined
      return stream.destroyed === true || (stream.errored ?? undefined) !== undefined
        ? "it is a stream that has been closed"
        : undefined
    },
    onBroken: (onBroken) => {
      listener = onBroken
      if (broken !== undefined) onBroken(broken.cause)
    },
    close: () => {
      listener = undefined
      stream.destroy()
    }
  }
}

const ofWebStream = (stream: ReadableStream): LiveBody => ({
  problem: () => stream.locked ? "it is a stream that somebody else reads" : readFrom(stream),
  // One that has failed says so when it is read.
  onBroken: () => {},
  close: () => {
    if (!stream.locked) stream.cancel().catch(() => {})
  }
})

/** The web has no name for it: what has been read from is no body of a response (Fetch, "extract a body"). */
const readFrom = (stream: ReadableStream): string | undefined => {
  try {
    new Response(stream)
    return undefined
  } catch {
    return "it is a stream that has been read from"
  }
}

/** A generator, say: what it gives, it gives once. */
const isIterator = (body: object): body is AsyncIterator<unknown> =>
  Symbol.asyncIterator in body && "next" in body && typeof body.next === "function"

const ofIterator = (iterator: AsyncIterator<unknown>): LiveBody => ({
  problem: () => undefined,
  onBroken: () => {},
  close: () => {
    // It may throw at once, or be none that can be ended.
    Promise.resolve().then(() => iterator.return?.()).catch(() => {})
  }
})
