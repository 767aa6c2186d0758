/** What is asked of the system for a connection. */
export interface TcpSettings {
  /** How long it is silent until the system asks whether the other side still lives, in milliseconds; `Infinity`: never. */
  readonly keepAliveDelay: number
  /** After how long it asks again when nothing comes back, in milliseconds; undefined: the system's own. */
  readonly keepAliveInterval?: number | undefined
  /** Whether small writes are sent at once. */
  readonly noDelay: boolean
}

export const defaultTcp: TcpSettings = { keepAliveDelay: 60_000, noDelay: true }
