import { failed, goOn, type Handshake, type HandshakeStep, opened, type ProxyFailure, unasked } from "./Handshake.js"
import { parseAddress } from "./IpAddress.js"
import type { ProxyCredentials } from "./Proxy.js"
import { utf8 } from "./utf8.js"

const version = 5
const noAuthentication = 0
const userAndPassword = 2
const connect = 1
const ipv4 = 1
const domain = 3
const ipv6 = 4

/** RFC 1928 §6. */
const replies: ReadonlyArray<string> = [
  "",
  "general failure",
  "its rules do not allow that host or port",
  "it has no way to the network of the origin",
  "it has no way to the origin",
  "nothing listens at the origin",
  "the origin is too far away (TTL expired)",
  "it cannot connect (command not supported)",
  "it does not know that kind of address"
]

type State = "Method" | "Verdict" | "Reply" | "Over"

/** A tunnel by SOCKS 5 (RFC 1928), with a user and a password (RFC 1929) if there are any. */
export class Socks5Handshake implements Handshake {
  private state: State = "Method"
  /** What has come of a message that is not complete. None is longer than 262 octets. */
  private received: Array<number> = []

  constructor(
    /** A name, which the proxy resolves, or an address. */
    private readonly host: string,
    private readonly port: number,
    private readonly credentials: ProxyCredentials | undefined
  ) {}

  begin(): HandshakeStep {
    if (parseAddress(this.host) === undefined && utf8(this.host).length > 255) {
      return failed("Configuration", "a host name of more than 255 bytes cannot be sent to a SOCKS proxy (RFC 1928 §5)")
    }
    return write(
      this.credentials === undefined
        ? [version, 1, noAuthentication]
        : [version, 2, noAuthentication, userAndPassword]
    )
  }

  receive(bytes: Uint8Array, length: number): HandshakeStep {
    for (let n = 0; n < length; n++) this.received.push(bytes[n])
    switch (this.state) {
      case "Method":
        return this.onMethod()
      case "Verdict":
        return this.onVerdict()
      case "Reply":
        return this.onReply()
      case "Over":
        return unasked
    }
  }

  finish(): ProxyFailure {
    const awaited = {
      Method: "the choice of a method",
      Verdict: "a verdict over user and password",
      Reply: "a reply",
      Over: ""
    }
    return { reason: "Ended", detail: `it closed the connection instead of ${awaited[this.state]}` }
  }

  private onMethod(): HandshakeStep {
    const { credentials, received } = this
    if (received[0] !== version) return failed("Protocol", notSocks(received))
    if (received.length < 2) return goOn
    const method = received[1]
    if (received.length > 2) return unasked
    this.received = []
    if (method === noAuthentication) return this.ask()
    if (method === userAndPassword && credentials !== undefined) {
      this.state = "Verdict"
      const [username, password] = [utf8(credentials.username), utf8(credentials.password)]
      return write([1, username.length, ...username, password.length, ...password])
    }
    return method === 255 || method === userAndPassword
      ? failed(
        "Authentication",
        credentials === undefined
          ? "it wants a user and a password"
          : "it takes neither what we have, a user and a password, nor nobody"
      )
      : failed("Protocol", `it chose a method that it was not offered (${method})`)
  }

  private onVerdict(): HandshakeStep {
    const { received } = this
    if (received.length < 2) return goOn
    if (received.length > 2) return unasked
    // The version of this message is 1; some servers write 5, which changes nothing.
    if (received[1] !== 0) {
      return failed("Authentication", "it does not take this user and password", { code: received[1] })
    }
    this.received = []
    return this.ask()
  }

  private ask(): HandshakeStep {
    this.state = "Reply"
    const { host, port } = this
    const address = parseAddress(host)
    const named = utf8(host)
    const to = address === undefined
      ? [domain, named.length, ...named]
      : [address.length === 4 ? ipv4 : ipv6, ...address]
    return write([version, connect, 0, ...to, port >> 8, port & 255])
  }

  private onReply(): HandshakeStep {
    const { received } = this
    if (received[0] !== version) return failed("Protocol", notSocks(received))
    if (received.length < 2) return goOn
    const code = received[1]
    // What follows a refusal is often left out.
    if (code !== 0) return failed("Refused", replies[code] ?? `it refused with the unknown code ${code}`, { code })
    if (received.length < 5) return goOn
    const type = received[3]
    const size = type === ipv4 ? 4 : type === ipv6 ? 16 : type === domain ? 1 + received[4] : undefined
    if (size === undefined) return failed("Protocol", `its reply has an address of an unknown type (${type})`)
    const length = 4 + size + 2
    if (received.length < length) return goOn
    if (received.length > length) return unasked
    this.state = "Over"
    return opened
  }
}

const write = (octets: ReadonlyArray<number>): HandshakeStep => ({ _tag: "Write", bytes: Uint8Array.from(octets) })

const notSocks = (received: ReadonlyArray<number>): string =>
  received[0] === 0x48
    ? "what is there speaks HTTP and not SOCKS; is its URL to begin with http://?"
    : "what is there does not speak SOCKS 5"
