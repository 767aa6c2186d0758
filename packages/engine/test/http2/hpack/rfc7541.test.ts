import { describe, expect, it } from "vitest"
import { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import { writeInteger } from "../../../src/http2/hpack/integer.js"
import type { Fields } from "./support.js"
import { decode, decoder, encode, hex, toHex } from "./support.js"

/** The examples of RFC 7541 Appendix C. */

describe("C.1 integers", () => {
  it.each([
    ["C.1.1", 10, 5, "0a"],
    ["C.1.2", 1337, 5, "1f9a0a"],
    ["C.1.3", 42, 8, "2a"]
  ])("%s", (_, value, prefixBits, expected) => {
    const output = new Uint8Array(8)
    const end = writeInteger(output, 0, 0, prefixBits, value)
    expect(toHex(output.subarray(0, end))).toBe(expected)
  })
})

describe("C.2 one field", () => {
  it.each<[string, string, readonly [string, string]]>([
    ["C.2.1", "400a637573746f6d2d6b65790d637573746f6d2d686561646572", ["custom-key", "custom-header"]],
    ["C.2.2", "040c2f73616d706c652f70617468", [":path", "/sample/path"]],
    ["C.2.3", "100870617373776f726406736563726574", ["password", "secret"]],
    ["C.2.4", "82", [":method", "GET"]]
  ])("%s", (_, block, field) => {
    expect(decode(decoder(), hex(block))).toEqual([field])
  })
})

const requests: ReadonlyArray<Fields> = [
  [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"]],
  [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"], [
    "cache-control",
    "no-cache"
  ]],
  [[":method", "GET"], [":scheme", "https"], [":path", "/index.html"], [":authority", "www.example.com"], [
    "custom-key",
    "custom-value"
  ]]
]

const plainRequests = [
  "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  "8286 84be 5808 6e6f 2d63 6163 6865",
  "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"
]

const huffmanRequests = [
  "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
  "8286 84be 5886 a8eb 1064 9cbf",
  "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"
]

const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
const date = "Mon, 21 Oct 2013 20:13:21 GMT"
const location = "https://www.example.com"

const responses: ReadonlyArray<Fields> = [
  [[":status", "302"], ["cache-control", "private"], ["date", date], ["location", location]],
  [[":status", "307"], ["cache-control", "private"], ["date", date], ["location", location]],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", location],
    ["content-encoding", "gzip"],
    ["set-cookie", cookie]
  ]
]

const plainResponses = [
  "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e" +
  "1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
  "4803 3330 37c1 c0bf",
  "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d" +
  "4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572" +
  "7369 6f6e 3d31"
]

const huffmanResponses = [
  "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b" +
  "97c8 e9ae 82ae 43d3",
  "4883 640e ffc1 c0bf",
  "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf" +
  "cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07"
]

/** The examples begin with a table of 256 octets; a peer says so with an update. */
const tableOf256 = "3fe101"

describe("C.3 to C.6, decoded", () => {
  it.each([
    ["C.3 requests", plainRequests, requests, ""],
    ["C.4 requests with Huffman code", huffmanRequests, requests, ""],
    ["C.5 responses", plainResponses, responses, tableOf256],
    ["C.6 responses with Huffman code", huffmanResponses, responses, tableOf256]
  ])("%s", (_, blocks, lists, before) => {
    const ours = decoder()
    expect(decode(ours, hex(before))).toEqual([])
    expect(blocks.map((block) => decode(ours, hex(block)))).toEqual(lists)
  })
})

describe("C.4 and C.6, encoded", () => {
  it("requests", () => {
    const ours = new HpackEncoder()
    expect(requests.map((fields) => toHex(encode(ours, fields)))).toEqual(
      huffmanRequests.map((block) => toHex(hex(block)))
    )
  })

  it("responses", () => {
    const ours = new HpackEncoder()
    ours.setPeerTableSize(256)
    const [first, second, third] = responses.map((fields) => toHex(encode(ours, fields)))
    expect(first).toBe(tableOf256 + toHex(hex(huffmanResponses[0])))
    // "307" takes three octets either way. The example codes it, and ours leaves it as it is.
    expect(second).toBe(toHex(hex("4803 3330 37c1 c0bf")))
    expect(third).toBe(toHex(hex(huffmanResponses[2])))
  })
})
