import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import { createContext, runInContext } from "node:vm"
import * as ts from "typescript"
import type * as Http1 from "../src/http1/index.js"
import type * as Engine from "../src/index.js"
import type * as Network from "../src/network/index.js"
import type * as Pool from "../src/pool/index.js"

const src = fileURLToPath(new URL("../src", import.meta.url))

/** Loads modules of the engine where there is nothing but the language: no timers, no Buffer, no URL. */
const load = () => {
  const context = createContext({})
  runInContext("delete globalThis.console; delete globalThis.WebAssembly", context)
  const modules = new Map<string, object>()
  const require = (path: string): object => {
    const known = modules.get(path)
    if (known !== undefined) return known
    const exports = {}
    modules.set(path, exports)
    const text = readFileSync(`${src}/${path.replace(/\.js$/, ".ts")}`, "utf8")
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 }
    })
    const run = runInContext(`(function (exports, require) {${outputText}\n})`, context)
    run(exports, (specifier: string) => require(posix.join(posix.dirname(path), specifier)))
    return exports
  }
  return { require, globals: () => runInContext("Object.keys(globalThis)", context) as ReadonlyArray<string> }
}

describe("The engine without a runtime", () => {
  const { globals, require } = load()
  const http1 = require("http1/index.js") as typeof Http1
  const pool = require("pool/index.js") as typeof Pool
  const engine = require("index.js") as typeof Engine

  it("chooses proxies, reads addresses and speaks with a proxy", () => {
    const network = require("network/index.js") as typeof Network
    const found = network.proxiesOf({ http_proxy: "ann:p%40ss@p.test", no_proxy: "10.0.0.0/8" }, (host) => host)
    ok(found !== undefined && "noProxy" in found)
    strictEqual(found.http?.credentials?.password, "p@ss")
    strictEqual(found.noProxy("[::ffff:10.0.0.1]", 80), true)
    const socks = new network.Socks5Handshake("a.test", 443, undefined)
    strictEqual(socks.begin()._tag, "Write")
    strictEqual(network.specialUse(network.parseAddress("64:ff9b::7f00:1")!), "loopback")
  })

  it("encodes a request and parses its response", () => {
    const head = http1.encodeHead({
      method: "GET",
      target: "/",
      host: "example.com",
      headers: {},
      framing: http1.noContent
    })
    strictEqual(head, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    const seen: Array<string> = []
    const parser = new http1.ResponseParser({
      onInformational: () => {},
      onHead: ({ status }) => void seen.push(String(status)),
      onBody: (bytes, start, end) => void seen.push(String.fromCharCode(...bytes.subarray(start, end))),
      onComplete: () => void seen.push("complete")
    }, {
      limits: http1.defaultParserLimits,
      latin1: (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end))
    })
    parser.start("GET")
    const response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    const bytes = Uint8Array.from(response, (character) => character.charCodeAt(0))
    strictEqual(parser.execute(bytes, 0, bytes.length), undefined)
    deepStrictEqual(seen, ["200", "ok", "complete"])
  })

  it("decides to dial, and words a failure", () => {
    strictEqual(typeof pool.PoolCore, "function")
    const failure = engine.Failure.poolClosed({ origin: "http://example.com" })
    strictEqual(engine.describeFailure(failure).includes("http://example.com"), true)
  })

  it("leaves nothing behind in the global object", () => {
    deepStrictEqual([...globals()], [])
  })
})
