# The other side of oracle.test.ts: a line of JSON in, a line of JSON out, for each conversation.
import json
import sys

from hpack import Decoder, Encoder


def text(octets):
    return octets.decode("latin-1")


def octets(string):
    return string.encode("latin-1")


def decode(blocks):
    decoder = Decoder(max_header_list_size=1 << 20)
    decoder.max_allowed_table_size = 4096
    results = []
    for block in blocks:
        try:
            fields = decoder.decode(bytes.fromhex(block), raw=True)
            results.append([[text(name), text(value)] for name, value, *_ in fields])
        except Exception:
            results.append(None)
            break
    return results


def decode_steps(steps):
    decoder = Decoder(max_header_list_size=1 << 20)
    results = []
    for step in steps:
        if "tableSize" in step:
            decoder.max_allowed_table_size = step["tableSize"]
        else:
            fields = decoder.decode(bytes.fromhex(step["block"]), raw=True)
            results.append([[text(name), text(value)] for name, value, *_ in fields])
    return results


def encode(steps):
    encoder = Encoder()
    results = []
    for step in steps:
        if "tableSize" in step:
            encoder.header_table_size = step["tableSize"]
        else:
            fields = [(octets(name), octets(value), name == "authorization") for name, value in step["fields"]]
            results.append(encoder.encode(fields, huffman=step["huffman"]).hex())
    return results


actions = {"decode": decode, "decodeSteps": decode_steps, "encode": encode}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(actions[request["action"]](request["input"])))
