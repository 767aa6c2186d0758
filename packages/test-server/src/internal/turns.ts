/**
 * Calls back when the event loop has asked twice for what has come over the sockets: the first time may have taken its
 * events before the ones in question came.
 */
export const afterTwoTurns = (go: () => void): void => {
  setImmediate(() => setImmediate(go))
}

/**
 * Calls back when the ends of connections that came over the sockets before have been seen. Over TLS that takes two
 * turns more: one in which the session learns of the end, and one in which its socket closes.
 */
export const afterFourTurns = (go: () => void): void => afterTwoTurns(() => afterTwoTurns(go))
