import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { Connection } from "../../src/Connection.js"
import type { Failure } from "../../src/Failure.js"
import type { Host, OpenEvents } from "../../src/Host.js"
import { fromUrl, type Origin } from "../../src/Origin.js"
import { type LeaseOwner, type LeaseTicket, PoolDriver } from "../../src/pool/index.js"
import { limits } from "./model/limits.js"

// Effect 4 runs a fiber that is resumed or interrupted at once, on the stack of whoever does it. Here everything is like
// that: dials and closings call back before they return, and what an owner does in its notification it does at once. Only
// `defer` waits, until the test says `settle`, as a microtask waits for the end of what runs.

const origin = (name: string): Origin => fromUrl(new URL(`http://${name}.test/`))!

interface Dial {
  readonly origin: Origin
  readonly succeed: () => void
  readonly fail: () => void
  isClosed: boolean
}

/** Dials end at once with what `onDial` says; without it, when the test says so. */
const makeWorld = (maxConnections: number, onDial?: (dial: Dial) => void) => {
  let deferred: Array<() => void> = []
  let polls = 0
  /** Whether the stack has a call of the pool's on it. */
  let isInStep = false
  const dials: Array<Dial> = []
  const inStep = <A>(run: () => A): A => {
    const before = isInStep
    isInStep = true
    try {
      return run()
    } finally {
      isInStep = before
    }
  }
  const open = (origin: Origin, events: OpenEvents) => {
    const connection: Connection = {
      protocol: "http/1.1",
      remoteAddress: undefined,
      capacity: 1,
      reusable: true,
      keepAliveHint: undefined,
      exchange: () => {
        throw new Error("nobody sends anything here")
      }
    }
    const dial: Dial = {
      origin,
      isClosed: false,
      succeed: () => inStep(() => events.onConnected(connection)),
      fail: () =>
        inStep(() => {
          events.onFailed({ _tag: "ConnectError", origin: origin.href, reason: "Refused" } as unknown as Failure)
        })
    }
    dials.push(dial)
    onDial?.(dial)
    return {
      close: () => {
        if (dial.isClosed) return
        dial.isClosed = true
        events.onGone()
      }
    }
  }
  const host: Host = {
    elapsed: () => 0,
    wallClock: () => 0,
    sleep: () => () => {},
    afterPoll: (then) => {
      polls++
      deferred.push(then)
    },
    defer: (run) => void deferred.push(run),
    random: () => 0,
    open,
    protocol: () => "http/1.1",
    coalesce: undefined,
    captureContext: () => undefined,
    meter: undefined,
    reportDefect: (what, cause) => {
      throw new Error(what, { cause })
    }
  }
  const driver = new PoolDriver(host, {
    limits: limits({ maxConnections }),
    connectTimeout: Infinity,
    whenFull: "dial",
    unreadBodyGrace: Infinity
  })
  const log: Array<string> = []

  /** Asks for a connection; what it does with it, and with its failure, it does at once. */
  const request = (
    name: string,
    to: Origin,
    onGranted: (ticket: LeaseTicket) => void = () => {},
    onRefused: () => void = () => {}
  ): LeaseTicket => {
    const owner: LeaseOwner = {
      wanted: to,
      caller: name,
      context: undefined,
      describe: () => ({ method: "GET", url: to.href, bodyUnread: false }),
      granted: (ticket) => {
        ok(!isInStep, `${name} is called inside of a step`)
        log.push(`${name} granted`)
        onGranted(ticket)
      },
      refused: (_, failure) => {
        ok(!isInStep, `${name} is called inside of a step`)
        log.push(`${name} refused: ${failure._tag}`)
        onRefused()
      }
    }
    return inStep(() => driver.request(to, owner, Infinity, Infinity))
  }

  return {
    driver,
    dials,
    log,
    request,
    release: (ticket: LeaseTicket) => inStep(() => driver.release(ticket)),
    abandon: (ticket: LeaseTicket) => inStep(() => driver.abandon(ticket)),
    polls: () => polls,
    /** Lets all microtasks run, but no more than so many. */
    settle: (most = 1000) => {
      for (let n = 0; deferred.length > 0 && n < most; n++) {
        const due = deferred
        deferred = []
        for (const run of due) run()
      }
    },
    counts: () => {
      const { closing, leases, open, waiting } = driver.core.state
      return { open, closing, leases: leases.size, waiting }
    }
  }
}

const a = origin("a")
const succeed = (dial: Dial) => dial.succeed()

describe("the pool under a host that runs everything at once", () => {
  it("calls no waiter inside of a step, although the dial has succeeded before it returned", () => {
    const { counts, log, release, request, settle } = makeWorld(1, succeed)
    const first = request("first", a)
    // Its dial has ended within the request; the grant is decided, and not delivered.
    deepStrictEqual([first.state, log], ["Granted", []])
    request("second", a, release)
    settle()
    deepStrictEqual(log, ["first granted"])
    release(first)
    deepStrictEqual(log, ["first granted"])
    settle()
    deepStrictEqual(log, ["first granted", "second granted"])
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 0, waiting: 0 })
  })

  it("nor when the dial fails in it", () => {
    const { counts, log, request, settle } = makeWorld(1, (dial) => dial.fail())
    request("first", a)
    deepStrictEqual(log, [])
    settle()
    deepStrictEqual(log, ["first refused: ConnectError"])
    deepStrictEqual(counts(), { open: 0, closing: 0, leases: 0, waiting: 0 })
  })

  it("a waiter that gives back and asks again within its notification gets the same connection", () => {
    const { counts, dials, log, release, request, settle } = makeWorld(10, succeed)
    const again = (left: number) => (ticket: LeaseTicket) => {
      release(ticket)
      if (left > 0) {
        const next = request(`with ${left} left`, a, again(left - 1))
        // An idle connection is granted by the call itself.
        if (next.state === "Granted") again(left - 1)(next)
      }
    }
    request("first", a, again(5))
    settle()
    strictEqual(dials.length, 1)
    deepStrictEqual(log, ["first granted"])
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 0, waiting: 0 })
  })

  it("an interrupt of another waiter within a notification opens no second connection", () => {
    const { abandon, counts, dials, log, release, request, settle } = makeWorld(1, succeed)
    const held = request("held", a)
    settle()
    const tickets: Array<LeaseTicket> = []
    // A race: who is first interrupts the other, gives back, and asks again.
    const race = (other: number) => (ticket: LeaseTicket) => {
      abandon(tickets[other])
      release(ticket)
      tickets.push(request("again", a))
    }
    tickets.push(request("one", a, race(1)), request("other", a, race(0)))
    release(held)
    settle()
    deepStrictEqual(log, ["held granted", "one granted"])
    strictEqual(tickets[2].state, "Granted")
    strictEqual(dials.length, 1)
    release(tickets[2])
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 0, waiting: 0 })
  })

  it("nor does one of the two that were granted in the same step", () => {
    const { abandon, counts, dials, log, release, request, settle } = makeWorld(2, succeed)
    const held = [request("held", a), request("held", a)]
    settle()
    const tickets: Array<LeaseTicket> = []
    const race = (other: number) => () => {
      abandon(tickets[other])
      tickets.push(request("again", a))
    }
    tickets.push(request("one", a, race(1)), request("other", a, race(0)))
    // Both are decided before either is delivered.
    for (const ticket of held) release(ticket)
    settle()
    // The other's connection has gone to the one that asked again, and the other is never called.
    deepStrictEqual(log.slice(2), ["one granted"])
    deepStrictEqual(tickets.map((_) => _.state), ["Granted", "Settled", "Granted"])
    strictEqual(dials.length, 2)
    deepStrictEqual(counts(), { open: 2, closing: 0, leases: 2, waiting: 0 })
  })

  it("one that is abandoned between the decision and its delivery is not called, and the next one is", () => {
    const { abandon, counts, dials, log, release, request, settle } = makeWorld(1, succeed)
    const held = request("held", a)
    settle()
    const first = request("first", a)
    request("second", a)
    release(held)
    strictEqual(first.state, "Granted")
    abandon(first)
    settle()
    deepStrictEqual(log, ["held granted", "second granted"])
    strictEqual(dials.length, 1)
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 1, waiting: 0 })
  })

  it("one that is abandoned between its refusal and the delivery is not called either", () => {
    const { abandon, counts, log, request, settle } = makeWorld(1, (dial) => dial.fail())
    const first = request("first", a)
    strictEqual(first.state, "Refused")
    abandon(first)
    settle()
    deepStrictEqual([first.state, log], ["Settled", []])
    deepStrictEqual(counts(), { open: 0, closing: 0, leases: 0, waiting: 0 })
  })

  it("one that is refused and asks again within its notification dials once for it", () => {
    let failures = 1
    const { counts, dials, log, request, settle } = makeWorld(
      1,
      (dial) => failures-- > 0 ? dial.fail() : dial.succeed()
    )
    request("first", a, undefined, () => void request("again", a))
    settle()
    deepStrictEqual(log, ["first refused: ConnectError", "again granted"])
    strictEqual(dials.length, 2)
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 1, waiting: 0 })
  })

  it("a connection that is evicted for another origin, and closes at once, leaves one permit for one dial", () => {
    const { counts, dials, log, release, request, settle } = makeWorld(1, succeed)
    request("a", a, release)
    settle()
    request("b", origin("b"), release)
    settle()
    deepStrictEqual(log, ["a granted", "b granted"])
    deepStrictEqual(dials.map((dial) => [dial.origin.host, dial.isClosed]), [["a.test", true], ["b.test", false]])
    deepStrictEqual(counts(), { open: 1, closing: 0, leases: 0, waiting: 0 })
  })

  it("waiters that ask again for ever let the sockets be polled", () => {
    const { abandon, driver, polls, release, request, settle } = makeWorld(1, succeed)
    const held = request("held", a)
    const forever = (ticket: LeaseTicket) => {
      // In this order, so that it is granted by a step and not by its own call.
      request("again", a, forever)
      release(ticket)
    }
    request("first", a, forever)
    release(held)
    settle(300)
    ok(polls() >= 4, `${polls()} polls in 300 drains`)
    for (const ticket of driver.core.state.leases as Iterable<LeaseTicket>) abandon(ticket)
  })
})
