import { describe, expect, test } from "vitest";
import { faultOfTarget, isAuthority, isHost } from "./target.ts";

const isTarget = (method: string, target: string) => faultOfTarget(method, target) === undefined;

describe("Host is uri-host [ ':' port ] (R11)", () => {
  test.each([
    "",
    "a",
    "a.test",
    "a:80",
    "a:",
    "a:0",
    "a:65535",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:80",
    ...["a:65536", "a:99999", "a:080000", "[::1]:123456789012345678901234567890"],
  ])("%j", (value) => {
    expect(isHost(value)).toBe(true);
  });
  test.each(["x_y", "%41", "a!$&'()*+,;=~", "[v1.x:y]", "[2001:db8::1.2.3.4]"])("%j", (value) => {
    expect(isHost(value)).toBe(true);
  });
  test.each([
    ...["a b", "a, b", "a/b", "a?b", "a#b", "user@a", "a:b", "a:80:80", "a:-1", "a:+1"],
    ...[":80", "[::1", "::1", "[]", "[::1]x", "a%4", "a%zz", "a\\b", "a\x80", "http://a"],
    "a\n",
  ])("not %j", (value) => {
    expect(isHost(value)).toBe(false);
  });
});

describe("an address in brackets is one of IPv6 (RFC 3986 §3.2.2)", () => {
  const six = "1:2:3:4:5:6";
  test.each([
    ...[
      "::",
      "::1",
      "1::",
      "1::8",
      `${six}:7:8`,
      `${six}:1.2.3.4`,
      "::ffff:1.2.3.4",
      "1::3:4:5:6:7:8",
    ],
    ...["1:2:3:4:5:6:7::", "abcd:EF01::", "::255.249.199.10", `::${six}:7`],
  ])("%j", (address) => {
    expect(isHost(`[${address}]:80`)).toBe(true);
    expect(isAuthority(`[${address}]:80`)).toBe(true);
    expect(isTarget("GET", `http://[${address}]/`)).toBe(true);
  });
  test.each([
    ...[
      "1",
      ":",
      ":::",
      ".",
      "1.2.3.4",
      six,
      `${six}:7`,
      `${six}:7:8:9`,
      `::${six}:7:8`,
      "1::2::3",
    ],
    ...["12345::", "::g", ":1", "1:", "::1:", ":1::", "::256.1.1.1", "::1.2.3", "::1.2.3.4.5"],
    ...["::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3.4.", `${six}:7:1.2.3.4`],
  ])("not %j", (address) => {
    expect(isHost(`[${address}]:80`)).toBe(false);
    expect(isAuthority(`[${address}]:80`)).toBe(false);
    expect(isTarget("GET", `http://[${address}]/`)).toBe(false);
  });
});

describe("CONNECT takes host ':' port (X01, X02)", () => {
  test.each(["a:1", "a.test:443", "127.0.0.1:65535", "[::1]:443", "a:00443"])("%j", (target) => {
    expect(isAuthority(target)).toBe(true);
    expect(isTarget("CONNECT", target)).toBe(true);
    // R21: and no other method.
    expect(isTarget("GET", target)).toBe(false);
  });
  test.each([
    ...["a", "a:", ":443", "a:0", "a:65536", "a:x", "a:-1", "a:+443", "a:443x", "a:000443"],
    ...["/", "*", "http://a:443", "user@a:443", "a:443/", "::1:443", "[::1]", "a b:443", ""],
  ])("not %j", (target) => {
    expect(isTarget("CONNECT", target)).toBe(false);
  });
});

describe("other methods take", () => {
  test.each([
    ...["/", "/a/b;c=d", "/?", "/?a=b&c?d/e", "/%41%ff", "//a//b", "/a:@!$&'()*+,;=-._~"],
    ...["http://a", "http://a/", "http://a?b", "https://a:80/b?c", "http://[::1]/", "x+1.-y://a/"],
  ])("%j", (target) => {
    expect(isTarget("GET", target)).toBe(true);
    expect(isTarget("M-SEARCH", target)).toBe(true);
  });

  test("R22: an asterisk is for OPTIONS only", () => {
    expect(isTarget("OPTIONS", "*")).toBe(true);
    expect(isTarget("GET", "*")).toBe(false);
    expect(isTarget("OPTIONS", "*a")).toBe(false);
  });

  test.each([
    ...["", "a", "a/b", "?a", "/a b", "/a#b", "/#", "/<", "/>", '/"', "/?<", '/?"', "http://a/<"],
    ...["/\x1f", "/\x7f", "/\x80", "/\0", "/\r\n", "/a\n", "/\u010a", "/?\u560d"],
    ...["http:/a", "http:a", "http://", "http:///a", "http://:80/", "1a://b/", "http://a:65536/"],
    ...["http://u@a/", "http://u:p@a/", "http://a:b/", "http://a/#b", "http://a b/", "://a"],
  ])("not %j (R05, R06, R24, R27)", (target) => {
    expect(isTarget("GET", target)).toBe(false);
    expect(isTarget("OPTIONS", target)).toBe(false);
  });
});

describe("a path and a query may have what browsers do not encode (the URL standard)", () => {
  test.each([
    ...["/a[1]", "/a{1}", "/a|b", "/a^b", "/a`b", "/a\\b", "/%", "/%4", "/%zz", "/a%b"],
    ...["/?a[]=1&b[c]=2", "/?q={a}", "/?a|b", "/?a^b", "/?a`b", "/?a\\b", "/?x=100%"],
    ...["http://a/[x]?{y}", "http://a?|", "https://a:80/%"],
  ])("%j", (target) => {
    expect(faultOfTarget("GET", target)).toBeUndefined();
  });

  test('an octet is allowed from ! to ~, except ", #, < and >', () => {
    for (let code = 0; code <= 0x100; code++) {
      const octet = String.fromCharCode(code);
      const isAllowed = code > 0x20 && code < 0x7f && !'"#<>'.includes(octet);
      for (const before of ["/", "/?", "http://a/", "http://a?"]) {
        expect(isTarget("GET", before + octet), `${before}${code}`).toBe(isAllowed);
      }
    }
  });

  test("but not in the host", () => {
    for (const octet of "[]{}|^`\\%@") {
      expect(isTarget("GET", `http://a${octet}b/`), octet).toBe(false);
      expect(isTarget("CONNECT", `a${octet}b:1`), octet).toBe(false);
    }
  });
});

describe("an error describes a target without quoting it", () => {
  test.each([
    ["GET", "/?token=secret#x", "the octet 0x23 at 14 is not allowed; a fragment is not sent"],
    ["GET", "/a\nb", "the octet 0x0a at 2 is not allowed; percent-encode it"],
    ["GET", "/\u560d", "the character U+560d at 1 is not allowed; percent-encode it"],
    ["GET", "*", "* is for OPTIONS alone"],
    ["CONNECT", "secret", "CONNECT takes host:port, with a port from 1 to 65535"],
    [
      "GET",
      "http://u:p@a/",
      'it is neither a path that begins with "/" nor scheme://host[:port]/path without a user',
    ],
  ])("%s %j: %s", (method, target, says) => {
    expect(faultOfTarget(method, target)).toBe(says);
  });
});

test("a hostile length costs linear time", () => {
  const start = performance.now();
  isHost(`${"a".repeat(100_000)}@`);
  isTarget("GET", `/${"%41?".repeat(50_000)}#`);
  isTarget("GET", `http://${"a.".repeat(50_000)}@/`);
  expect(performance.now() - start).toBeLessThan(500);
});
