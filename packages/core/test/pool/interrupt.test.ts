import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ok } from "node:assert"
import * as ConnectionPool from "../../src/ConnectionPool.js"
import { Connector } from "../../src/Connector.js"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.js"
import { ConnectError } from "../../src/TransportError.js"
import * as Tunnel from "../../src/Tunnel.js"
import { play, type Scenario } from "./support/interleave.js"
import { a, b } from "./support/origins.js"
import { send } from "./support/pool.js"
import { randomChoice } from "./support/StepScheduler.js"

// More of them:  INTERLEAVINGS=20000 npx vitest run --project core test/pool/interrupt.test.ts
// Without it the first actor is interrupted at each third step only, at others in each scenario: a minute less.
// Each random one has its seed in the message of its failure.
const stride = process.env.INTERLEAVINGS === undefined ? 3 : 1
const randomPerScenario = Number(process.env.INTERLEAVINGS ?? 15)

type Actor = Scenario["actors"][number]

const acquires = (origin = a): Actor => ({ pool }) => Effect.scoped(pool.acquire(origin))
const sends = (origin = a): Actor => ({ pool }) => send(pool, origin)
/** Holds a connection until other fibers have had their turns, or for some time. */
const holds = (origin = a, millis = 0): Actor => ({ pool }) =>
  Effect.scoped(Effect.zipRight(pool.acquire(origin), millis === 0 ? Effect.yieldNow() : Effect.sleep(millis)))
const servers = (act: (server: MemoryNetwork.Server) => void): Actor => ({ network }) =>
  Effect.sync(() => network.connections.forEach(act))
const inTurn = (...actors: ReadonlyArray<Actor>): Actor => (stage) =>
  Effect.forEach(actors, (actor) => Effect.zipRight(Effect.yieldNow(), actor(stage)), { discard: true })

const tunnels =
  (open: ReturnType<typeof Tunnel.upgrade>, use: (tunnel: Tunnel.Tunnel) => Effect.Effect<void, unknown>): Actor =>
  ({ pool }) => Effect.provideService(Effect.scoped(Effect.flatMap(open, use)), ConnectionPool.ConnectionPool, pool)
const upgrade = Tunnel.upgrade(HttpClientRequest.get(a.href, { headers: { upgrade: "echo" } }))
const connect = Tunnel.connect(HttpClientRequest.get(a.href), "b.test:1")
const writes = (tunnel: Tunnel.Tunnel) => Effect.zipRight(tunnel.write(new Uint8Array(10)), tunnel.end)
const upgrades = tunnels(upgrade, writes)
const connects = tunnels(connect, writes)
const echo = (status: number): MemoryNetwork.Options => ({
  // The window is smaller than what is written.
  dial: () => Effect.succeed({ window: 5 }),
  respond: (request) => Effect.succeed({ status, body: request.body })
})

const one = { limits: { maxConnections: 1 } }
const h2 = (capacity: number): MemoryNetwork.Options => ({
  protocol: () => "h2",
  dial: () => Effect.succeed({ protocol: "h2", capacity })
})
const refused = new ConnectError({ origin: a.href, reason: "Refused", detail: "connection refused" })

const scenarios: ReadonlyArray<Scenario> = [
  // acquire
  { name: "acquire: a new connection", actors: [acquires()] },
  { name: "acquire: an idle connection", before: ({ pool }) => send(pool, a), actors: [acquires()] },
  { name: "acquire: waits for a release", options: one, actors: [holds(), acquires()] },
  { name: "acquire: three in turn over one connection", options: one, actors: [holds(), holds(), holds()] },
  {
    name: "acquire: instead of an idle connection",
    options: one,
    before: ({ pool }) => send(pool, a),
    actors: [acquires(b), acquires(b)]
  },
  { name: "acquire: two origins over one connection", options: one, actors: [holds(a), holds(b)] },
  {
    name: "acquire: instead of a connection that closes slowly",
    options: one,
    network: { dial: () => Effect.succeed({ closing: Effect.sleep(5) }) },
    before: ({ pool }) => send(pool, a),
    actors: [holds(b), holds(a)]
  },
  {
    name: "acquire: the timeout passes when the connection is given back",
    options: { ...one, timeouts: { pool: 10 } },
    actors: [holds(a, 10), acquires(), acquires()]
  },
  {
    name: "acquire: with a timeout of 0",
    options: { ...one, timeouts: { pool: 0 } },
    before: ({ pool }) => send(pool, a),
    actors: [acquires(a), acquires(b)]
  },
  {
    name: "acquire: a full queue",
    options: { limits: { maxConnections: 1, maxPendingRequests: 0 } },
    actors: [holds(), holds()]
  },
  { name: "acquire: the dial fails", network: { dial: MemoryNetwork.refuse }, actors: [acquires(), acquires()] },
  {
    name: "acquire: the second dial fails",
    network: { dial: (dial) => dial.origin === a ? Effect.yieldNow().pipe(Effect.as({})) : Effect.fail(refused) },
    actors: [acquires(a), acquires(b)]
  },
  {
    name: "acquire: the dial takes as long as it may",
    options: { timeouts: { connect: 10 } },
    network: { dial: () => Effect.as(Effect.sleep(10), {}) },
    actors: [acquires(), acquires()]
  },
  {
    name: "acquire: a dial that never ends",
    options: { timeouts: { pool: "Infinity", connect: "Infinity" } },
    network: { dial: MemoryNetwork.hold },
    actors: [(_) => Effect.timeoutOption(acquires()(_), 10), (_) => Effect.timeoutOption(acquires()(_), 10)]
  },
  {
    name: "acquire: nested, at the limit",
    options: { ...one, timeouts: { pool: 10 } },
    actors: [({ pool }) => Effect.scoped(Effect.zipRight(pool.acquire(a), pool.acquire(b)))]
  },
  // Shared connections
  { name: "HTTP/2: shared at once", network: h2(2), actors: [holds(), holds(), holds()] },
  {
    name: "HTTP/2: a cold start decides for all",
    network: { ...h2(10), protocol: () => "unknown" },
    actors: [holds(), holds()]
  },
  {
    name: "HTTP/2: it turns out to be HTTP/1.1",
    options: { limits: { maxConnections: 2 } },
    network: { protocol: () => "unknown" },
    actors: [holds(), holds(), holds()]
  },
  {
    name: "HTTP/2: GOAWAY",
    network: h2(10),
    before: ({ pool }) => send(pool, a),
    actors: [sends(), servers((_) => _.goAway()), sends()]
  },
  {
    name: "HTTP/2: streams are taken away and come back",
    options: one,
    network: h2(2),
    before: ({ pool }) => send(pool, a),
    actors: [holds(), holds(), inTurn(servers((_) => _.setCapacity(0)), servers((_) => _.setCapacity(1)))]
  },
  {
    name: "HTTP/2: one connection, two origins",
    options: one,
    network: h2(10),
    actors: [sends(a), sends(b), sends(a)]
  },
  // What a connection says
  { name: "send: a response", actors: [sends()] },
  { name: "send: over one connection", options: one, actors: [sends(), sends(), sends()] },
  {
    name: "send: the server closes after each response",
    options: one,
    network: { respond: () => Effect.succeed({ headers: { connection: "close" } }) },
    actors: [sends(), sends()]
  },
  {
    name: "send: the server closes",
    options: one,
    before: ({ pool }) => send(pool, a),
    actors: [sends(), servers((_) => _.close()), sends()]
  },
  {
    name: "send: the response breaks off",
    options: one,
    network: { respond: () => Effect.fail(refused) },
    actors: [sends(), sends()]
  },
  // Tunnels
  {
    name: "tunnel: an upgrade",
    network: echo(101),
    actors: [tunnels(upgrade, (tunnel) => Effect.zipRight(writes(tunnel), Stream.runDrain(tunnel.stream)))]
  },
  { name: "tunnel: two over one permit", options: one, network: echo(101), actors: [upgrades, upgrades] },
  { name: "tunnel: refused", network: echo(407), actors: [connects, sends()] },
  {
    name: "tunnel: over HTTP/2, beside requests",
    network: { ...echo(200), ...h2(2) },
    actors: [connects, sends()]
  },
  {
    name: "tunnel: the server closes",
    network: echo(101),
    actors: [upgrades, inTurn(...Array.from({ length: 5 }, () => servers((_) => _.close())))]
  },
  {
    name: "tunnel: the other side takes nothing",
    options: { timeouts: { write: 10 } },
    network: {
      dial: () => Effect.succeed({ window: 5 }),
      respond: () => Effect.succeed({ status: 101, body: Stream.never })
    },
    actors: [upgrades, (_) => Effect.timeoutOption(upgrades(_), 5)]
  },
  { name: "tunnel: the pool closes", network: echo(101), actors: [({ close }) => close, upgrades] },
  // What is kept
  {
    name: "nothing is kept",
    options: { limits: { maxConnections: 1, keepAliveExpiry: 0 } },
    actors: [sends(), sends()]
  },
  {
    name: "one request each",
    options: { limits: { maxConnections: 1, maxRequestsPerConnection: 1 } },
    actors: [sends(), sends()]
  },
  {
    name: "it expires when it is wanted",
    options: { limits: { maxConnections: 1, keepAliveExpiry: 10 } },
    before: ({ pool }) => send(pool, a),
    actors: [
      (_) => Effect.zipRight(Effect.sleep(10), sends()(_)),
      (_) => Effect.zipRight(Effect.sleep(10), sends(b)(_))
    ]
  },
  // Operations
  { name: "warm", actors: [({ pool }) => pool.warm(a, 2)] },
  { name: "warm, and a request", actors: [({ pool }) => pool.warm(a, 2), acquires()] },
  {
    name: "warm, and the dial fails",
    network: { dial: MemoryNetwork.refuse },
    actors: [({ pool }) => pool.warm(a, 2)]
  },
  { name: "evictIdle", before: ({ pool }) => send(pool, a), actors: [({ pool }) => pool.evictIdle, sends()] },
  {
    name: "setLimits",
    options: { limits: { maxConnections: 2 } },
    before: ({ pool }) => send(pool, b),
    actors: [
      holds(),
      holds(),
      ({ pool }) => Effect.zipRight(pool.setLimits({ maxConnections: 1 }), pool.setLimits({ maxConnections: 3 }))
    ]
  },
  { name: "stats", actors: [({ pool }) => Effect.zip(pool.stats, pool.limits), acquires()] },
  {
    name: "events",
    actors: [({ pool }) => Stream.runDrain(Stream.take(pool.events, 1)).pipe(Effect.timeoutOption(5)), sends()]
  },
  // Closing
  { name: "close: idle connections", before: ({ pool }) => send(pool, a), actors: [({ close }) => close, acquires()] },
  { name: "close: while others wait, dial and hold", options: one, actors: [({ close }) => close, holds(), sends(b)] },
  {
    name: "close: with time to drain",
    options: { ...one, drainTimeout: 10 },
    actors: [({ close }) => close, holds(a, 20), holds(a, 5)]
  },
  { name: "close: while it is warmed", actors: [({ close }) => close, ({ pool }) => pool.warm(a, 2)] },
  {
    name: "make, use and close",
    actors: [({ network }) =>
      ConnectionPool.make(one).pipe(
        Effect.flatMap((pool) => send(pool, a)),
        Effect.provideService(Connector, network.connector),
        Effect.scoped
      )]
  }
]

let total = 0

/**
 * The first actor interrupted at each step, and the others at every twentieth, all going on in turn; then steps and
 * interrupts at random.
 */
const explore = (scenario: Scenario, index: number): void => {
  const count = scenario.actors.length
  const inOrder = { choose: () => 0, interrupts: [], maxOps: 2 }
  play(scenario, inOrder).forEach((steps, actor) => {
    for (let at = actor === 0 ? index % stride : 0; at <= steps; at += actor === 0 ? stride : 20) {
      total++
      attempt(
        `actor ${actor} interrupted at step ${at}`,
        () => play(scenario, { ...inOrder, interrupts: [{ actor, at }] })
      )
    }
  })
  for (let seed = 0; seed < randomPerScenario; seed++) {
    total++
    const random = randomChoice(seed)
    const interrupts = Array.from({ length: random(3) }, () => ({ actor: random(count), at: random(count * 100) }))
    attempt(`seed ${seed}`, () => play(scenario, { maxOps: 2 + random(4), choose: random, interrupts }))
  }
}

const attempt = (what: string, run: () => void): void => {
  try {
    run()
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

describe("interrupted at every step, in every order, the pool is as it was, and closed it leaves nothing", () => {
  for (const [index, scenario] of scenarios.entries()) {
    it(scenario.name, { timeout: 3_600_000 }, async () => {
      explore(scenario, index)
      // The runner is to get messages from us: all of it is one long turn of the event loop otherwise.
      await new Promise((resolve) => setImmediate(resolve))
    })
  }

  it("reports how many interleavings ran", () => {
    console.log(`the pool: ${total} interleavings of ${scenarios.length} scenarios`)
    ok(total >= 3_000 || process.env.INTERLEAVINGS !== undefined, `only ${total}`)
  })
})
