import type { Socket } from "node:net"
import type { Breaking } from "../Reply.js"
import { afterTwoTurns } from "./turns.js"

/** Closes a connection at once: in order, or by a reset. `tcp` is what lies under `socket` when that is TLS. */
export const breakSocket = (socket: Socket, tcp: Socket, how: Breaking): void => {
  // Node's own resetAndDestroy sends FIN before the reset, so that the client sees an end in order. The flag is what
  // it leaves behind for destroy, which then sends nothing but the reset.
  if (how !== "end") Object.assign(tcp, { resetAndClosing: true })
  tcp.destroy()
  socket.destroy()
}

/** The same once all that was written before has left. */
export const breakOnceWritten = (socket: Socket, tcp: Socket, how: Breaking): void => {
  const close = () => breakSocket(socket, tcp, how)
  // An empty write calls back when all that was written before it has left. A reset that arrives together with data
  // looks like an end in order to a client on libuv, so it comes a little later.
  socket.write("", how === "end" ? close : () => afterTwoTurns(close))
}
