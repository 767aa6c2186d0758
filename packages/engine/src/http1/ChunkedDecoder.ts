import * as Characters from "./Characters.js"
import { Failed } from "./Progress.js"
import type { ProtocolError, ProtocolErrorCode } from "./ProtocolError.js"
import { protocolError, quoteOctet } from "./ProtocolError.js"

const { CR, LF, SP, HTAB, SEMICOLON, EQUALS, DQUOTE, BACKSLASH } = Characters

const Size = 0
const Extension = 1
const SizeLineFeed = 2
const Data = 3
const DataReturn = 4
const DataLineFeed = 5

// Where we are in an extension: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ).
const BeforeSemicolon = 0
const BeforeName = 1
const Name = 2
const AfterName = 3
const BeforeValue = 4
const Value = 5
const Quoted = 6
const Escaped = 7
const AfterQuoted = 8
const Invalid = 9

/** What frames one chunk, in bytes: leading zeros of its size, and its extensions. More than that is no use to anybody. */
const maxDigits = 4096
const maxExtensionBytes = 4096

/**
 * Undoes the chunked transfer coding (RFC 9112 §7.1) of one body, up to the end of the last chunk; trailers are not its
 * business.
 */
export class ChunkedDecoder {
  /** The last chunk has been read. */
  finished = false
  error: ProtocolError | undefined = undefined

  private expected = Size
  private size = 0
  private digits = 0
  private extension = BeforeSemicolon
  private extensionBytes = 0

  /**
   * Decodes `bytes[start, end)` and reports to `sink` where content is. Returns the index up to which the input is taken,
   * which is `end` unless the last chunk has been read, or `Failed`.
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    sink: { onBody(bytes: Uint8Array, start: number, end: number): void }
  ): number {
    let i = start
    while (i < end) {
      const octet = bytes[i]
      switch (this.expected) {
        case Size: {
          const digit = Characters.HEX[octet]
          if (digit < 16) {
            i++
            this.digits++
            this.size = this.size * 16 + digit
            // Leading zeros are allowed (RFC 9112 §7.1), but a size must not go on for ever.
            if (this.digits > maxDigits || this.size > Number.MAX_SAFE_INTEGER) {
              return this.fail("ChunkTooLarge", "The size of a chunk is more than can be counted exactly", "7.1")
            }
          } else if (this.digits === 0) {
            return this.fail("InvalidChunkSize", `${quoteOctet(octet)} where the size of a chunk is due`, "7.1")
          } else if (octet === CR) {
            i++
            this.expected = SizeLineFeed
          } else {
            this.extension = BeforeSemicolon
            this.extensionBytes = 0
            this.expected = Extension
          }
          break
        }
        case Extension:
          if (octet === CR && endsExtension(this.extension)) {
            i++
            this.expected = SizeLineFeed
            break
          }
          this.extension = nextInExtension(this.extension, octet)
          if (this.extension === Invalid) {
            return this.extensionBytes === 0
              ? this.fail("InvalidChunkSize", `${quoteOctet(octet)} in the size of a chunk`, "7.1")
              : this.fail("InvalidChunkExtension", `${quoteOctet(octet)} in the extension of a chunk`, "7.1.1")
          }
          i++
          this.extensionBytes++
          if (this.extensionBytes > maxExtensionBytes) {
            const message = `The extensions of a chunk are longer than ${maxExtensionBytes} bytes`
            return this.fail("ChunkExtensionTooLarge", message, "7.1.1")
          }
          break
        case SizeLineFeed:
          if (octet !== LF) return this.fail("InvalidLineEnd", "CR without LF after the size of a chunk", "7.1")
          i++
          if (this.size === 0) {
            this.finished = true
            return i
          }
          this.expected = Data
          break
        case Data: {
          const stop = Math.min(end, i + this.size)
          this.size -= stop - i
          if (this.size === 0) this.expected = DataReturn
          sink.onBody(bytes, i, stop)
          i = stop
          break
        }
        case DataReturn:
          if (octet !== CR) {
            return this.fail("InvalidChunkEnd", `${quoteOctet(octet)} where the line end after a chunk is due`, "7.1")
          }
          i++
          this.expected = DataLineFeed
          break
        default:
          if (octet !== LF) return this.fail("InvalidChunkEnd", "CR without LF after a chunk", "7.1")
          i++
          this.digits = 0
          this.expected = Size
      }
    }
    return i
  }

  private fail(code: ProtocolErrorCode, message: string, section: string): number {
    this.error = protocolError(code, message, `RFC 9112 §${section}`)
    return Failed
  }
}

const endsExtension = (at: number): boolean => at === Name || at === Value || at === AfterQuoted

const nextInExtension = (at: number, octet: number): number => {
  const isToken = Characters.TOKEN[octet] === 1
  const isWhitespace = octet === SP || octet === HTAB
  switch (at) {
    case BeforeSemicolon:
      return octet === SEMICOLON ? BeforeName : isWhitespace ? BeforeSemicolon : Invalid
    case BeforeName:
      return isToken ? Name : isWhitespace ? BeforeName : Invalid
    case Name:
    case AfterName:
      if (octet === EQUALS) return BeforeValue
      if (octet === SEMICOLON) return BeforeName
      return isWhitespace ? AfterName : isToken && at === Name ? Name : Invalid
    case BeforeValue:
      return octet === DQUOTE ? Quoted : isToken ? Value : isWhitespace ? BeforeValue : Invalid
    case Value:
      return octet === SEMICOLON ? BeforeName : isWhitespace ? BeforeSemicolon : isToken ? Value : Invalid
    case Quoted:
      if (octet === DQUOTE) return AfterQuoted
      return octet === BACKSLASH ? Escaped : Characters.FIELD_VALUE[octet] === 1 ? Quoted : Invalid
    case Escaped:
      return Characters.FIELD_VALUE[octet] === 1 ? Quoted : Invalid
    default:
      return octet === SEMICOLON ? BeforeName : isWhitespace ? BeforeSemicolon : Invalid
  }
}
