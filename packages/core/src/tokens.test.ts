import { describe, expect, test } from "vitest";
import {
  isFieldValue,
  isProtocol,
  isReason,
  isToken,
  isWhiteSpace,
  listMembers,
  quoted,
  trimWhiteSpace,
} from "./tokens.ts";

const octets = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

describe("of all 256 octets", () => {
  test("a token holds the 77 of RFC 9110 §5.6.2", () => {
    const allowed = octets.filter((octet) => isToken(`a${octet}b`));
    expect(allowed.sort().join("")).toBe([...tchar].sort().join(""));
  });

  test("a field value holds HTAB, SP, VCHAR and obs-text inside (RFC 9110 §5.5)", () => {
    const refused = octets.filter((octet) => !isFieldValue(`a${octet}b`));
    const controls = octets.filter((_, code) => (code < 0x20 && code !== 9) || code === 0x7f);
    expect(refused).toEqual(controls);
  });

  test("a reason phrase holds the same (RFC 9112 §4)", () => {
    expect(octets.filter(isReason)).toEqual(octets.filter((octet) => isFieldValue(`a${octet}b`)));
  });

  test("white space is SP and HTAB", () => {
    expect(octets.filter((octet) => isWhiteSpace(octet.charCodeAt(0)))).toEqual(["\t", " "]);
  });
});

test("what is wider than an octet is in no grammar", () => {
  for (const wide of ["\u010a", "\u560d", "\u0100", "\u{1f600}"]) {
    for (const grammar of [isToken, isFieldValue, isReason, isProtocol]) {
      expect(grammar(`a${wide}`)).toBe(false);
    }
  }
});

test("a line end at the end of the text does not slip through", () => {
  for (const grammar of [isToken, isFieldValue, isReason, isProtocol]) {
    for (const end of ["\n", "\r", "\r\n", "\0"]) expect(grammar(`a${end}`)).toBe(false);
  }
});

test("a token is not empty, a field value and a reason may be", () => {
  expect([isToken(""), isProtocol(""), isFieldValue(""), isReason("")]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("a field value has no white space around it", () => {
  for (const value of [" a", "a ", "\ta", "a\t", " "]) expect(isFieldValue(value)).toBe(false);
  expect(isFieldValue("a \t b")).toBe(true);
});

test.each([
  ["websocket", true],
  ["IRC/6.9", true],
  ["a/", false],
  ["/a", false],
  ["a/b/c", false],
  ["a b", false],
])("isProtocol(%j) is %s", (text, is) => {
  expect(isProtocol(text)).toBe(is);
});

test.each([
  ["a, B ,\tc", ["a", "B", "c"]],
  [",, a,,", ["a"]],
  ["", []],
  ["\u00a0a", ["\u00a0a"]],
])("the members of %j", (value, members) => {
  expect(listMembers(value)).toEqual(members);
});

test("only SP and HTAB are trimmed: NBSP is an octet like any other", () => {
  expect(trimWhiteSpace("\t a b\t ")).toBe("a b");
  expect(trimWhiteSpace(" \u00a0 ")).toBe("\u00a0");
  expect(trimWhiteSpace("\v")).toBe("\v");
  expect(trimWhiteSpace(" \t ")).toBe("");
});

test("hostile text is shown escaped, and cut short", () => {
  expect(quoted('a\r\n\0"\x7f\xff')).toBe('"a\\r\\n\\u0000\\"\\x7f\\xff"');
  expect(quoted("x".repeat(100))).toBe(`"${"x".repeat(60)}…"`);
});
