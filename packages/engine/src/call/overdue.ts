import * as Failure from "../Failure.js"
import type { Overdue } from "./CallTimer.js"

/**
 * What a request fails with for which a timeout has passed.
 *
 * @param sent what had been handed over of its body, where its response was awaited: what a kernel has taken it need not
 * have sent
 */
export const overdueFailure = (
  overdue: Exclude<Overdue, "rest">,
  details: Failure.Details,
  timeout: number,
  sent: Failure.HandedOver | undefined
): Failure.Failure => {
  const handedOver = sent === undefined ? {} : { handedOver: sent }
  switch (overdue) {
    case "write":
      return Failure.writeTimeout({ ...details, timeout })
    case "read":
      return Failure.readTimeout({ ...details, timeout, ...handedOver })
    case "headers":
      return Failure.headersTimeout({ ...details, timeout, ...handedOver })
  }
}
