import type { ReceivedRequest } from "../../ReceivedRequest.js"
import type { Handler, Replies } from "../../Script.js"
import * as replies from "../reply.js"

const help = `This server responds:
  /status/503       that status
  /bytes/1000000    that many bytes
  /delay/500        after so many milliseconds
  /drip/10          that many pieces, ten a second
  /echo             the request's body, while it is being sent
  /request          the request as JSON
  /never            nothing, ever
  /close            a body, and closes the connection
  /abrupt           half a body, and breaks the connection off
`

/** What the command serves without a script: enough to try a client's limits and timeouts. */
export const playground: Readonly<Record<string, Replies>> = {
  "/": replies.text(help),
  "/status/*": numbered((status) =>
    status >= 200 && status <= 999 ? replies.text(`${status}\n`, { status }) : unknownNumber
  ),
  "/bytes/*": numbered((size) => replies.size(size)),
  "/delay/*": numbered((milliseconds) => replies.text(`after ${milliseconds} ms\n`, { delayBeforeHead: milliseconds })),
  "/drip/*": numbered((count) => replies.chunks(drops(count), { delayBetweenChunks: 100 })),
  "/echo": replies.echo(),
  "/request": (request: ReceivedRequest) =>
    replies.json({
      method: request.method,
      target: request.target,
      protocol: request.protocol,
      headers: request.headers,
      body: request.text,
      bodyLength: request.bodyLength,
      connection: request.connection,
      indexOnConnection: request.index
    }),
  "/never": replies.never,
  "/close": replies.text("This is the last response on this connection.\n", { connection: "close" }),
  "/abrupt": replies.size(1_000_000, { abrupt: { afterBytes: 500_000 } })
}

const unknownNumber = replies.text("There has to be a number at the end of the path.\n", { status: 404 })

function numbered(reply: (n: number) => ReturnType<typeof replies.text>): Handler {
  return ({ path }) => {
    const digits = path.slice(path.lastIndexOf("/") + 1)
    return /^\d{1,15}$/.test(digits) ? reply(Number(digits)) : unknownNumber
  }
}

function* drops(count: number): Generator<string> {
  for (let n = 1; n <= count; n++) yield `${n} of ${count}\n`
}
