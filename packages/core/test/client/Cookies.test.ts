import * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { assert, describe, it } from "@effect/vitest"
import { setCookie } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Cookies from "../../src/Cookies.js"
import * as Redirects from "../../src/Redirects.js"
import { MockHttp } from "../../src/testing/index.js"

/** What is sent to `to` after these fields came from `from`. */
const sent = (from: string, fields: string | ReadonlyArray<string>, to: string, options?: Cookies.Options) =>
  Effect.gen(function*() {
    const jar = yield* Cookies.make(options)
    yield* jar.store(new URL(from), typeof fields === "string" ? [fields] : fields)
    return Option.getOrElse(yield* jar.header(new URL(to)), () => "")
  })

describe("A jar of cookies", () => {
  it.effect.each<readonly [what: string, from: string, field: string, to: string, expected: string]>([
    ["host-only without a domain", "https://a.test/", "a=1", "https://b.a.test/", ""],
    ["host-only, at home", "https://a.test/x/y", "a=1; Path=/", "https://a.test/", "a=1"],
    ["for the hosts below a domain", "https://b.a.test/", "a=1; Domain=.A.test", "https://c.a.test/", "a=1"],
    ["not for another domain", "https://a.test/", "a=1; Domain=b.test", "https://b.test/", ""],
    ["not for a part of a name", "https://a.test/", "a=1; Domain=a.test", "https://nota.test/", ""],
    ["not for a public suffix", "https://a.co.uk/", "a=1; Domain=co.uk", "https://b.co.uk/", ""],
    ["not for a private suffix", "https://a.github.io/", "a=1; Domain=github.io", "https://b.github.io/", ""],
    ["for a public suffix itself", "https://github.io/", "a=1; Domain=github.io", "https://github.io/", "a=1"],
    ["host-only on a public suffix", "https://github.io/", "a=1; Domain=github.io", "https://a.github.io/", ""],
    ["for an address alone", "http://127.0.0.1/", "a=1; Domain=127.0.0.1", "http://127.0.0.1/", "a=1"],
    ["not for a part of an address", "http://127.0.0.1/", "a=1; Domain=0.0.1", "http://127.0.0.1/", ""],
    ["not with a domain beyond ASCII", "https://a.test/", "a=1; Domain=\xe4.test", "https://a.test/", ""],
    ["in its default path", "https://a.test/x/y", "a=1", "https://a.test/x/z", "a=1"],
    ["not beside its path", "https://a.test/", "a=1; Path=/x", "https://a.test/xy", ""],
    ["below its path", "https://a.test/", "a=1; Path=/x", "https://a.test/x/y", "a=1"],
    ["secure over https alone", "https://a.test/", "a=1; Secure", "http://a.test/", ""],
    ["secure not from http", "http://a.test/", "a=1; Secure", "https://a.test/", ""],
    ["SameSite=None with Secure alone", "https://a.test/", "a=1; SameSite=None", "https://a.test/", ""],
    ["SameSite=None; Secure", "https://a.test/", "a=1; SameSite=None; Secure", "https://a.test/", "a=1"],
    ["partitioned with Secure alone", "https://a.test/", "a=1; Partitioned", "https://a.test/", ""],
    ["__Secure- without Secure", "https://a.test/", "__Secure-a=1", "https://a.test/", ""],
    ["__Secure- with Secure", "https://a.test/", "__Secure-a=1; Secure", "https://a.test/", "__Secure-a=1"],
    ["__host- in any case", "https://a.test/", "__hOsT-a=1; Secure; Path=/x", "https://a.test/x", ""],
    ["__Host- with a domain", "https://a.test/", "__Host-a=1; Secure; Path=/; Domain=a.test", "https://a.test/", ""],
    ["__Host- without a path", "https://a.test/", "__Host-a=1; Secure", "https://a.test/", ""],
    ["__Host- as it should be", "https://a.test/", "__Host-a=1; Secure; Path=/", "https://a.test/", "__Host-a=1"],
    ["__Http- without HttpOnly", "https://a.test/", "__Http-a=1; Secure", "https://a.test/", ""],
    ["nameless", "https://a.test/", "value", "https://a.test/", "value"],
    ["nameless with an equals sign", "https://a.test/", "=value", "https://a.test/", "value"],
    ["nameless in disguise", "https://a.test/", "=__Host-a=1; Secure; Path=/", "https://a.test/", ""],
    ["with neither name nor value", "https://a.test/", "=", "https://a.test/", ""],
    ["too large", "https://a.test/", `a=${"x".repeat(4096)}`, "https://a.test/", ""],
    ["as large as may be", "https://a.test/", `a=${"x".repeat(4095)}`, "https://a.test/", `a=${"x".repeat(4095)}`],
    ["with a control character", "https://a.test/", "a=1\x07", "https://a.test/", ""],
    [
      "an attribute too large is ignored",
      "https://a.test/",
      `a=1; Path=/${"x".repeat(1024)}`,
      "https://a.test/",
      "a=1"
    ],
    ["quotes belong to the value", "https://a.test/", "a=\"1\"; Path=/", "https://a.test/", "a=\"1\""],
    ["a later attribute counts", "https://a.test/", "a=1; Path=/x; Path=/", "https://a.test/", "a=1"],
    ["expired", "https://a.test/", "a=1; Max-Age=0", "https://a.test/", ""],
    [
      "Max-Age before Expires",
      "https://a.test/",
      "a=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "https://a.test/",
      "a=1"
    ],
    ["a Max-Age that is none", "https://a.test/", "a=1; Max-Age=1x", "https://a.test/", "a=1"]
  ])("%s", ([, from, field, to, expected]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* sent(from, field, to), expected)
    }))

  it.effect("sends longer paths first, and of the same length the older", () =>
    Effect.gen(function*() {
      const fields = ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/"]
      assert.strictEqual(yield* sent("https://a.test/", fields, "https://a.test/x"), "b=2; a=4; c=3")
    }))

  it.effect("host-only is part of what makes a cookie", () =>
    Effect.gen(function*() {
      const fields = ["a=host; Path=/", "a=domain; Domain=a.test; Path=/"]
      assert.strictEqual(yield* sent("https://a.test/", fields, "https://a.test/"), "a=host; a=domain")
      assert.strictEqual(yield* sent("https://a.test/", fields, "https://b.a.test/"), "a=domain")
    }))

  it.effect("what was set over https is not replaced from http, whatever its path below", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      yield* jar.store(new URL("https://a.test/"), ["a=safe; Secure; Path=/login; Domain=a.test"])
      for (const field of ["a=evil; Path=/login", "a=evil; Path=/login/x", "a=evil; Domain=a.test; Path=/login"]) {
        yield* jar.store(new URL("http://b.a.test/"), [field])
      }
      assert.deepStrictEqual((yield* jar.all).map(({ value }) => value), ["safe"])
      yield* jar.store(new URL("http://b.a.test/"), ["a=other; Path=/"])
      assert.strictEqual((yield* jar.all).length, 2)
    }))

  it.effect("an expired cookie that was set over https is in nobody's way", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      yield* jar.store(new URL("https://a.test/"), ["s=1; Secure; Max-Age=1"])
      yield* jar.store(new URL("http://a.test/"), ["s=2"])
      assert.deepStrictEqual(yield* jar.header(new URL("http://a.test/")), Option.none())
      yield* TestClock.adjust("2 seconds")
      yield* jar.store(new URL("http://a.test/"), ["s=3"])
      assert.deepStrictEqual(yield* jar.header(new URL("http://a.test/")), Option.some("s=3"))
    }))

  it.effect("forgets with time, and nothing lives longer than 400 days", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      const url = new URL("https://a.test/")
      yield* jar.store(url, [
        "a=1; Max-Age=10",
        "b=2; Max-Age=99999999999",
        "c=3",
        "d=4; Expires=Fri, 31 Dec 9999 23:59:59 GMT"
      ])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* jar.header(url), Option.some("b=2; c=3; d=4"))
      yield* TestClock.adjust("400 days")
      assert.deepStrictEqual(yield* jar.header(url), Option.some("c=3"))
      yield* jar.store(url, ["c=; Max-Age=-1"])
      assert.deepStrictEqual(yield* jar.header(url), Option.none())
    }))

  it.effect("keeps no more than its limits: those not secure go first, then what was used least recently", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make({ maxCookies: 4, maxCookiesPerDomain: 2 })
      yield* jar.store(new URL("https://a.test/"), ["a=1; Secure"])
      yield* TestClock.adjust(1)
      yield* jar.store(new URL("https://a.test/"), ["b=2", "c=3; Secure"])
      assert.deepStrictEqual((yield* jar.all).map(({ name }) => name), ["a", "c"])
      yield* TestClock.adjust(1)
      yield* jar.store(new URL("https://b.test/"), ["d=4", "e=5"])
      yield* TestClock.adjust(1)
      yield* jar.header(new URL("https://a.test/"))
      yield* TestClock.adjust(1)
      yield* jar.store(new URL("https://c.test/"), ["f=6"])
      assert.deepStrictEqual((yield* jar.all).map(({ name }) => name), ["a", "c", "e", "f"])
    }))

  it.effect("a persistent jar keeps what is not of the session", () =>
    Effect.gen(function*() {
      const url = new URL("https://a.test/")
      const first = yield* Cookies.makePersistent()
      yield* first.store(url, ["a=1; Max-Age=10", "b=2", "c=3; SameSite=Lax; Max-Age=20"])
      const second = yield* Cookies.makePersistent()
      assert.deepStrictEqual(yield* second.header(url), Option.some("a=1; c=3"))
      yield* (yield* KeyValueStore.KeyValueStore).set("cookies", "{")
      assert.strictEqual((yield* Effect.flip(Cookies.makePersistent())).operation, "load")
    }).pipe(Effect.provide(Cookies.layerKeyValueStore().pipe(Layer.provideMerge(KeyValueStore.layerMemory)))))

  it.effect("a persistent jar is written once for all changes that come while it is written", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      const store: Cookies.CookieStore = {
        load: Effect.succeed([]),
        save: (cookies) => Effect.delay(Effect.sync(() => saved.push(cookies.length)), "1 second")
      }
      const jar = yield* Effect.provideService(Cookies.makePersistent(), Cookies.CookieStore, store)
      const url = new URL("https://a.test/")
      const all = Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        (i) => jar.store(url, [`c${i}=1; Max-Age=10`]),
        { concurrency: "unbounded" }
      )
      const fiber = yield* Effect.fork(all)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(saved, [1, 100])
    }))

  it.effect("what a redirect sets is sent on the next hop, to its own host alone; several fields stay separate", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      const client = (yield* HttpClient.HttpClient).pipe(Cookies.withJar(jar), Redirects.follow())
      yield* client.get("https://a.test/login", { headers: { cookie: "own=1" } })
      const { requests } = yield* MockHttp.MockHttp
      assert.deepStrictEqual(requests.map(({ headers }) => headers["cookie"]), [
        "own=1",
        "own=1; s=1, 2",
        undefined,
        "s=1, 2"
      ])
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://a.test/login", {
        status: 302,
        headers: { location: "/home", "set-cookie": "s=1, 2; Path=/" }
      }),
      MockHttp.on("GET", "https://a.test/home", { status: 302, headers: { location: "https://b.test/" } }),
      MockHttp.on("GET", "https://b.test/", { status: 302, headers: { location: "https://a.test/back" } }),
      MockHttp.on("GET", "https://a.test/back", { status: 200 })
    ]))))
})

describe("Set-Cookie", () => {
  it("takes SameSite by its three values", () => {
    const values = ["Strict", "lax", "NONE", "x", "constructor"]
    assert.deepStrictEqual(values.map((value) => setCookie.parse(`a=1; SameSite=${value}`)?.sameSite), [
      "Strict",
      "Lax",
      "None",
      undefined,
      undefined
    ])
  })

  it("reads dates in any order and form", () => {
    const expected = Date.UTC(2031, 9, 21, 7, 28, 0)
    for (
      const date of [
        "Tue, 21 Oct 2031 07:28:00 GMT",
        "Tuesday, 21-Oct-31 07:28:00 GMT",
        "Tue Oct 21 07:28:00 2031",
        "2031 7:28:0 21 october",
        "21-OCT-2031 07:28:00 +0200"
      ]
    ) assert.strictEqual(setCookie.parseDate(date), expected, date)
    for (
      const wrong of ["", "soon", "31 Feb 2031 00:00:00", "21 Oct 1600 07:28:00", "21 Oct 2031 24:00:00", "21 Oct 2031"]
    ) {
      assert.isUndefined(setCookie.parseDate(wrong), wrong)
    }
    assert.strictEqual(setCookie.parseDate("01 Jan 69 00:00:00"), Date.UTC(2069, 0, 1))
    assert.strictEqual(setCookie.parseDate("01 Jan 70 00:00:00"), 0)
  })
})
