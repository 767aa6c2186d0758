import { defaultParserLimits } from "../../../src/http1/ParserLimits.js"
import type { ResponseHead } from "../../../src/http1/ResponseHead.js"
import type { ResponseHandler } from "../../../src/http1/ResponseParser.js"
import { ResponseParser } from "../../../src/http1/ResponseParser.js"
import { bytesOf, latin1 } from "./transcript.js"

/** A parser and what it has said, for tests that look at it between two inputs. */
export const listening = (handler: Partial<ResponseHandler> = {}) => {
  const heads: Array<ResponseHead> = []
  const parser: ResponseParser = new ResponseParser({
    onInformational: () => {},
    onHead: (head) => {
      heads.push(head)
    },
    onBody: () => {},
    onComplete: () => {},
    ...handler
  }, { limits: defaultParserLimits, latin1 })
  const feed = (text: string) => {
    const bytes = bytesOf(text)
    return parser.execute(bytes, 0, bytes.length)
  }
  return { parser, heads, feed }
}
