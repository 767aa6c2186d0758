import { ErrorCode } from "./ErrorCode.js"
import { connectionError, type ProtocolError } from "./ProtocolError.js"

/** The identifiers of settings: RFC 9113 §6.5.2, RFC 8441 §3. */
export const HEADER_TABLE_SIZE = 0x1
export const ENABLE_PUSH = 0x2
export const MAX_CONCURRENT_STREAMS = 0x3
export const INITIAL_WINDOW_SIZE = 0x4
export const MAX_FRAME_SIZE = 0x5
export const MAX_HEADER_LIST_SIZE = 0x6
export const ENABLE_CONNECT_PROTOCOL = 0x8

/** The largest flow-control window (RFC 9113 §6.9.1). */
export const maxWindow = 2 ** 31 - 1

/** Each window before anybody has said anything (RFC 9113 §6.9.2). */
export const defaultWindow = 65_535

const minFrameSize = 16_384
const maxFrameSize = 2 ** 24 - 1

/** What the server has said of itself. What it has not said has the value that the RFC gives it. */
export class PeerSettings {
  headerTableSize = 4096
  /** Infinity until the server names a limit. */
  maxConcurrentStreams = Infinity
  initialWindow = defaultWindow
  maxFrameSize = minFrameSize
  /** Whether it takes extended CONNECT (RFC 8441). */
  connectProtocol = false

  /** Takes over `id, value, id, value, …` in order, up to the first that cannot be. Settings that are unknown say nothing. */
  apply(entries: ReadonlyArray<number>): ProtocolError | undefined {
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const invalid = this.set(entries[i], entries[i + 1])
      if (invalid !== undefined) return invalid
    }
    return undefined
  }

  private set(id: number, value: number): ProtocolError | undefined {
    switch (id) {
      case HEADER_TABLE_SIZE:
        this.headerTableSize = value
        return undefined
      case ENABLE_PUSH:
        return value === 0 ? undefined : invalidSetting("SETTINGS_ENABLE_PUSH of a server", value, "6.5.2")
      case MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value
        return undefined
      case INITIAL_WINDOW_SIZE:
        if (value > maxWindow) {
          return invalidSetting("SETTINGS_INITIAL_WINDOW_SIZE", value, "6.5.2", ErrorCode.FLOW_CONTROL_ERROR)
        }
        this.initialWindow = value
        return undefined
      case MAX_FRAME_SIZE:
        if (value < minFrameSize || value > maxFrameSize) {
          return invalidSetting("SETTINGS_MAX_FRAME_SIZE", value, "6.5.2")
        }
        this.maxFrameSize = value
        return undefined
      case ENABLE_CONNECT_PROTOCOL:
        return this.setConnectProtocol(value)
      default:
        return undefined
    }
  }

  /** It must not be taken back (RFC 8441 §3). */
  private setConnectProtocol(value: number): ProtocolError | undefined {
    if (value > 1 || (value === 0 && this.connectProtocol)) {
      return connectionError(
        "InvalidSetting",
        ErrorCode.PROTOCOL_ERROR,
        `SETTINGS_ENABLE_CONNECT_PROTOCOL is ${value}`,
        "RFC 8441 §3"
      )
    }
    this.connectProtocol = value === 1
    return undefined
  }
}

const invalidSetting = (
  name: string,
  value: number,
  section: string,
  errorCode: number = ErrorCode.PROTOCOL_ERROR
): ProtocolError => connectionError("InvalidSetting", errorCode, `${name} is ${value}`, `RFC 9113 §${section}`)
