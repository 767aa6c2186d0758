import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { Group, Option } from "../../src/options/index.js"
import * as options from "../../src/options/index.js"

/** What this test takes for a duration: a number. */
const toMillis = (value: unknown): number | undefined => typeof value === "number" && value >= 0 ? value : undefined

const check = (group: Group, given: unknown, path?: string) => options.check(group, given, { toMillis, path })

const problemsOf = (group: Group, given: unknown, path?: string): ReadonlyArray<options.Problem> => {
  const checked = check(group, given, path)
  return checked._tag === "Invalid" ? checked.problems : []
}

const groups: Readonly<Record<string, Group>> = {
  layer: options.layer,
  acquire: options.acquire,
  warm: options.warm,
  redirects: options.redirects,
  retry: options.retry,
  retryBudget: options.retryBudget,
  events: options.events,
  jsonLines: options.jsonLines,
  files: options.files,
  priority: options.priority
}

/** An object with this value at this path. */
const at = (path: string, value: unknown): unknown =>
  path.split(".").reduceRight((inner, name) => ({ [name]: inner }), value)

/** Values that no option takes. */
const wrongForAll: ReadonlyArray<unknown> = [
  null,
  NaN,
  -1,
  -Infinity,
  5n,
  -5n,
  "",
  "soon",
  Symbol("s"),
  new Date(0),
  new Map(),
  Promise.resolve()
]

/** Right ones of each kind, and wrong ones that another kind takes. */
const samples = ({ kind, ...option }: Option<unknown>): {
  readonly right: ReadonlyArray<unknown>
  readonly wrong: ReadonlyArray<unknown>
} => {
  switch (kind._tag) {
    case "Whole":
      return {
        right: [kind.least, kind.least + 1, kind.most],
        wrong: [
          kind.least - 1,
          ...(kind.most === Infinity ? [] : [kind.most + 1, Infinity]),
          1.5,
          2 ** 60,
          "10",
          true,
          {},
          [],
          () => 1
        ]
      }
    case "Either": {
      const each = kind.kinds.map((kind) => samples({ ...option, kind }))
      return { right: each.flatMap(({ right }) => right), wrong: [true, 5] }
    }
    case "Object":
      return { right: [{}], wrong: ["text", true, []] }
    case "Number":
      return { right: [0, 0.5, 7], wrong: [Infinity, "1", true, {}, [], () => 1] }
    case "Duration":
      return { right: [kind.least, Infinity], wrong: [kind.least - 1, "5", true, {}, [], () => 1] }
    case "Choice":
      return { right: kind.values, wrong: [..."abc", "TRUE", "false", 9, [], () => 1] }
    case "Text":
      return { right: ["text", "soon"], wrong: [5, true, {}, [], () => 1] }
    case "Origin":
      return { right: ["http://a.test", "https://[::1]:80/"], wrong: ["a.test", "ftp://a.test", 5, {}] }
    case "Pem":
      return {
        right: ["text", new Uint8Array(3), ["one", new Uint8Array(3)]],
        wrong: [5, true, {}, [], [""], [1], () => 1]
      }
    case "Function":
      return { right: [() => 1, class {}], wrong: [5, true, {}, []] }
    case "Lookup":
      return {
        right: [() => 1, {}, { a: { authorize: () => 1 } }, { pipe: () => 1 }],
        wrong: [5, true, [], { a: 1 }, { a: { authorise: () => 1 } }]
      }
    case "Methods":
      return {
        right: [option.default, Object.fromEntries(kind.names.map((name) => [name, () => true]))],
        wrong: [5, true, {}, [], () => 1]
      }
    case "List":
      return kind.item._tag === "Origin"
        ? { right: [[], ["http://a.test"]], wrong: [5, true, {}, [5], ["a.test"], () => 1] }
        : kind.item._tag === "Text"
        ? { right: [[], ["x-a"]], wrong: [5, true, {}, [5], [""], () => 1] }
        : { right: [[], [200, 503]], wrong: [5, true, {}, ["503"], [99], [NaN], () => 1] }
  }
}

/** One value may stand there instead of a group. */
const isSwitch = (path: string): boolean =>
  ["http2", "decompress", "redirects", "retry", "cookies", "compress", "proxy", "addressPolicy"].includes(path)

const takesText = ({ kind }: Option<unknown>): boolean =>
  kind._tag === "Text" || (kind._tag === "Either" && kind.kinds.some(({ _tag }) => _tag === "Text"))

const isTakenAnyway = ({ kind }: Option<unknown>, value: unknown): boolean =>
  kind._tag === "Either" && kind.kinds.some(({ _tag }) => _tag === "Object") && typeof value === "object" &&
  value !== null

const takes = (option: Option<unknown>, value: unknown): boolean =>
  samples(option).right.some((right) => Object.is(right, value))

describe.each(Object.entries(groups))("The options of %s", (_, group) => {
  const rows = options.rows(group)

  it("have defaults that are right", () => {
    deepStrictEqual(check(group, {}), { _tag: "Valid", value: options.defaultsOf(group) })
    for (const { option, path } of rows) {
      if (option.default !== undefined) deepStrictEqual(problemsOf(group, at(path, option.default)), [], path)
    }
  })

  it("take what is right, and undefined for what is not given", () => {
    for (const { option, path } of rows) {
      const [, within = "", inFiles = "", name] = /^(.*?)tls\.(files\.)?(\w+)$/.exec(path) ?? []
      const rest = name === "cert" ? { key: "text" } : name === "key" ? { cert: "text" } : {}
      for (const value of [undefined, ...samples(option).right]) {
        const given = name === undefined
          ? at(path, value)
          : at(`${within}tls${inFiles === "" ? "" : ".files"}`, { ...rest, [name]: value })
        if (rest !== undefined && value === undefined && Object.keys(rest).length > 0) continue
        deepStrictEqual(problemsOf(group, given), [], `${path}: ${String(value)}`)
      }
    }
  })

  it("refuse every other kind of value, each with its name and what would be right", () => {
    for (const { option, path } of rows) {
      for (const value of [...wrongForAll, ...samples(option).wrong]) {
        const isGroup = isSwitch(path) && typeof value === "object" && value !== null
        if (isGroup || takes(option, value) || (takesText(option) && value === "soon")) continue
        if (isTakenAnyway(option, value)) continue
        if (option.kind._tag === "Pem" && typeof value === "string" && value !== "") continue
        const problems = problemsOf(group, at(path, value))
        const named = option.kind._tag === "List" && Array.isArray(value) ? `${path}[0]` : path
        deepStrictEqual(
          problems.map((problem) => [problem._tag, problem.option]),
          [["InvalidValue", named]],
          `${path}: ${String(value)}`
        )
        const [message] = problems.map(options.describe)
        ok(message.startsWith(`${named} is `) && message.includes("expected "), message)
      }
    }
  })

  it("are each found by a name that one letter is missing in, that is written in another case, or has two exchanged", () => {
    for (const { path } of rows) {
      const name = path.slice(path.lastIndexOf(".") + 1)
      const parent = path.slice(0, path.length - name.length)
      const typos = [
        name.slice(0, 2) + name.slice(3),
        name.slice(0, 1) + name[2] + name[1] + name.slice(3),
        name.toUpperCase(),
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      ]
      for (const typo of typos) {
        if (typo === name || name === "ca") continue
        const [problem, ...others] = problemsOf(group, at(parent + typo, 1))
        deepStrictEqual(others, [])
        deepStrictEqual([problem._tag, problem.option], ["UnknownOption", parent + typo])
        ok(problem._tag === "UnknownOption" && problem.suggestion === path, `${options.describe(problem)} (${path})`)
      }
    }
  })

  it("are reported all at once", () => {
    const wrong = Object.fromEntries(Object.keys(group.fields).map((name) => [name, Symbol("wrong")]))
    const problems = problemsOf(group, { ...wrong, nonsense: 1, "": 2 })
    strictEqual(problems.length, Object.keys(group.fields).length + 2)
    ok(options.describeAll(problems).startsWith(`${problems.length} options are wrong\n- `))
  })

  it("are an object", () => {
    for (const value of [null, "limits", 5, true, [], new Map([["limits", 1]]), Promise.resolve({}), () => ({}), 5n]) {
      deepStrictEqual(problemsOf(group, value).map(({ option }) => option), ["options"])
    }
  })
})

describe("Groups within", () => {
  it.each(["limits", "timeouts", "tls"])("%s is an object", (name) => {
    for (const value of [null, "x", 5, true, [], new Map(), () => ({})]) {
      const [problem, ...others] = problemsOf(options.layer, { [name]: value })
      deepStrictEqual([problem.option, others], [name, []])
      ok(options.describe(problem).endsWith("expected an object"))
    }
  })

  it("http2 is an object, or one of three values", () => {
    deepStrictEqual(problemsOf(options.layer, { http2: "yes" }).map(options.describe), [
      "http2 is a text of 3 characters: expected true, false or \"prior-knowledge\" or an object"
    ])
  })

  it("are named by where they are", () => {
    deepStrictEqual(problemsOf(options.timeouts, { raed: 1, write: "x" }, "timeouts").map(options.describe), [
      "timeouts.raed is not an option: did you mean timeouts.read?",
      "timeouts.write is \"x\": expected a duration that is not negative, as in \"5 seconds\", or \"Infinity\""
    ])
  })
})

describe("A name that is not an option", () => {
  const said = (given: unknown) => problemsOf(options.layer, given).map(options.describe)

  it.each<readonly [unknown, string]>([
    [{ timeouts: { raed: "5 seconds" } }, "timeouts.raed is not an option: did you mean timeouts.read?"],
    [{ limit: {} }, "limit is not an option: did you mean limits?"],
    [{ maxConnections: 5 }, "maxConnections is not an option: did you mean limits.maxConnections?"],
    [
      { timeouts: { maxConnections: 5 } },
      "timeouts.maxConnections is not an option: did you mean limits.maxConnections?"
    ],
    [{ limits: { timeouts: {} } }, "limits.timeouts is not an option: did you mean timeouts?"],
    [{ headersTimeout: 5 }, "headersTimeout is not an option: did you mean timeouts.headers?"],
    [{ rejectUnauthorized: false }, "rejectUnauthorized is not an option: did you mean tls.rejectUnauthorized?"],
    [{ http2: { priorKnowlege: true } }, "http2.priorKnowlege is not an option: did you mean http2.priorKnowledge?"]
  ])("%j", (given, message) => deepStrictEqual(said(given), [message]))

  it("that is like none is reported with those that there are", () => {
    deepStrictEqual(said({ tls: { dispatcher: "secret" } }), [
      "tls.dispatcher is not an option: there are ca, cert, key, passphrase, servername, checkServerIdentity, minVersion, " +
      "maxVersion, rejectUnauthorized, files, pins, pinReport, keyLog"
    ])
  })

  it("is found with undefined as its value, and when it is inherited or one of every object's", () => {
    strictEqual(said({ timeouts: { raed: undefined } }).length, 1)
    strictEqual(said(Object.create({ raed: 1 })).length, 1)
    for (const name of ["constructor", "toString", "hasOwnProperty"]) strictEqual(said({ [name]: 1 }).length, 1)
    strictEqual(said(JSON.parse("{\"__proto__\": {\"limits\": {}}}")).length, 1)
  })
})

describe("A secret", () => {
  const secret = "-----BEGIN PRIVATE KEY-----\nMIIEvQ"

  it("is not shown, wherever it was given", () => {
    for (const { path } of options.rows(options.layer)) {
      for (const value of [secret, [secret], { [secret]: secret }, () => secret]) {
        const problems = problemsOf(options.layer, at(path, value))
        const text = options.describeAll(problems) + JSON.stringify(problems)
        ok(!text.includes("MIIE") || isSwitch(path), `${path}: ${text}`)
      }
    }
    for (const { option, path } of options.rows(options.tls)) {
      if (!option.secret) continue
      for (const value of [12345678, ["hunter2", 12345678], 12345678n]) {
        const text = JSON.stringify(problemsOf(options.layer, { tls: { [path]: value } }))
        ok(!/hunter2|12345678/.test(text), text)
      }
    }
  })

  it("is not shown where a group belongs", () => {
    for (const name of ["tls", "limits", "timeouts", "http2"]) {
      ok(!JSON.stringify(problemsOf(options.layer, { [name]: "hunter2" })).includes("hunter2"))
    }
  })

  it("is what a variable of no option has", () => {
    const known = options.variables(options.layer, "HTTP_CLIENT")
    deepStrictEqual(options.misspelt(["HTTP_CLIENT_SECRET", "HTTP_CLIENT_MAX_CONNECTIONS", "PATH"], known), [])
    deepStrictEqual(options.misspelt(["HTTP_CLIENT_MAX_CONECTIONS"], known), [
      { name: "HTTP_CLIENT_MAX_CONECTIONS", meant: "HTTP_CLIENT_MAX_CONNECTIONS" }
    ])
  })
})

describe("Conflicts", () => {
  const conflicts = (given: unknown) => problemsOf(options.layer, given).map(({ option }) => option)
  const pem = "-----BEGIN"
  it.each<readonly [unknown, string | undefined]>([
    [{ limits: { maxConnections: 5, maxKeepAliveConnections: 6 } }, "limits.maxKeepAliveConnections"],
    [{ limits: { maxKeepAliveConnections: 101 } }, "limits.maxKeepAliveConnections"],
    [{ limits: { maxConnections: 5 } }, undefined],
    [{ limits: { maxConnections: 5, maxKeepAliveConnections: Infinity } }, undefined],
    [{ tls: { cert: pem } }, "tls.key"],
    [{ tls: { key: pem } }, "tls.cert"],
    [{ tls: { cert: pem, key: pem } }, undefined],
    [{ tls: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" } }, "tls.minVersion"],
    [{ tls: { maxVersion: "TLSv1.2" } }, undefined],
    [{ tls: { checkServerIdentity: () => undefined, rejectUnauthorized: false } }, "tls.rejectUnauthorized"],
    [{ tls: { checkServerIdentity: () => undefined } }, undefined]
  ])("of %j", (given, option) => deepStrictEqual(conflicts(given), option === undefined ? [] : [option]))
})

describe("A value that is text", () => {
  const row = (path: string) => {
    const found = options.rows(options.layer).find((row) => row.path === path)
    ok(found !== undefined, path)
    return found.option
  }
  const parse = (path: string, text: string) => options.parse(row(path), text, toMillis)

  it.each<readonly [string, string, unknown]>([
    ["limits.maxConnections", "10", 10],
    ["limits.maxConnections", "Infinity", Infinity],
    ["limits.maxConnections", "", options.invalid],
    ["limits.maxConnections", " 10", options.invalid],
    ["limits.maxConnections", "0x10", options.invalid],
    ["limits.maxConnections", "1e3", options.invalid],
    ["limits.maxConnections", "10 connections", options.invalid],
    ["limits.maxConnections", "0", options.invalid],
    ["limits.maxConnections", "1.5", options.invalid],
    ["http2.coalescing", "true", true],
    ["http2.coalescing", "off", false],
    ["http2.coalescing", "2", options.invalid],
    ["http2", "prior-knowledge", "prior-knowledge"],
    ["http2", "false", false],
    ["http2", "prior", options.invalid],
    ["whenFull", "wait", "wait"],
    ["whenFull", "WAIT", options.invalid],
    ["socketPath", "/run/api.sock", "/run/api.sock"],
    ["socketPath", "", options.invalid],
    ["tls.key", "-----BEGIN", options.invalid]
  ])("%s from %j", (path, text, value) => strictEqual(parse(path, text), value))
})

describe("The names of variables", () => {
  it("are each of one option", () => {
    const names = options.variables(options.layer, "HTTP_CLIENT").map(({ name }) => name)
    deepStrictEqual([...new Set(names)], names)
    ok(names.length > 20)
  })

  it("are none for secrets, functions, and what makes a connection less safe", () => {
    for (const { option, path } of options.rows(options.layer)) {
      if (path.startsWith("tls.") || option.secret || option.kind._tag === "Function") {
        strictEqual(option.variable, undefined)
      }
    }
  })
})
