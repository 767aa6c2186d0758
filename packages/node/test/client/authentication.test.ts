import { NodeFileSystem } from "@effect/platform-node"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Credentials from "@sluice/core/Credentials"
import { challengesOf } from "@sluice/engine/client"
import { AwsSignature, Digest, Netrc } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { createHash } from "node:crypto"

type Responder = (request: HttpClientRequest.HttpClientRequest) => Response

const clientOf = (respond: Responder) => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) => {
    requests.push(request)
    return Effect.succeed(HttpClientResponse.fromWeb(request, respond(request)))
  })
  return { client, requests }
}

/** A server of RFC 7616, written from its section 3.4 and independent of the client. */
const digestServer = (challenge: string, hash: string, nonces: { valid: string }): Responder => (request) => {
  const params = challengesOf(request.headers["authorization"] ?? "")[0]?.params
  const h = (text: string) => createHash(hash).update(text).digest("hex")
  const asked = challenge.replaceAll("NONCE", nonces.valid)
  if (params === undefined || params["nonce"] !== nonces.valid) {
    const stale = params === undefined ? "" : ", stale=true"
    return new Response(null, { status: 401, headers: { "www-authenticate": `${asked}${stale}` } })
  }
  const user = asked.includes("userhash=true") ? h("ada:r") : "ada"
  let a1 = h("ada:r:secret")
  if (asked.includes("-sess")) a1 = h(`${a1}:${params["nonce"]}:${params["cnonce"]}`)
  const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
  const a2 = params["qop"] === "auth-int"
    ? h(`${request.method}:${params["uri"]}:${h(body)}`)
    : h(`${request.method}:${params["uri"]}`)
  const expected = params["qop"] === undefined
    ? h(`${a1}:${params["nonce"]}:${a2}`)
    : h(`${a1}:${params["nonce"]}:${params["nc"]}:${params["cnonce"]}:${params["qop"]}:${a2}`)
  return params["response"] === expected && params["username"] === user && params["uri"] === "/dir/index.html?q=1"
    ? new Response(null, { status: 200, headers: { nc: params["nc"] ?? "" } })
    : new Response(null, { status: 401, headers: { "www-authenticate": asked } })
}

const url = "http://a.test/dir/index.html?q=1"

describe("Digest", () => {
  it.effect.each<readonly [string, string]>([
    ["Digest realm=\"r\", nonce=\"NONCE\"", "md5"],
    ["Digest realm=\"r\", qop=\"auth\", nonce=\"NONCE\", algorithm=MD5-sess, opaque=\"o\"", "md5"],
    ["Digest realm=\"r\", qop=\"auth,auth-int\", nonce=\"NONCE\", algorithm=SHA-256", "sha256"],
    ["Digest realm=\"r\", qop=\"auth-int\", nonce=\"NONCE\", algorithm=SHA-256-sess", "sha256"],
    ["Digest realm=\"r\", qop=\"auth\", nonce=\"NONCE\", algorithm=SHA-512-256, userhash=true", "sha512-256"],
    [
      "Basic realm=\"r\", Digest realm=\"r\", qop=auth, nonce=\"NONCE\", algorithm=MD5, " +
      "Digest realm=\"r\", qop=\"auth\", nonce=\"NONCE\", algorithm=SHA-256",
      "sha256"
    ]
  ])("%s", ([challenge, hash]) =>
    Effect.gen(function*() {
      const nonces = { valid: "n1" }
      const { client, requests } = clientOf(digestServer(challenge, hash, nonces))
      const digest = yield* Digest.make("ada", Redacted.make("secret"))
      const authorized = Credentials.withCredentials(client, { "http://a.test": digest })
      const post = HttpClientRequest.bodyText(HttpClientRequest.post(url), "content")
      assert.strictEqual((yield* authorized.execute(post)).status, 200)
      assert.strictEqual((yield* authorized.execute(post)).status, 200)
      assert.strictEqual(requests.length, 3, "the second uses the nonce again")
      nonces.valid = "n2"
      assert.strictEqual((yield* authorized.get(url)).status, 200)
      assert.strictEqual(requests.length, 5)
    }))

  it.effect.each(["MD5", "MD5-sess"])(
    "takes the next nonce from Authentication-Info, with %s",
    (algorithm) =>
      Effect.gen(function*() {
        const nonces = { valid: "n1" }
        const challenge = `Digest realm="r", qop="auth", nonce="NONCE", algorithm=${algorithm}`
        const md5 = (text: string) => createHash("md5").update(text).digest("hex")
        let first: { readonly nonce: string; readonly cnonce: string } | undefined
        const { client, requests } = clientOf((request) => {
          const params = challengesOf(request.headers["authorization"] ?? "")[0]?.params
          if (params === undefined || params["nonce"] !== nonces.valid) {
            return new Response(null, {
              status: 401,
              headers: { "www-authenticate": challenge.replace("NONCE", nonces.valid) }
            })
          }
          // Of the session's first nonce, though there are others now.
          first ??= { nonce: params["nonce"], cnonce: params["cnonce"] }
          const secret = md5("ada:r:secret")
          const a1 = algorithm === "MD5" ? secret : md5(`${secret}:${first.nonce}:${first.cnonce}`)
          const { cnonce, nc, nonce, qop, uri } = params
          const isRight = params["response"] === md5(`${a1}:${nonce}:${nc}:${cnonce}:${qop}:${md5(`GET:${uri}`)}`)
          nonces.valid += "+"
          return new Response(null, {
            status: isRight && nc === "00000001" ? 200 : 500,
            headers: { "authentication-info": `qop=auth, nextnonce="${nonces.valid}"` }
          })
        })
        const digest = yield* Digest.make("ada", Redacted.make("secret"))
        const authorized = Credentials.withCredentials(client, { "http://a.test": digest })
        for (let i = 0; i < 3; i++) assert.strictEqual((yield* authorized.get(url)).status, 200)
        assert.strictEqual(requests.length, 4)
      })
  )

  it.effect("a name that is not ASCII is sent as RFC 8187 has it", () =>
    Effect.gen(function*() {
      const { client, requests } = clientOf(digestServer("Digest realm=\"r\", nonce=\"NONCE\"", "md5", { valid: "n" }))
      const digest = yield* Digest.make("J\u00e4s\u00f8n (o'Doe)*", Redacted.make("secret"))
      yield* Credentials.withCredentials(client, { "http://a.test": digest }).get(url)
      assert.include(requests[1].headers["authorization"], "username*=UTF-8''J%C3%A4s%C3%B8n%20%28o%27Doe%29%2A,")
    }))

  it.effect("a body that is not at hand is not sent twice for auth-int, which it could not be authorized with", () =>
    Effect.gen(function*() {
      const challenge = "Digest realm=\"r\", qop=\"auth-int\", nonce=\"NONCE\""
      const { client, requests } = clientOf(digestServer(challenge, "md5", { valid: "n" }))
      const digest = yield* Digest.make("ada", Redacted.make("secret"))
      const form = HttpClientRequest.bodyFormData(HttpClientRequest.post(url), new FormData())
      const response = yield* Credentials.withCredentials(client, { "http://a.test": digest }).execute(form)
      assert.strictEqual(response.status, 401)
      assert.strictEqual(requests.length, 1)
      const bytes = HttpClientRequest.setBody(form, HttpBody.raw(new URLSearchParams({ a: "1" })))
      yield* Credentials.withCredentials(client, { "http://a.test": digest }).execute(bytes)
      assert.strictEqual(requests.length, 3)
    }))

  it.effect("a realm that is not ASCII is hashed as it was sent", () =>
    Effect.gen(function*() {
      const realm = "\u00fcber"
      const sent = Buffer.from(realm).toString("latin1")
      const { client, requests } = clientOf(() =>
        new Response(null, { status: 401, headers: { "www-authenticate": `Digest realm="${sent}", nonce="n"` } })
      )
      const digest = yield* Digest.make("ada", Redacted.make("secret"))
      yield* Credentials.withCredentials(client, { "http://a.test": digest }).get(url)
      const params = challengesOf(requests[1].headers["authorization"])[0].params
      const h = (text: string) => createHash("md5").update(text).digest("hex")
      assert.strictEqual(params["realm"], sent)
      assert.strictEqual(params["response"], h(`${h(`ada:${realm}:secret`)}:n:${h("GET:/dir/index.html?q=1")}`))
    }))

  it.effect("ends when the credentials themselves are refused", () =>
    Effect.gen(function*() {
      const { client, requests } = clientOf(digestServer("Digest realm=\"r\", nonce=\"NONCE\"", "md5", { valid: "n" }))
      const digest = yield* Digest.make("ada", Redacted.make("wrong"))
      const authorized = Credentials.withCredentials(client, { "http://a.test": digest })
      assert.strictEqual((yield* authorized.get(url)).status, 401)
      assert.strictEqual((yield* authorized.get(url)).status, 401)
      assert.strictEqual(requests.length, 3)
    }))

  it.effect("has the response that RFC 7616 §3.9.1 shows", () =>
    Effect.gen(function*() {
      // Its cnonce cannot be chosen here; the server above is held to the RFC instead.
      const h = (text: string) => createHash("sha256").update(text).digest("hex")
      const nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
      const a1 = h("Mufasa:http-auth@example.org:Circle of Life")
      const cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
      assert.strictEqual(
        h(`${a1}:${nonce}:00000001:${cnonce}:auth:${h("GET:/dir/index.html")}`),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
      )
    }))
})

describe("AwsSignature", () => {
  const keys = Effect.succeed({
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: Redacted.make("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  })
  const sign = (request: HttpClientRequest.HttpClientRequest, service = "service") =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2015, 7, 30, 12, 36, 0))
      const signed = yield* AwsSignature.make({ region: "us-east-1", service, keys }).authorize(request)
      return /Signature=(.*)$/.exec(signed.headers["authorization"])?.[1]
    })

  // From AWS's documentation and test suite.
  it.effect.each<readonly [string, HttpClientRequest.HttpClientRequest, string, string]>([
    [
      "get-vanilla",
      HttpClientRequest.get("https://example.amazonaws.com/"),
      "service",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    ],
    [
      "get-vanilla-query-order-key-case",
      HttpClientRequest.get("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
      "service",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    ],
    [
      "ListUsers",
      HttpClientRequest.get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", {
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }
      }),
      "iam",
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    ],
    ...([
      ["empty-query-key", "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"],
      [
        "query-unreserved",
        "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=" +
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
      ],
      ["utf8-query", "/?\u1234=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"],
      [
        "unreserved",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
      ],
      [
        "relative-relative",
        "/example1/example2/../..",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
      ],
      ["slash-pointless-dot", "/./example", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"],
      ["slashes", "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"]
    ] as const).map(([name, path, expected]) =>
      [`get-${name}`, HttpClientRequest.get(`https://example.amazonaws.com${path}`), "service", expected] as const
    ),
    [
      "post-x-www-form-urlencoded",
      HttpClientRequest.post("https://example.amazonaws.com/").pipe(
        HttpClientRequest.bodyText("Param1=value1", "application/x-www-form-urlencoded")
      ),
      "service",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    ],
    [
      "post-vanilla-query",
      HttpClientRequest.post("https://example.amazonaws.com/?Param1=value1"),
      "service",
      "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
    ],
    [
      "a Host of one's own",
      HttpClientRequest.get("https://127.0.0.1/", { headers: { host: "example.amazonaws.com" } }),
      "service",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    ],
    [
      "post-vanilla",
      HttpClientRequest.post("https://example.amazonaws.com/"),
      "service",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    ]
  ])("%s", ([, request, service, expected]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* sign(request, service), expected)
    }))

  it.effect("the same however a URL is encoded, and by value where names are the same", () =>
    Effect.gen(function*() {
      const base = "https://example.amazonaws.com/"
      const signature = (path: string) => sign(HttpClientRequest.get(base + path), "s3")
      assert.strictEqual(yield* signature("a%2Bb?x=%7e&x=1"), yield* signature("a+b?x=1&x=~"))
      assert.notStrictEqual(yield* signature("a%20b"), yield* signature("a+b"))
    }))

  it.effect("a space in a query is sent and signed as one, however it was written", () =>
    Effect.gen(function*() {
      const signer = AwsSignature.make({ region: "us-east-1", service: "service", keys })
      const base = HttpClientRequest.get("https://example.amazonaws.com/")
      for (
        const request of [
          HttpClientRequest.setUrlParam(base, "q", "a b"),
          HttpClientRequest.setUrl(base, "https://example.amazonaws.com/?q=a+b")
        ]
      ) {
        const signed = yield* signer.authorize(request)
        assert.strictEqual(signed.url, "https://example.amazonaws.com/?q=a%20b")
        assert.deepStrictEqual(signed.urlParams, [])
      }
      assert.strictEqual(
        yield* sign(HttpClientRequest.setUrlParam(base, "q", "a b")),
        yield* sign(HttpClientRequest.setUrl(base, "https://example.amazonaws.com/?q=a%20b"))
      )
    }))

  it.effect("empty segments of a path count for nothing, but for S3", () =>
    Effect.gen(function*() {
      const signature = (path: string, service: string) =>
        sign(HttpClientRequest.get(`https://example.amazonaws.com${path}`), service)
      assert.strictEqual(yield* signature("//a///b/", "service"), yield* signature("/a/b/", "service"))
      assert.notStrictEqual(yield* signature("//a", "s3"), yield* signature("/a", "s3"))
    }))
})

describe("Netrc", () => {
  const text = `# comment
machine a.test login ada password "se cret"
macdef init
machine evil.test login x password y

machine b.test
  login bob
  account z
  password pw
machine b.test login other password other
default login anonymous password guest`

  it.effect("finds who is meant, over https", () =>
    Effect.gen(function*() {
      const sent = (at: string, options?: { readonly insecure: boolean }) => {
        const credential = Netrc.parse(text, options)(new URL(at))
        return credential === undefined ? Effect.succeed(undefined) : Effect.map(
          credential.authorize(HttpClientRequest.get(at)),
          ({ headers }) => Buffer.from(headers["authorization"].slice(6), "base64").toString()
        )
      }
      assert.strictEqual(yield* sent("https://a.test/"), "ada:se cret")
      assert.strictEqual(yield* sent("https://b.test:8443/"), "bob:pw")
      assert.strictEqual(yield* sent("https://evil.test/"), "anonymous:guest")
      assert.isUndefined(yield* sent("http://a.test/"))
      assert.strictEqual(yield* sent("http://a.test/", { insecure: true }), "ada:se cret")
      assert.isUndefined(Netrc.parse("machine a.test login ada")(new URL("https://a.test/")))
    }))

  const found = (text: string, at = "https://a.test/") =>
    Option.fromNullable(Netrc.parse(text)(new URL(at))).pipe(
      Option.map((credential) => Effect.runSync(credential.authorize(HttpClientRequest.get(at)))),
      Option.map(({ headers }) => Buffer.from(headers["authorization"].slice(6), "base64").toString()),
      Option.getOrUndefined
    )

  const texts: ReadonlyArray<readonly [what: string, text: string, expected: string | undefined, at?: string]> = [
    ["words of any case, and user", "MACHINE A.test USER u Password p", "u:p"],
    ["the end of a line as of Windows", "machine a.test\r\nlogin u\r\npassword p\r\n", "u:p"],
    ["a macro behind other words", "machine a.test login u password p macdef m\nlogin x\npassword y\n\n", "u:p"],
    ["a macro that ends with the file", "macdef m\nmachine a.test login x password y", undefined],
    ["a comment behind other words", "machine a.test login u # login x\npassword p", "u:p"],
    ["a # in a value", "machine a.test login #u password p#1", "#u:p#1"],
    ["a word as a value", "machine a.test login machine password default", "machine:default"],
    ["escapes in quotation marks", String.raw`machine a.test login u password "a\"b\\c\td"`, "u:a\"b\\c\td"],
    [
      "a quotation mark that is none",
      "machine a.test login u password \"p\nmachine b.test login v password \"q\"",
      "u:\"p"
    ],
    ["an international name", "machine b\u00fccher.example login u password p", "u:p", "https://b\u00fccher.example/"],
    ["an IPv6 address", "machine ::1 login u password p", "u:p", "https://[::1]/"],
    ["no user", "machine a.test password p", ":p"],
    ["nothing", "", undefined]
  ]
  for (const [what, text, expected, at] of texts) {
    it(`reads ${what}`, () => assert.strictEqual(found(text, at), expected))
  }

  it.scoped("is loaded from the file that is named, by whoever asks or by NETRC, or from home, if there is one", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const write = (name: string, user: string) =>
        files.writeFileString(`${folder}/${name}`, `machine a.test login ${user} password p`)
      yield* write(".netrc", "home")
      yield* write("other", "other")
      yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
      const user = (path?: string) =>
        Effect.map(Netrc.load({ path }), (credentials) => credentials(new URL("https://a.test/")))
      const name = (credential: Credentials.Credential | undefined) =>
        Effect.map(
          credential?.authorize(HttpClientRequest.get("https://a.test/")) ?? Effect.succeed(undefined),
          (request) => request && Buffer.from(request.headers["authorization"].slice(6), "base64").toString()
        )
      vi.stubEnv("NETRC", "")
      vi.stubEnv("HOME", folder)
      vi.stubEnv("USERPROFILE", folder)
      assert.strictEqual(yield* Effect.flatMap(user(), name), "home:p")
      assert.strictEqual(yield* Effect.flatMap(user(`${folder}/other`), name), "other:p")
      vi.stubEnv("NETRC", `${folder}/other`)
      assert.strictEqual(yield* Effect.flatMap(user(), name), "other:p")
      vi.stubEnv("NETRC", `${folder}/absent`)
      assert.strictEqual((yield* Effect.flip(user()))._tag, "SystemError")
      vi.stubEnv("NETRC", "")
      vi.stubEnv("HOME", `${folder}/absent`)
      vi.stubEnv("USERPROFILE", `${folder}/absent`)
      assert.isUndefined(yield* user())
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
