import { AwsSignature, Digest, HttpClientLayer, Netrc } from "@sluice/node"
import { FaultProxy, FramePeer, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import { match, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"

const wrong = (value: unknown): never => value as never

const keys = Effect.succeed({ accessKeyId: "id", secretAccessKey: Redacted.make("hunter2") })
const layered = (options: unknown) => Effect.scoped(Layer.build(HttpClientLayer.layerConfig(wrong(options))))
const to = { host: "127.0.0.1", port: 1 }

/** What is done with a value that is wrong, and how the message begins. */
const cases: Readonly<Record<string, readonly [(value: unknown) => unknown, ReadonlyArray<unknown>]>> = {
  "AwsSignature": [(value) => AwsSignature.make(wrong(value)), [undefined, null, 5, []]],
  "AwsSignature.region": [
    (value) => AwsSignature.make(wrong({ region: value, service: "s3", keys })),
    [undefined, null, "", 5]
  ],
  "AwsSignature.keys": [
    (value) => AwsSignature.make(wrong({ region: "eu", service: "s3", keys: value })),
    [undefined, null, "hunter2", {}]
  ],
  "Digest.make: username": [(value) => Digest.make(wrong(value), Redacted.make("hunter2")), [undefined, null, 5]],
  "Digest.make: password": [(value) => Digest.make("user", wrong(value)), [undefined, null, "hunter2"]],
  "Netrc.parse: text": [(value) => Netrc.parse(wrong(value)), [undefined, null, 5, new Uint8Array()]],
  "Netrc": [(value) => Netrc.parse("", wrong(value)), [null, 5, "yes"]],
  "Netrc.insecure": [(value) => Netrc.parse("", wrong({ insecure: value })), [null, "yes", 1]],
  "HttpClientLayer.config: prefix": [(value) => HttpClientLayer.config(wrong(value)), [null, "", 5]],
  "options": [layered, [undefined, null, 5, "x", []]],
  "limits.maxConnections": [(value) => layered({ limits: { maxConnections: value } }), [5, "5", null, NaN]],
  "TestServer": [(value) => TestServer.make(wrong(value)), [null, 5, "x", []]],
  "TestServer.port": [(value) => TestServer.make(wrong({ port: value })), [null, NaN, -1, 65_536, "80", 80n]],
  "TestServer.keepAliveTimeout": [(value) => TestServer.make(wrong({ keepAliveTimeout: value })), [
    null,
    "soon",
    -1,
    NaN
  ]],
  "TestProxy.tls": [(value) => TestProxy.make(wrong({ tls: value })), [null, "yes", 1]],
  "FaultProxy": [(value) => FaultProxy.make(wrong(value)), [undefined, null, 5]],
  "FaultProxy.to": [(value) => FaultProxy.make(wrong({ to: value })), [
    undefined,
    null,
    {},
    { host: "a" },
    "127.0.0.1:1"
  ]],
  "FaultProxy: plan.instead": [(value) => FaultProxy.make(wrong({ to, plan: { instead: value } })), [
    null,
    "stop",
    true
  ]],
  "FaultProxy: plan[1].delay": [(value) => FaultProxy.make(wrong({ to, plan: [{}, { delay: value }] })), [
    null,
    "soon",
    -1
  ]],
  "FaultProxy.random: seed": [(value) => FaultProxy.random(wrong(value)), [undefined, null, NaN, 1.5, 5n, "5"]],
  "FramePeer.settings": [(value) => FramePeer.make(wrong({ settings: value })), [null, 5, "x"]],
  "TestAuthority.use": [(value) => TestAuthority.selfSigned(wrong({ use: value })), [null, "servers"]],
  "TestAuthority.commonName": [(value) => TestAuthority.make(wrong(value)), [null, "", 5]]
}

const outcomeOf = (run: () => unknown): unknown => {
  try {
    const made = run()
    if (!Effect.isEffect(made)) return made
    return Either.merge(Effect.runSync(Effect.either(Effect.scoped(made as Effect.Effect<unknown>))))
  } catch (thrown) {
    return Runtime.isFiberFailure(thrown) ? Cause.squash(thrown[Runtime.FiberFailureCauseId]) : thrown
  }
}

describe("an argument that is wrong", () => {
  for (const [option, [run, values]] of Object.entries(cases)) {
    it(`is named: ${option}`, () => {
      for (const value of values) {
        const error = outcomeOf(() => run(value))
        ok(error instanceof Error && error.message.startsWith(`${option} is `), `${String(value)}: ${String(error)}`)
        match(error.message, /: expected /)
        ok(!error.message.includes("hunter2"), "what may be secret is not shown")
      }
    })
  }

  it("that has a name which there is not is told the right one", () => {
    const misspelt: ReadonlyArray<readonly [() => unknown, RegExp]> = [
      [
        () => TestServer.make(wrong({ repleis: {} })),
        /^TestServer\.repleis is not an option: did you mean TestServer\.replies/
      ],
      [() => FaultProxy.make(wrong({ to, plans: [] })), /did you mean FaultProxy\.plan/],
      [
        () => FaultProxy.make(wrong({ to, plan: { down: { fault: [] } } })),
        /did you mean FaultProxy: plan\.down\.faults/
      ],
      [() => Netrc.parse("", wrong({ insecur: true })), /did you mean Netrc\.insecure/],
      [() => AwsSignature.make(wrong({ regio: "eu", service: "s3", keys })), /did you mean AwsSignature\.region/]
    ]
    for (const [run, message] of misspelt) {
      const error = outcomeOf(run)
      ok(error instanceof Error)
      match(error.message, message)
    }
  })

  it("a configuration may have empty groups, or nothing in it", async () => {
    const build = (options: Parameters<typeof HttpClientLayer.layerConfig>[0]) =>
      Effect.runPromise(
        Effect.scoped(Layer.build(HttpClientLayer.layerConfig(options))).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["MOST", "7"]]))),
          Effect.as("built")
        )
      )
    strictEqual(await build(wrong({})), "built")
    strictEqual(await build(wrong({ limits: {}, timeouts: {} })), "built")
    strictEqual(await build({ limits: { maxConnections: Config.integer("MOST") } }), "built")
  })
})
