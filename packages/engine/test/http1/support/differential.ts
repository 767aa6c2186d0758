import { differences, oracle } from "../differences.js"
import type { Exchange } from "./exchanges.js"
import { runNode } from "./nodeParser.js"
import type { Transcript } from "./transcript.js"
import { bytesOf, everyByte, runOurs, split } from "./transcript.js"

const refused = (transcript: Transcript): boolean => transcript.end === "rejected" || transcript.end === "incomplete"

/** The names of what the two transcripts differ in. Why and where a response is refused is not a difference. */
export const compare = (ours: Transcript, node: Transcript): ReadonlyArray<string> => {
  if (refused(ours) || refused(node)) {
    return refused(ours) && refused(node) ? [] : refused(ours) ? ["refused"] : ["accepted"]
  }
  const found: Array<string> = []
  if (ours.end !== node.end) found.push("end")
  if (ours.head.join("\n") !== node.head.join("\n")) found.push("head")
  if (ours.informational.join("\n") !== node.informational.join("\n")) found.push("informational")
  if (ours.body !== node.body) found.push("body")
  if (ours.trailers.join("\n") !== node.trailers.join("\n")) found.push("trailers")
  if (ours.end === "upgraded" && ours.rest !== node.rest) found.push("rest")
  if (ours.end === "complete" && ours.keepAlive !== node.keepAlive) found.push(ours.keepAlive ? "kept" : "closed")
  return found
}

/** The difference that `differences` lists for these transcripts, if there is one. */
export const explain = (
  what: string,
  ours: Transcript,
  node: Transcript,
  exchange: Pick<Exchange, "method" | "input">
): string | undefined =>
  differences.find((difference) =>
    (difference.what === what || difference.also?.some((other) => other === what)) &&
    difference.applies(ours, node, exchange)
  )?.name

/**
 * What is wrong with how we read an exchange, or `undefined`: that it depends on how the input is split, or that it
 * differs from how Node reads it without being listed, where it is a Node whose differences are.
 */
export const fault = (exchange: Exchange): string | undefined => {
  const input = bytesOf(exchange.input)
  const whole = runOurs(exchange.method, [input])
  for (const cuts of [everyByte(input), exchange.cuts]) {
    const other = runOurs(exchange.method, split(input, cuts))
    if (other.log.join("\n") !== whole.log.join("\n")) {
      return `split at ${cuts.length} positions:\n${other.log.join("\n")}\nin one piece:\n${whole.log.join("\n")}`
    }
  }
  if (!oracle.isKnown) return undefined
  for (const cuts of [[], everyByte(input), exchange.cuts]) {
    const node = runNode(exchange.method, split(input, cuts))
    for (const what of compare(whole.transcript, node)) {
      if (explain(what, whole.transcript, node, exchange) === undefined) {
        return `${what}, split at ${cuts.length} positions:\nours ${JSON.stringify(whole.transcript)}\n` +
          `node ${JSON.stringify(node)}`
      }
    }
  }
  return undefined
}
