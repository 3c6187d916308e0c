import { expect, test } from "vitest";
import { maskHead, maskTarget } from "../src/mask.ts";

test.each([
  ["Authorization: Bearer abc", "Authorization: Bearer ***"],
  ["proxy-authorization:Basic dTpw", "proxy-authorization:Basic ***"],
  ["Authorization: abc", "Authorization: ***"],
  ["Cookie: a=b; c=d", "Cookie: ***"],
  ["Set-Cookie: a=b", "Set-Cookie: ***"],
  ["X-Api-Key: abc", "X-Api-Key: ***"],
  ["X-Auth-Token: abc", "X-Auth-Token: ***"],
  ["Sec-WebSocket-Key: abc", "Sec-WebSocket-Key: abc"],
  ["Accept: */*", "Accept: */*"],
])("%s is shown as %s", (line, masked) => {
  expect(maskHead(`GET / HTTP/1.1\r\n${line}\r\n`, false)).toBe(`GET / HTTP/1.1\r\n${masked}\r\n`);
  expect(maskHead(`GET / HTTP/1.1\r\n${line}\r\n`, true)).toContain(line);
});

test("a folded secret is masked to its end", () => {
  expect(maskHead("GET / HTTP/1.1\nCookie: a=b;\n c=d\nA: b\n c", false)).toBe(
    "GET / HTTP/1.1\nCookie: ***\n ***\nA: b\n c",
  );
});

test.each([
  ["/chat?token=abc&room=1", "/chat?token=***&room=1"],
  ["/chat?room=1&access_token=abc#x", "/chat?room=1&access_token=***#x"],
  ["ws://user:password@a.test/", "ws://***@a.test/"],
  ["/chat?room=1", "/chat?room=1"],
])("%s is shown as %s", (target, masked) => {
  expect(maskTarget(target)).toBe(masked);
  expect(maskHead(`GET ${target} HTTP/1.1\n`, false)).toBe(`GET ${masked} HTTP/1.1\n`);
});
