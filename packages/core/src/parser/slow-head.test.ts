import { describe, expect, test } from "vitest";
import { RemoteProtocolError } from "../base/errors.ts";
import { explain } from "./explain.ts";
import { Walk } from "./grammar.ts";
import type { MessageKind } from "./head.ts";
import { readFields, SlowHead } from "./slow-head.ts";

const octets = (text: string) => Buffer.from(text, "latin1");

const LIMITS = {
  maxBytes: 10_000,
  tooLarge: "HEAD_TOO_LARGE",
  maxFields: 100,
  tooMany: "TOO_MANY_HEADERS",
  malformed: "MALFORMED_FIELD",
  maxTargetBytes: 100,
} as const;

const shown = ({ code, offset, message }: RemoteProtocolError) =>
  `${code} at ${offset}: ${message.split(": ").slice(1).join(": ")}`;

/** The fault of `text`, read in pieces of `size` octets; the pieces end with its last octet. */
function faultOf(kind: MessageKind, text: string, size: number): string {
  const slow = new SlowHead(kind, LIMITS);
  try {
    for (let at = 0; at < text.length; at += size) {
      slow.read(octets(text), at, Math.min(at + size, text.length), false);
    }
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    expect(shown(explain(kind, text, LIMITS, true)!)).toBe(shown(error));
    return shown(error);
  }
  const walk = new Walk(kind, LIMITS.maxTargetBytes);
  expect(explain(kind, text, LIMITS, true, walk)).toBeUndefined();
  return walk.fieldsAt === undefined ? "more" : "complete";
}

/** The fault, which must be the same however the line is split, and need no octet after it. */
function everyCut(kind: MessageKind, text: string): string {
  const whole = faultOf(kind, `${text}and a thousand octets more`, 2_000);
  for (let size = 1; size <= text.length; size++) {
    expect(faultOf(kind, text, size), `by ${size}`).toBe(whole);
  }
  return whole;
}

describe("a request line that cannot become valid is refused at its last octet, or sooner", () => {
  test.each([
    ["GET /\r", "MALFORMED_START_LINE at 5: the line ends without a version"],
    ["GET /\n", "MALFORMED_START_LINE at 5: the line ends without a version"],
    ["GET  ", "MALFORMED_START_LINE at 4: the octet 0x20 in the target"],
    ["GET\t", "MALFORMED_START_LINE at 3: the octet 0x09 in the method"],
    ["\r\n ", "MALFORMED_START_LINE at 2: the octet 0x20 in the method"],
    ["\n", "MALFORMED_START_LINE at 0: the octet 0x0a in the method"],
    ["\rG", "MALFORMED_START_LINE at 1: the octet 0x47 in the empty line"],
    [
      "GET /a#",
      "MALFORMED_TARGET at 6: the octet 0x23 at 2 is not allowed; a fragment is not sent",
    ],
    ["GET /\x01", "MALFORMED_TARGET at 5: the octet 0x01 at 1 is not allowed; percent-encode it"],
    ["GET / R", "MALFORMED_START_LINE at 6: the octet 0x52 in the version"],
    ["GET / HTTP/2.0", "UNSUPPORTED_VERSION at 13: HTTP/2.0"],
    ["GET / HTTP/1.10", "MALFORMED_START_LINE at 14: the octet 0x30 in the line end"],
    ["GET / HTTP/1.1\n", "MALFORMED_START_LINE at 14: the octet 0x0a in the line end"],
    ["GET / HTTP/1.1\rX", "MALFORMED_START_LINE at 15: the octet 0x58 in the line end"],
    ["BREW / HTTP/1.1\r\n", "UNKNOWN_METHOD at 0: "],
    ["GET * HTTP/1.1\r\n", "MALFORMED_TARGET at 4: * is for OPTIONS alone"],
    [`GET /${"a".repeat(100)}`, "TARGET_TOO_LONG at 104: "],
  ])("%j: %s", (text, fault) => {
    expect(everyCut("request", text)).toBe(fault);
  });

  test("no error quotes a secret in a target", () => {
    for (const line of ["GET /?secret#", "GET secret HTTP/1.1\r\n", "BREW /?secret HTTP/1.1\r\n"]) {
      expect(everyCut("request", line)).not.toMatch(/more|complete|secret/);
    }
  });
});

describe("a status line that cannot become valid is refused at its last octet, or sooner", () => {
  test.each([
    ["\r", "MALFORMED_START_LINE at 0: the octet 0x0d in the version"],
    ["R", "MALFORMED_START_LINE at 0: the octet 0x52 in the version"],
    ["HTTP/1.1\t", "MALFORMED_START_LINE at 8: the octet 0x09 in the status code"],
    ["HTTP/1.1 0", "BAD_STATUS at 9: it begins with 0"],
    ["HTTP/1.1 20 ", "MALFORMED_START_LINE at 11: the octet 0x20 in the status code"],
    ["HTTP/1.1 2000", "MALFORMED_START_LINE at 12: the octet 0x30 in the status code"],
    ["HTTP/1.1 200 \x00", "MALFORMED_START_LINE at 13: the octet 0x00 in the reason phrase"],
    ["HTTP/1.1 200\rX", "MALFORMED_START_LINE at 13: the octet 0x58 in the line end"],
    ["HTTP/1.1 200 OK\n", "MALFORMED_START_LINE at 15: the octet 0x0a in the reason phrase"],
  ])("%j: %s", (text, fault) => {
    expect(everyCut("response", text)).toBe(fault);
  });
});

describe("an error names the protocol that the input looks like", () => {
  test.each<[MessageKind, string, string]>([
    ["request", "\x16", "MALFORMED_START_LINE at 0: it looks like TLS;"],
    ["request", "PRI * HTTP/2.0", "UNSUPPORTED_VERSION at 13: it looks like HTTP/2;"],
    ["request", "SSH-2.0-OpenSSH_9.6\r", "MALFORMED_START_LINE at 19: it looks like SSH"],
    ["request", "PROXY TCP4 1", "MALFORMED_START_LINE at 11: it looks like the PROXY protocol;"],
    ["request", "PROXY UNKNOWN\r", "MALFORMED_START_LINE at 13: it looks like the PROXY protocol;"],
    ["request", "\r\n\r\n\0", "MALFORMED_START_LINE at 4: it looks like the PROXY protocol;"],
    ["response", "\x15", "MALFORMED_START_LINE at 0: it looks like a TLS alert;"],
    ["response", "\x16", "MALFORMED_START_LINE at 0: it looks like TLS;"],
    ["response", "\0\0", "UNSUPPORTED_VERSION at 0: it looks like HTTP/2;"],
    ["response", "SSH-", "MALFORMED_START_LINE at 0: it looks like SSH;"],
    ["response", "220 ", "MALFORMED_START_LINE at 0: it looks like the greeting of SMTP or FTP;"],
    ["response", "220-", "MALFORMED_START_LINE at 0: it looks like the greeting of SMTP or FTP;"],
  ])("%s %j: %s", (kind, text, fault) => {
    expect(everyCut(kind, text)).toContain(fault);
  });

  test("a false start of a greeting is a fault once it differs", () => {
    expect(everyCut("response", "SSX")).toBe(
      "MALFORMED_START_LINE at 0: the octet 0x53 in the version",
    );
    expect(everyCut("response", "22\n")).toBe(
      "MALFORMED_START_LINE at 0: the octet 0x32 in the version",
    );
    expect(faultOf("response", "SSH", 1)).toBe("more");
  });

  test("HTTP is not mistaken for another protocol", () => {
    expect(faultOf("request", "PROPFIND / HTTP/1.1\r\n", 1)).toBe("complete");
    expect(faultOf("response", "HTTP/1.1 220 \r\n", 1)).toBe("complete");
    expect(everyCut("request", "PROXYS / HTTP/1.1\r\n")).toBe("UNKNOWN_METHOD at 0: ");
  });
});

describe("L11: the slow reader trusts no parser, and refuses what llhttp might accept one day", () => {
  const refusal = (text: string): string => {
    try {
      readFields("request", text, LIMITS);
    } catch (error) {
      return shown(error as RemoteProtocolError);
    }
    return "none";
  };

  test.each([
    ["GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\nA : b\r\n\r\n", "MALFORMED_FIELD at 17"],
    ["GET / HTTP/1.1\r\n: b\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nA b\r\n\r\n", "MALFORMED_FIELD at 17"],
    ["GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nA: b\r\r\n\r\n", "MALFORMED_FIELD at 21"],
    ["GET / HTTP/1.1\r\nA: \0\r\n\r\n", "MALFORMED_FIELD at 19"],
    ["GET / HTTP/1.1\r\nA: b\r\n\rx", "MALFORMED_FIELD at 23"],
    ["GET / HTTP/1.1\r\nA: b\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nA: b", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\nA: b\r\n\r\nC", "MALFORMED_FIELD at 24"],
    ["GET / HTTP/1.1\r\nA\r\n\r\n", "MALFORMED_FIELD at 17"],
    [`GET / HTTP/1.1\r\n${"A:\r\n".repeat(101)}\r\n`, "TOO_MANY_HEADERS at 416"],
  ])("%j", (text, expected) => {
    expect(refusal(text)).toContain(expected);
  });
});
