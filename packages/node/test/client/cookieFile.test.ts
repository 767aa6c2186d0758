import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, it } from "@effect/vitest"
import * as Cookies from "@sluice/core/Cookies"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

it.scopedLive("cookies in a file: whole, for its owner alone, and of the session none", () =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const path = `${folder}/cookies.json`
    const url = new URL("https://a.test/")
    const jar = Cookies.makePersistent().pipe(Effect.provide(Cookies.layerFile(path)))
    const first = yield* jar
    yield* first.store(url, ["a=1; Max-Age=1000", "b=2"])
    assert.deepStrictEqual(yield* (yield* jar).header(url), Option.some("a=1"))
    assert.deepStrictEqual(yield* files.readDirectory(folder), ["cookies.json"])
    assert.strictEqual((yield* files.stat(path)).mode & 0o777, 0o600)
    yield* files.writeFileString(path, "no JSON")
    const error = yield* Effect.flip(jar)
    assert.deepInclude(error, { _tag: "CookieStoreError", operation: "load", store: path })
    assert.strictEqual(
      error.message,
      `The stored cookies cannot be read from ${path}: what is there is no list of cookies`
    )
    const nowhere = `${folder}/none/cookies.json`
    const store = yield* Effect.provide(Cookies.CookieStore, Cookies.layerFile(nowhere))
    const failed = yield* Effect.flip(store.save([]))
    assert.strictEqual(failed.message, `The cookies cannot be stored in ${nowhere}: there is no such folder`)
    assert.deepInclude(JSON.parse(JSON.stringify(failed)), { message: failed.message, store: nowhere })
  }).pipe(Effect.provide(NodeFileSystem.layer)))
