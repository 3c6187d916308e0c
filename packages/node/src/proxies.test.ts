import { describe, expect, test } from "vitest";
import { placeOf } from "./place.ts";
import { type Environment, proxyFor, proxyIn } from "./proxies.ts";

const P = "http://p.test:3128";

function leadsTo(url: string, env: Environment): string | undefined {
  const proxy = proxyFor(url, { env });
  return proxy && `${proxy.place.host}:${proxy.place.port}`;
}

describe("which variable counts", () => {
  test.each<[string, Environment, string | undefined]>([
    ["wss://a.test", { HTTPS_PROXY: P }, "p.test:3128"],
    ["https://a.test", { https_proxy: P }, "p.test:3128"],
    ["https://a.test", { https_proxy: P, HTTPS_PROXY: "http://q.test" }, "p.test:3128"],
    ["https://a.test", { https_proxy: "", HTTPS_PROXY: P }, "p.test:3128"],
    ["https://a.test", { HTTP_PROXY: P }, undefined],
    ["ws://a.test", { HTTP_PROXY: P }, "p.test:3128"],
    ["http://a.test", { http_proxy: P }, "p.test:3128"],
    ["http://a.test", { HTTPS_PROXY: P }, undefined],
    ["http://a.test", { HTTP_PROXY: P, REQUEST_METHOD: "GET" }, undefined],
    ["http://a.test", { http_proxy: P, REQUEST_METHOD: "GET" }, "p.test:3128"],
    ["https://a.test", { HTTPS_PROXY: P, REQUEST_METHOD: "GET" }, "p.test:3128"],
    ["unix:/run/a.sock", { HTTP_PROXY: P, HTTPS_PROXY: P }, undefined],
    ["https://a.test", {}, undefined],
  ])("%s with %o: %s", (url, env, proxy) => {
    expect(leadsTo(url, env)).toBe(proxy);
  });
});

describe("the URL of a proxy", () => {
  test.each([
    ["p.test:3128", "p.test:3128", undefined],
    ["p.test", "p.test:80", undefined],
    ["https://p.test", "p.test:443", undefined],
    ["http://[::1]:3128", "::1:3128", undefined],
    ["http://u:p@p.test", "p.test:80", "u:p"],
    ["http://u%40x:p%3Aq@p.test", "p.test:80", "u@x:p:q"],
    ["http://u@p.test", "p.test:80", "u:"],
    ["http://%C3%BC:p@p.test", "p.test:80", "ü:p"],
    ["http://u:100%@p.test", "p.test:80", "u:100%"],
  ])("%s", (given, place, credentials) => {
    expect(leadsTo("https://a.test", { HTTPS_PROXY: given })).toBe(place);
    const { authorization } = proxyIn({ HTTPS_PROXY: given }, placeOf("https://a.test", false))!;
    const expected = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
    expect(authorization).toBe(expected);
  });

  test.each([
    "http://u%3Ax:secret@p.test",
    "http://u:secret%0D%0A@p.test",
    "http://u%00:secret@p.test",
  ])("%s has credentials that cannot be sent: INVALID_OPTION", (given) => {
    const lead = () => leadsTo("https://a.test", { HTTPS_PROXY: given });
    expect(lead).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    expect(lead).toThrow(/HTTPS_PROXY has credentials that cannot be sent(?!.*secret)/);
  });

  test.each(["socks5://u:secret@p.test", "http://", "http://u:secret@a b"])(
    "%s is an INVALID_OPTION that does not show a password",
    (given) => {
      let error: unknown;
      try {
        leadsTo("https://a.test", { HTTPS_PROXY: given });
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "INVALID_OPTION" });
      expect(String(error)).toContain(
        "HTTPS_PROXY is not a proxy for CONNECT: give http://host:port",
      );
      expect(String(error)).not.toContain("secret");
    },
  );
});

describe("NO_PROXY", () => {
  const V6 = "https://[fe80::1]:8443";
  test.each([
    ["https://a.test", "a.test", true],
    ["https://A.test", "a.TEST", true],
    ["https://sub.a.test", "a.test", true],
    ["https://sub.a.test", ".a.test", true],
    ["https://sub.a.test", "*.a.test", true],
    ["https://a.test", ".a.test", true],
    ["https://ba.test", "a.test", false],
    ["https://a.test", "*", true],
    ["https://a.test", "b.test, a.test", true],
    ["https://a.test", "b.test a.test", true],
    ["https://a.test", " , ", false],
    ["https://a.test", ".", false],
    ["https://a.test", "a.test:443", true],
    ["https://a.test:8443", "a.test:443", false],
    ["https://10.1.2.3", "10.1.2.3", true],
    ["https://10.1.2.3", "10.0.0.0/8", true],
    ["https://11.1.2.3", "10.0.0.0/8", false],
    ["https://10.1.2.3", "10.0.0.0/99", false],
    ["https://10.1.2.3", "10.0.0.0/x", false],
    ["https://11.1.2.3", "10.0.0.1/", false],
    ["https://10.1.2.3", "10.0.0.0/0x8", false],
    ["https://10.1.2.3", "10.0.0.0/8/9", false],
    ["https://10.1.2.3", "10.0.0.0/-1", false],
    ["https://10.1.2.3", "0.0.0.0/0", true],
    ["https://a.test", "a.test.", true],
    ["https://a.test.", "a.test", true],
    ["https://sub.a.test.", ".a.test", true],
    ["https://10.1.2.3", "2.3", false],
    ["https://10.1.2.3:8443", "10.1.2.3:8443", true],
    [V6, "fe80::1", true],
    [V6, "[fe80::1]", true],
    [V6, "[fe80::1]:8443", true],
    [V6, "[fe80::1]:443", false],
    [V6, "fe80::/16", true],
    [V6, "10.0.0.0/8", false],
  ])("%s with %s: %s", (url, list, isExempt) => {
    for (const name of ["NO_PROXY", "no_proxy"]) {
      expect(leadsTo(url, { HTTPS_PROXY: P, [name]: list }) === undefined).toBe(isExempt);
    }
  });

  test("in lower case wins", () => {
    const env = { HTTPS_PROXY: P, NO_PROXY: "a.test", no_proxy: "b.test" };
    expect(leadsTo("https://a.test", env)).toBe("p.test:3128");
  });
});

test("a proxy that is named wins, and false is none", () => {
  const env = { HTTPS_PROXY: P };
  const named = proxyFor("wss://a.test", { proxy: "http://q.test:8080", env });
  expect(named?.place).toMatchObject({ host: "q.test", port: 8080, isSecure: false });
  expect(proxyFor("wss://a.test", { proxy: false, env })).toBeUndefined();
  expect(() => proxyFor("a.test")).toThrow("it needs a scheme");
});
