import { describe, expect, test } from "vitest";
import { octets, outcome, request, response, summary } from "../../test/read-heads.ts";
import { RemoteProtocolError } from "../base/errors.ts";
import { resolveLimits } from "../base/limits.ts";
import type { RequestHead } from "./head.ts";
import { HeadParser } from "./head-parser.ts";

describe("a request's head", () => {
  test("is read up to its last CRLF and not a byte further", () => {
    const head = "GET /a?b HTTP/1.1\r\nHost: a\r\nX:  y z \t\r\nE:\r\nF: \t\r\n\r\n";
    expect(request(`${head}GET / evil`)).toBe(
      `GET|/a?b|1.1|Host|a|X|y z|E||F| after ${head.length}`,
    );
  });

  test("may have no fields", () => {
    expect(request("GET / HTTP/1.0\r\n\r\n")).toBe("GET|/|1.0| after 18");
  });

  test("M06: may follow empty lines", () => {
    expect(request("\r\n\r\nGET / HTTP/1.1\r\n\r\n")).toBe("GET|/|1.1| after 22");
  });

  test.each([
    ["\t5\t", "GET|/|1.1|Content-Length|5|A|b after 44"],
    [" 5 \t \t", "GET|/|1.1|Content-Length|5|A|b after 47"],
    ["5\t6", "BAD_CONTENT_LENGTH at 33"],
    ["5 \t, 5", "BAD_CONTENT_LENGTH at 34"],
    ["\t", "BAD_CONTENT_LENGTH at 32"],
    ["5\t\r\nContent-Length: 5\t", "BAD_CONTENT_LENGTH at 49"],
    ["\r\n\t5\t", "MALFORMED_FIELD at 33"],
    ["5\r\n\t5\t", "MALFORMED_FIELD at 34"],
  ])("may have a tab after a Content-Length, as after any value: %j", (value, expected) => {
    expect(request(`GET / HTTP/1.1\r\nContent-Length:${value}\r\nA: b\r\n\r\nX`)).toBe(expected);
  });

  test("keeps every octet that is allowed in a value", () => {
    const value = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter((_, code) => code === 9 || (code >= 0x20 && code !== 0x7f))
      .join("");
    expect(outcome("request", `GET / HTTP/1.1\r\nX: a${value}b\r\n\r\n`)).toBe(
      `GET|/|1.1|X|a${value}b after ${21 + value.length + 4}`,
    );
  });

  test("has no other octet in a value, and only those of a token in a name", () => {
    for (let code = 0; code < 256; code++) {
      const octet = String.fromCharCode(code);
      const inValue = outcome("request", `GET / HTTP/1.1\r\nX: a${octet}b\r\n\r\n`);
      const allowed = code === 9 || (code >= 0x20 && code !== 0x7f);
      expect(inValue.startsWith("GET|"), `value ${code}`).toBe(allowed);
      const inName = outcome("request", `GET / HTTP/1.1\r\nA${octet}B: x\r\n\r\n`);
      // A colon ends the name, and the rest is its value.
      const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z:]$/.test(octet);
      expect(inName.startsWith("GET|"), `name ${code}`).toBe(token);
    }
  });

  test.each([
    ["GET  / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 4"],
    ["GET /  HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 6"],
    ["GET / HTTP/1.1 \r\n\r\n", "MALFORMED_START_LINE at 14"],
    [" GET / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["GET\t/ HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 3"],
    ["GET / HTTP/1.1\n\n", "MALFORMED_START_LINE at 14"],
    ["GET / HTTP/1.1\r\r\n\r\n", "MALFORMED_START_LINE at 15"],
    ["\nGET / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["\rGET / HTTP/1.1\r\n\r\n", "MALFORMED_START_LINE at 1"],
    ["GET /\r\n\r\n", "MALFORMED_START_LINE at 5"],
    ["GET / http/1.1\r\n\r\n", "MALFORMED_START_LINE at 6"],
    ["GET / HTTP/11.1\r\n\r\n", "MALFORMED_START_LINE at 12"],
    ["GET / HTTP/1.x\r\n\r\n", "MALFORMED_START_LINE at 13"],
    ["GET / RTSP/1.0\r\n\r\n", "MALFORMED_START_LINE at 6"],
    ["\x16\x03\x01\x00\xa5", "MALFORMED_START_LINE at 0"],
    ["GET / HTTP/1.2\r\n\r\n", "UNSUPPORTED_VERSION at 13"],
    ["GET / HTTP/2.0\r\n\r\n", "UNSUPPORTED_VERSION at 13"],
    ["GET / HTTP/0.9\r\n\r\n", "UNSUPPORTED_VERSION at 13"],
    ["GET / HTTP/2.0\n", "UNSUPPORTED_VERSION at 13"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "UNSUPPORTED_VERSION at 13"],
    ["PRI * HTTP/1.0\r\n\r\n", "UNSUPPORTED_VERSION at 0"],
    ["PRI *\r\n\r\n", "UNSUPPORTED_VERSION at 5"],
    ["\r\nPRI /a HTTP/1.1\r\nHost: a\r\n\r\n", "UNKNOWN_METHOD at 2"],
    ["get / HTTP/1.1\r\n\r\n", "UNKNOWN_METHOD at 0"],
    ["BREW / HTTP/1.1\r\n\r\n", "UNKNOWN_METHOD at 0"],
    ["SETUP / HTTP/1.1\r\n\r\n", "UNKNOWN_METHOD at 0"],
    ["X: y\r\n", "MALFORMED_START_LINE at 1"],
    ["BREW\r\n", "MALFORMED_START_LINE at 4"],
    ["BREW", "more, 4 held"],
    [`${"B".repeat(32)}`, "more, 32 held"],
    [`${"B".repeat(33)}`, "UNKNOWN_METHOD at 32"],
    [`${"B".repeat(32)}\r\n`, "MALFORMED_START_LINE at 32"],
    ["GET /\x00 HTTP/1.1\r\n", "MALFORMED_TARGET at 5"],
    ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\n X: y\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nX: y\r\n z\r\n\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\nX: y\r\n\tz\r\n\r\n", "MALFORMED_FIELD at 22"],
    ["GET / HTTP/1.1\r\n: y\r\n\r\n", "MALFORMED_FIELD at 16"],
    ["GET / HTTP/1.1\r\nXy\r\n\r\n", "MALFORMED_FIELD at 18"],
    ["GET / HTTP/1.1\r\nX: y\n\r\n", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\nConnection p", "MALFORMED_FIELD at 26"],
    ["GET / HTTP/1.1\r\nX:\r\n y", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\nX:\ny", "MALFORMED_FIELD at 18"],
    ["GET / HTTP/1.1\r\nX: \t\ny", "MALFORMED_FIELD at 20"],
    ["GET / HTTP/1.1\r\nX: y\rz: 1\r\n\r\n", "MALFORMED_FIELD at 21"],
    ["GET / HTTP/1.1\r\nX: y\r\n\n", "MALFORMED_FIELD at 22"],
    [
      "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "BAD_CONTENT_LENGTH at 49",
    ],
  ])("%j is refused: %s", (text, fault) => {
    expect(request(text)).toBe(fault);
  });
});

describe("a response's head", () => {
  test.each([
    ["HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "200|OK|1.1|A|b after 25"],
    ["HTTP/1.0 404 Not  Found\r\n\r\n", "404|Not  Found|1.0| after 27"],
    ["HTTP/1.1 200 \r\n\r\n", "200||1.1| after 17"],
    ["HTTP/1.1 200\r\n\r\n", "200||1.1| after 16"],
    ["HTTP/1.1 999 \xe9\t!\r\n\r\n", "999|\xe9\t!|1.1| after 20"],
    [
      "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\nraw",
      "101|S|1.1|Connection|Upgrade|Upgrade|a after 51",
    ],
    [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "200|OK|1.1|Content-Length|5|Transfer-Encoding|chunked after 66",
    ],
  ])("%j", (text, head) => {
    expect(response(text)).toBe(head);
  });

  test.each([
    ["HTTP/1.1 099 X\r\n\r\n", "BAD_STATUS at 9"],
    ["HTTP/1.1 000 X\r\n\r\n", "BAD_STATUS at 9"],
    ["HTTP/1.1 20 X\r\n\r\n", "MALFORMED_START_LINE at 11"],
    ["HTTP/1.1 2000 X\r\n\r\n", "MALFORMED_START_LINE at 12"],
    ["HTTP/1.1  200 X\r\n\r\n", "MALFORMED_START_LINE at 9"],
    ["HTTP/1.1 200 a\x00\r\n\r\n", "MALFORMED_START_LINE at 14"],
    ["HTTP/1.1 200 a\x7f\r\n\r\n", "MALFORMED_START_LINE at 14"],
    ["HTTP/1.1 200 OK\n\n", "MALFORMED_START_LINE at 15"],
    ["HTTP/1.1 200 OK\r\r\n\r\n", "MALFORMED_START_LINE at 16"],
    ["\r\nHTTP/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE at 0"],
    [" HTTP/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["http/1.1 200 OK\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["RTSP/1.0 200 OK\r\n\r\n", "MALFORMED_START_LINE at 0"],
    ["HTTP/2.0 200 OK\r\n\r\n", "UNSUPPORTED_VERSION at 7"],
    ["HTTP/0.9 200 OK\r\n\r\n", "UNSUPPORTED_VERSION at 7"],
    ["HTTP/1.2 200 OK\r\n\r\n", "UNSUPPORTED_VERSION at 7"],
    ["HTTP/1.1 200 OK\r\nA b\r\n\r\n", "MALFORMED_FIELD at 18"],
  ])("%j is refused: %s", (text, fault) => {
    expect(response(text)).toBe(fault);
  });
});

describe("many heads in one chunk, which is copied to the scanner window by window", () => {
  const head = "GET /abc HTTP/1.1\r\nHost: a.test\r\nX: yyyyyyy\r\n\r\n";

  test("a head across the edge of a window is read like any other", () => {
    for (let shift = 0; shift < head.length; shift++) {
      const parser = new HeadParser("request", resolveLimits());
      const chunk = octets(`GET /${"s".repeat(shift)} HTTP/1.1\r\n\r\n${head.repeat(1_500)}`);
      const targets: string[] = [];
      for (let at = 0; at < chunk.length; at += parser.consumed) {
        targets.push((parser.read(chunk, at) as RequestHead).target);
      }
      expect(targets.slice(1).every((target) => target === "/abc")).toBe(true);
      expect(targets.length, `shifted by ${shift}`).toBe(1_501);
    }
  });

  test("another connection in between changes nothing", () => {
    const chunk = octets(head.repeat(3));
    const [one, two] = [1, 2].map(() => new HeadParser("request", resolveLimits()));
    const other = octets("POST /other HTTP/1.1\r\n\r\n".repeat(9));
    for (let i = 0; i < 3; i++) {
      expect(one!.read(chunk, head.length * i)?.target).toBe("/abc");
      expect(two!.read(other, 24 * i)?.target).toBe("/other");
    }
  });
});

describe("one llhttp serves all parsers", () => {
  test("many heads in turn, each in pieces", () => {
    const heads = Array.from({ length: 50 }, (_, i) => `GET /${i} HTTP/1.1\r\nN: ${i}\r\n\r\n`);
    const parsers = heads.map(() => new HeadParser("request", resolveLimits()));
    const answers: string[] = [];
    for (let at = 0; at < 30; at++) {
      heads.forEach((head, i) => {
        const piece = head.slice(at, at + 1);
        const read = piece === "" ? undefined : parsers[i]!.read(octets(piece), 0);
        if (read !== undefined) answers.push(summary(read));
      });
    }
    expect(answers.sort()).toEqual(heads.map((_, i) => `GET|/${i}|1.1|N|${i}`).sort());
  });

  test("a refused head is held until it is taken, once", () => {
    const parser = new HeadParser("request", resolveLimits({ maxHeadBytes: 10 }));
    parser.read(octets("GET /ab"), 0);
    expect(() => parser.read(octets("cdefghijk"), 0)).toThrow(RemoteProtocolError);
    expect([...parser.held]).toEqual([...octets("GET /ab")]);
  });

  test("the next head has no state of the one before", () => {
    const parser = new HeadParser("request", resolveLimits({ maxTargetBytes: 3 }));
    for (let i = 0; i < 3; i++) {
      expect(parser.read(octets("GET /ab HT"), 0)).toBeUndefined();
      expect(parser.hasBegun).toBe(true);
      expect(parser.read(octets("TP/1.1\r\n\r\n"), 0)?.target).toBe("/ab");
      expect([parser.held.length, parser.hasBegun]).toEqual([0, false]);
    }
  });

  test("empty lines do not begin a head", () => {
    const parser = new HeadParser("request", resolveLimits());
    parser.read(octets("\r\n\r"), 0);
    expect(parser.hasBegun).toBe(false);
    parser.read(octets("\nG"), 0);
    expect(parser.hasBegun).toBe(true);
  });
});
