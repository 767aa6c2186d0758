/** Origins whose session is kept. A session is a few kilobytes. */
const maxSessions = 100

/**
 * The last TLS session of each origin, so that the next connection to it resumes it and saves the exchange of
 * certificates (RFC 8446 §2.2). The origin that was used longest ago goes first.
 */
export class TlsSessions {
  private readonly sessions = new Map<string, Buffer>()

  get(key: string): Buffer | undefined {
    const session = this.sessions.get(key)
    if (session !== undefined) this.set(key, session)
    return session
  }

  set(key: string, session: Buffer): void {
    this.sessions.delete(key)
    this.sessions.set(key, session)
    if (this.sessions.size <= maxSessions) return
    for (const oldest of this.sessions.keys()) return void this.sessions.delete(oldest)
  }

  clear(): void {
    this.sessions.clear()
  }

  delete(key: string): void {
    this.sessions.delete(key)
  }
}
