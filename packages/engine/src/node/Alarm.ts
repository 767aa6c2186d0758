import type { Cancel, HostTime } from "../Host.js"

/** Goes off once unless it is set again or called off before. It does not keep the process alive: sockets in use do. */
export class Alarm {
  private cancelSleep: Cancel | undefined = undefined

  constructor(private readonly time: Pick<HostTime, "sleep">, private readonly onAlarm: () => void) {}

  get isSet(): boolean {
    return this.cancelSleep !== undefined
  }

  /** `Infinity` calls it off. */
  set(millis: number): void {
    this.cancel()
    if (millis === Infinity) return
    const wake = () => {
      this.cancelSleep = undefined
      this.onAlarm()
    }
    this.cancelSleep = this.time.sleep(millis, wake, true)
  }

  cancel(): void {
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }
}
