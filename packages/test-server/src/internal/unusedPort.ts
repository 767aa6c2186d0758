import * as Effect from "effect/Effect"
import * as net from "node:net"

// Systems give out ports from 32768 (Linux) or 49152 (IANA, macOS, Windows) on. A port from there that was free may be
// another process's a moment later: its server's, or its end of any connection.
const lowest = 20_000
const highest = 32_000

const given = new Set<number>()

const pick = (): number => {
  const port = lowest + Math.floor(Math.random() * (highest - lowest))
  if (given.has(port)) return pick()
  given.add(port)
  return port
}

const isFree = (port: number): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const server = net.createServer().on("error", (error: NodeJS.ErrnoException) =>
      // Windows keeps some ports for itself, and says that they are not permitted.
      resume(error.code === "EADDRINUSE" || error.code === "EACCES" ? Effect.succeed(false) : Effect.die(error)))
    // At every address: what listens at one of them would get some of the connections.
    server.listen(port, () => server.close(() => resume(Effect.succeed(true))))
  })

export const unusedPort: Effect.Effect<number> = Effect.suspend(() => {
  const port = pick()
  return Effect.flatMap(isFree(port), (free) => free ? Effect.succeed(port) : unusedPort)
})
