import { choice, either, flag, group, optional, type Rule } from "./Option.js"

const versions = ["TLSv1.2", "TLSv1.3"] as const

/** A certificate without its key would not be sent, and nothing would say so. */
const hasBoth: Rule = (all) =>
  all["cert"] !== undefined && all["key"] === undefined
    ? { option: "key", expected: "the private key of tls.cert" }
    : all["key"] !== undefined && all["cert"] === undefined
    ? { option: "cert", expected: "the certificate that tls.key belongs to" }
    : undefined

/** One of the two would be ignored, and nothing would say which. */
const isGivenOnce: Rule = (_all, given) => {
  const files = (given["files"] ?? {}) as Readonly<Record<string, unknown>>
  const twice = ["ca", "cert", "key"].find((name) => given[name] !== undefined && files[name] !== undefined)
  return twice === undefined
    ? undefined
    : { option: twice, expected: `tls.${twice} or tls.files.${twice}, and not both` }
}

const isRange: Rule = (all) =>
  all["minVersion"] === "TLSv1.3" && all["maxVersion"] === "TLSv1.2"
    ? { option: "minVersion", expected: "no higher a version than tls.maxVersion (\"TLSv1.2\")" }
    : undefined

/** Node asks the function and then ignores what it says. */
const isHeard: Rule = (all) =>
  (all["checkServerIdentity"] ?? all["pins"]) !== undefined && all["rejectUnauthorized"] === false
    ? {
      option: "rejectUnauthorized",
      expected: "true where tls.checkServerIdentity or tls.pins is given, which else decides nothing"
    }
    : undefined

export const tls = group({
  ca: optional({ _tag: "Pem" }, {
    secret: true,
    sentence: "The certificates of the authorities to trust, instead of those that Node trusts."
  }),
  cert: optional({ _tag: "Pem" }, { secret: true, sentence: "The client's certificate." }),
  key: optional({ _tag: "Pem" }, { secret: true, sentence: "The private key of `cert`." }),
  passphrase: optional({ _tag: "Text" }, { secret: true, sentence: "What the key is encrypted with." }),
  servername: optional({ _tag: "Text" }, {
    secret: true,
    sentence:
      "The name that the server is asked for, and that its certificate must cover. Default: the host of the URL."
  }),
  checkServerIdentity: optional({ _tag: "Function" }, {
    sentence: "Decides whether a certificate that was verified is the host's, instead of comparing names."
  }),
  minVersion: choice(versions, "TLSv1.2", { sentence: "The lowest version of TLS to accept." }),
  maxVersion: choice(versions, "TLSv1.3", { sentence: "The highest version of TLS to offer." }),
  rejectUnauthorized: flag(true, {
    sentence: "Whether a certificate that cannot be verified ends the connection."
  }),
  files: group({
    ca: optional({ _tag: "Text" }, { sentence: "The path of `ca`." }),
    cert: optional({ _tag: "Text" }, { sentence: "The path of `cert`." }),
    key: optional({ _tag: "Text" }, { sentence: "The path of `key`." })
  }, [hasBoth]),
  pins: either<unknown>([{ _tag: "List", item: { _tag: "Text" } }], undefined, {
    sentence: "Public keys of which the server, or an authority above it, must have one: SHA-256 of the SPKI."
  }),
  pinReport: optional({ _tag: "Function" }, { sentence: "Told of a server with none of them, instead of failing." }),
  keyLog: optional({ _tag: "Text" }, {
    secret: true,
    sentence: "A file that the keys of all connections are written to, for a tool that reads along."
  })
}, [hasBoth, isGivenOnce, isRange, isHeard])
