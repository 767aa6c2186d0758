import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { domainToASCII } from "node:url"
import { type AddressPolicySettings, parseAddress, readPolicy, specialUse } from "../../src/network/index.js"

const use = (text: string) => {
  const address = parseAddress(text)
  ok(address !== undefined, text)
  return specialUse(address)
}

describe("Addresses", () => {
  it("are read in every form of IPv6", () => {
    const same = [
      "2001:db8::c000:201",
      "2001:DB8:0:0:0:0:192.0.2.1",
      "[2001:db8::192.0.2.1]",
      "2001:db8::c000:201%eth0"
    ]
    for (const text of same) deepStrictEqual(parseAddress(text), parseAddress("2001:db8:0:0:0:0:c000:201"))
    deepStrictEqual(parseAddress("::"), new Array(16).fill(0))
  })

  it("are nothing else", () => {
    for (
      const text of [
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.4/8",
        "a.test",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8",
        "12345::",
        "::1.2.3",
        "::g",
        "[::1"
      ]
    ) strictEqual(parseAddress(text), undefined, text)
  })

  it("that are special are told from those that are not, at both ends of each range", () => {
    const special = [
      "0.0.0.0",
      "0.255.255.255",
      "10.0.0.0",
      "10.255.255.255",
      "100.64.0.0",
      "100.127.255.255",
      "127.0.0.1",
      "127.255.255.255",
      "169.254.0.0",
      "169.254.169.254",
      "169.254.255.255",
      "172.16.0.0",
      "172.31.255.255",
      "192.0.0.8",
      "192.0.2.1",
      "192.88.99.1",
      "192.168.0.0",
      "192.168.255.255",
      "198.18.0.0",
      "198.19.255.255",
      "198.51.100.9",
      "203.0.113.9",
      "224.0.0.1",
      "239.255.255.255",
      "240.0.0.0",
      "255.255.255.255",
      "::",
      "::1",
      "::127.0.0.1",
      "::ffff:127.0.0.1",
      "::ffff:a9fe:a9fe",
      "64:ff9b::10.0.0.1",
      "64:ff9b:1::1",
      "100::1",
      "2001::1",
      "2001:1ff::1",
      "2001:db8::1",
      "2002:7f00:1::",
      "2002:a9fe:a9fe::1",
      "2002:c0a8:101::",
      "3fff::1",
      "5f00::1",
      "fc00::1",
      "fdff::1",
      "fe80::1",
      "fe80::1%eth0",
      "febf::1",
      "fec0::1",
      "ff02::1",
      "4000::1",
      "::ffff:0:7f00:1"
    ]
    const common = [
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "169.253.255.255",
      "169.255.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "192.167.255.255",
      "192.169.0.0",
      "198.17.255.255",
      "198.20.0.0",
      "223.255.255.255",
      "2606:4700::1111",
      "2a00::1",
      "2001:4860:4860::8888",
      "::ffff:8.8.8.8",
      "64:ff9b::8.8.8.8",
      "2002:808:808::1"
    ]
    deepStrictEqual(special.filter((text) => use(text) === undefined), [])
    deepStrictEqual(common.filter((text) => use(text) !== undefined), [])
  })
})

describe("A policy", () => {
  const allows = (settings: AddressPolicySettings, host: string, given: string | null = host, port = 443) => {
    const judge = readPolicy(settings, domainToASCII)
    ok(typeof judge === "function")
    const address = given ?? undefined
    const family = address?.startsWith("/") ? "unix" : address === undefined ? undefined : address.includes(":") ? 6 : 4
    return judge({ host, port, address, family }) === undefined
  }

  it("denies first, then allows, then looks whether it is public", () => {
    const policy = {
      publicOnly: true,
      allow: ["10.1.0.0/16", "inner.test", "/run/ok.sock"],
      deny: ["10.1.2.3", "bad.test"]
    }
    const cases: ReadonlyArray<readonly [string, string, boolean]> = [
      ["a.test", "8.8.8.8", true],
      ["a.test", "10.0.0.1", false],
      ["a.test", "10.1.0.1", true],
      ["a.test", "10.1.2.3", false],
      ["a.test", "::ffff:10.1.0.1", true],
      ["a.test", "64:ff9b::10.1.2.3", false],
      ["a.test", "2002:a01:203::", false],
      ["x.inner.test", "192.168.0.1", true],
      ["x.inner.test", "10.1.2.3", false],
      ["bad.test", "8.8.8.8", false],
      ["localhost", "/run/ok.sock", true],
      ["localhost", "/run/other.sock", false]
    ]
    for (const [host, address, expected] of cases) {
      strictEqual(allows(policy, host, address), expected, `${host} ${address}`)
    }
  })

  it("without publicOnly is its lists", () => {
    strictEqual(allows({ allow: ["a.test:443"] }, "a.test", "127.0.0.1"), true)
    strictEqual(allows({ allow: ["a.test:443"] }, "a.test", "127.0.0.1", 80), false)
    strictEqual(allows({ allow: ["a.test"] }, "b.test", "8.8.8.8"), false)
    strictEqual(allows({ allow: [] }, "b.test", "8.8.8.8"), false)
    strictEqual(allows({ deny: ["10.0.0.0/8"] }, "b.test", "127.0.0.1"), true)
    strictEqual(allows({ deny: ["10.0.0.0/8"] }, "b.test", "/run/x.sock"), true)
    strictEqual(allows({ deny: ["/run/x.sock"] }, "b.test", "/run/x.sock"), false)
  })

  it("asks the function about what the lists allow; that it throws is no", () => {
    const asked: Array<string> = []
    const check = ({ host }: { readonly host: string }) => {
      asked.push(host)
      if (host === "throws.test") throw new Error("no")
      return host === "a.test"
    }
    const policy = { publicOnly: true, check }
    strictEqual(allows(policy, "a.test", "8.8.8.8"), true)
    strictEqual(allows(policy, "b.test", "8.8.8.8"), false)
    strictEqual(allows(policy, "throws.test", "8.8.8.8"), false)
    strictEqual(allows(policy, "c.test", "10.0.0.1"), false)
    deepStrictEqual(asked, ["a.test", "b.test", "throws.test"])
  })

  it("judges what a proxy resolves by its name", () => {
    strictEqual(allows({ publicOnly: true }, "localhost", null), false)
    strictEqual(allows({ publicOnly: true }, "a.localhost.", null), false)
    strictEqual(allows({ publicOnly: true }, "a.test", null), true)
    strictEqual(allows({ deny: ["a.test"] }, "x.a.test", null), false)
  })

  it("with an entry that is none is told which", () => {
    deepStrictEqual(readPolicy({ deny: ["a.test", "10.0.0.0/99"] }, domainToASCII), {
      list: "deny",
      invalid: "10.0.0.0/99"
    })
    deepStrictEqual(readPolicy({ allow: ["http://a.test"] }, domainToASCII), {
      list: "allow",
      invalid: "http://a.test"
    })
  })
})
