import { checkEndpoint, checkOptions, checkReply } from "@sluice/engine/memory"
import { matches, parseRoute } from "@sluice/engine/routes"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Connection, ConnectionListener } from "../../Connection.js"
import type { Connector } from "../../Connector.js"
import type { Origin } from "../../Origin.js"
import type { TransportError } from "../../TransportError.js"
import { Held } from "./Held.js"
import type * as models from "./memoryModels.js"
import type { MemoryRequest } from "./MemoryRequest.js"
import { dialect } from "./mock/dialect.js"
import { otherClock } from "./otherClock.js"
import { WireConnection } from "./wire/WireConnection.js"

class MemoryDial extends Held<models.Endpoint> implements models.Dial {
  state: models.Dial["state"] = "Dialing"
  constructor(readonly origin: Origin) {
    super()
  }

  ended(exit: Exit.Exit<unknown, unknown>): void {
    this.state = Exit.isSuccess(exit) ? "Connected" : Exit.hasInterrupts(exit) ? "Interrupted" : "Failed"
  }
}

const connectAtOnce = () => Effect.succeed<models.Endpoint>({})
const empty = Effect.succeed<models.Reply>({})
const readAndReply = (request: MemoryRequest) =>
  request.content.isRead ? empty : Effect.andThen(Stream.runDrain(request.body), empty)

class Network {
  readonly dials: Array<MemoryDial> = []
  readonly connections: Array<WireConnection> = []
  readonly requests: Array<models.Request> = []
  readonly faults: Array<string> = []
  open = 0
  maxOpen = 0

  constructor(private readonly options: models.Options) {}

  readonly connector: Connector = {
    protocol: (origin) => this.options.protocol?.(origin) ?? "http/1.1",
    connect: (origin, listener) => this.connect(origin, listener),
    clockProblem: (caller, pool) => {
      const problem = otherClock(caller, pool)
      return problem === undefined ? undefined : new Error(problem)
    }
  }

  private connect(
    origin: Origin,
    listener: ConnectionListener
  ): Effect.Effect<Connection, TransportError, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      const runtime = yield* Effect.context<never>()
      const dial = new MemoryDial(origin)
      this.dials.push(dial)
      let closing: Effect.Effect<void> | undefined = undefined
      yield* Effect.acquireRelease(this.socketOpened, () => Effect.andThen(closing ?? Effect.void, this.socketClosed))
      const endpoint = yield* Effect.onExit(
        Effect.map(
          Effect.suspend(() => (this.options.dial ?? connectAtOnce)(dial)),
          (endpoint) => checkEndpoint(endpoint, dialect)
        ),
        (exit) => Effect.sync(() => dial.ended(exit))
      )
      closing = endpoint.closing
      const connection = yield* Effect.acquireRelease(
        Effect.sync(() => this.connected(origin, endpoint, listener, runtime)),
        (connection) => connection.end
      )
      yield* connection.ready
      return connection
    })
  }

  private respond(request: MemoryRequest): Effect.Effect<models.Reply, TransportError> {
    const reply: unknown = (this.options.respond ?? readAndReply)(request)
    if (Effect.isEffect(reply)) return reply as Effect.Effect<models.Reply, TransportError>
    throw new TypeError("`respond` of MemoryNetwork gave no Effect: it gives `Effect.succeed({ … })`, or fails")
  }

  private connected(
    origin: Origin,
    endpoint: models.Endpoint,
    listener: ConnectionListener,
    runtime: Context.Context<never>
  ): WireConnection {
    const connection = new WireConnection({
      number: this.connections.length + 1,
      origin,
      endpoint,
      listener,
      runtime,
      respond: (request) =>
        Effect.map(Effect.suspend(() => this.respond(request)), (reply) => checkReply(reply, dialect)),
      onRequest: (request) => this.requests.push(request),
      onFault: (fault) => this.faults.push(fault)
    })
    this.connections.push(connection)
    return connection
  }

  private readonly socketOpened = Effect.sync(() => {
    this.open++
    this.maxOpen = Math.max(this.maxOpen, this.open)
  })

  private readonly socketClosed = Effect.sync(() => {
    this.open--
  })
}

export const make = (options: models.Options = {}): Effect.Effect<Network> =>
  Effect.sync(() => new Network(checkOptions(options, dialect)))

export const routes = (
  replies: Readonly<Record<string, models.Reply | NonNullable<models.Options["respond"]>>>
): NonNullable<models.Options["respond"]> => {
  const parsed = Object.entries(replies).map(([key, reply]) => {
    const route = parseRoute(key)
    if ("problem" in route) throw new TypeError(`MemoryNetwork.routes: ${route.problem}`)
    return { route, reply }
  })
  return (request) => {
    const { connection: { origin: { host, port, scheme } }, method, target } = request
    const [path, query = ""] = target.split(/\?(.*)/s, 2)
    const routed = { method, scheme, host: host.toLowerCase(), port: String(port), path, query }
    const found = parsed.find(({ route }) => matches(route, routed))
    if (found === undefined) return Effect.succeed({ status: 404, body: `nothing is at ${method} ${target}` })
    return typeof found.reply === "function" ? found.reply(request) : Effect.succeed(found.reply)
  }
}
