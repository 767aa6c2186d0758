import type { HostTime } from "../Host.js"
import type { Handshake, HandshakeStep, ProxyFailure } from "../network/index.js"
import { Alarm } from "./Alarm.js"
import type { Dial } from "./Dial.js"
import type { OpenSocket } from "./socket.js"

/** How long what comes with a refusal is waited for, in milliseconds. */
const restOfRefusal = 250

/** Speaks with a proxy until it has opened a tunnel, or has not. The socket is whoever's comes next then. */
export const runHandshake = (
  dial: Dial,
  opened: OpenSocket,
  handshake: Handshake,
  time: Pick<HostTime, "sleep">,
  onOpened: () => void,
  onFailed: (failure: ProxyFailure, cause?: Error) => void
): void => {
  const { socket } = opened
  let isOver = false
  const alarm = new Alarm(time, () => fail(handshake.finish()))
  const end = () => {
    isOver = true
    alarm.cancel()
    socket.off("end", onEnd)
    socket.off("close", onEnd)
    socket.off("error", onError)
  }
  const fail = (failure: ProxyFailure, cause?: Error) => {
    if (isOver) return
    end()
    if (!dial.isClosed) onFailed(failure, cause)
  }
  const onEnd = () => fail(handshake.finish())
  const onError = (cause: Error) => fail(handshake.finish(), cause)
  const take = (step: HandshakeStep) => {
    switch (step._tag) {
      case "Continue":
        return
      case "Write":
        return void socket.write(typeof step.bytes === "string" ? Buffer.from(step.bytes, "latin1") : step.bytes)
      case "Refused":
        if (!alarm.isSet) alarm.set(restOfRefusal)
        return
      case "Failed":
        return fail(step.failure)
      case "Opened":
        end()
        if (!dial.isClosed) onOpened()
    }
  }
  socket.on("end", onEnd)
  socket.on("close", onEnd)
  socket.on("error", onError)
  dial.onClosing(end)
  opened.readWith({
    onBytes: (bytes, length) => {
      if (!isOver) take(handshake.receive(bytes, length))
    }
  })
  take(handshake.begin())
}
