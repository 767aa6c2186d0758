import { AsyncResource } from "node:async_hooks"
import type * as http2 from "node:http2"

const { prototype } = AsyncResource

/**
 * Node binds the second half of each HTTP/2 request to an asynchronous context, in case the session is still
 * connecting. Up to Node 24 each function that is bound so gets a deprecated property, made of four functions with
 * changed prototypes, which costs a third of the whole request (nodejs/node#58218; gone with nodejs/node#58618).
 */
const isBindingCostly = "asyncResource" in new AsyncResource("sluice.probe").bind(() => {})

/** What was in the place of `bindOthers` when that was put there: Node's own, or somebody's who watches it. */
let bind = prototype.bind

/** That second half follows at once where the session is connected, in the same context: nothing has to be bound. */
function bindOthers(this: AsyncResource, ...args: Parameters<typeof bind>): ReturnType<typeof bind> {
  return args[0].name === "bound requestOnConnect" ? args[0] as never : bind.apply(this, args)
}

/** Sends the HEADERS of a request. Throws what `session.request` throws. */
export const openStream = (
  session: http2.ClientHttp2Session,
  fields: http2.OutgoingHttpHeaders,
  options: http2.ClientSessionRequestOptions | undefined
): http2.ClientHttp2Stream => {
  const before = prototype.bind
  // A hook that Node calls meanwhile may send a request too: then it is replaced already.
  if (!isBindingCostly || session.connecting || before === bindOthers) return session.request(fields, options)
  // Somebody may have frozen it.
  if (!Reflect.set(prototype, "bind", bindOthers)) return session.request(fields, options)
  bind = before
  try {
    return session.request(fields, options)
  } finally {
    prototype.bind = before
  }
}
